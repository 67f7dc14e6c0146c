// Files of torch.export.save (.pt2) of PyTorch 2.1 to 2.7: a zip archive with the program as JSON, and its tensors as two files of torch.save.
// https://github.com/pytorch/pytorch/blob/v2.7.1/torch/export/__init__.py (save, load)
import { LstmError } from '../../errors.ts'
import type { Budget } from '../budget.ts'
import type { Json } from '../json.ts'
import { malformedFile } from '../malformed.ts'
import type { ZipArchive } from '../zip/zip.ts'
import type { TorchFile } from './torch-file.ts'
import { TensorBuilder } from './tensor-builder.ts'
import { TorchStorage, TorchTensor } from './tensors.ts'

const malformed = malformedFile('torch')
const PROGRAM = 'serialized_exported_program.json'
/** Parameters and buffers; tensors that the program has besides. Either of them may be missing. The first versions called them JSON. */
const TENSORS = [/^serialized_state_dict\.(pt|json)$/, /^serialized_constants\.(pt|json)$/]

/** Whether an archive is one, by the names of its files. */
export function isSerialized(names: readonly string[]): boolean {
  return names.includes(PROGRAM)
}

/**
 * @param open reads a file of torch.save inside the archive
 * @throws LstmError `FORMAT`, `UNSUPPORTED`
 */
export function openSerialized(archive: ZipArchive, budget: Budget, open: (bytes: Uint8Array) => TorchFile): TorchFile {
  const text = archive.read(PROGRAM)
  budget.json(text.length, `torch: ${PROGRAM}`)
  let program: Json
  try {
    program = JSON.parse(new TextDecoder().decode(text)) as Json
  } catch (cause) {
    throw malformed(`${PROGRAM} is no JSON`, cause)
  }
  const files = TENSORS.flatMap((pattern) => archive.names.filter((name) => pattern.test(name)).slice(0, 1)).filter((name) => archive.read(name).length > 0)
  const opened = files.map((name) => open(archive.read(name)))
  const tensors: Map<string, TorchTensor> = new Map()
  opened.forEach(({ object }, n) => {
    if (!(object instanceof Map)) throw malformed(`expected tensors by name in ${files[n]}`)
    for (const [name, tensor] of object as ReadonlyMap<unknown, unknown>) {
      if (tensor instanceof TorchTensor) tensors.set(String(name), ofFile(tensor, n))
      else throw new LstmError('UNSUPPORTED', `torch: ${files[n]} has something else than a tensor: '${String(name).slice(0, 100)}'`)
    }
  })
  const builder = new TensorBuilder(budget, ({ key, ...storage }) => {
    const file = Number(key.slice(0, 1))
    return (opened[file] as TorchFile).tensors.bytesOf({ ...storage, key: key.slice(2) })
  })
  return { object: tensors, tensors: builder, exported: program }
}

/** Both files number their storages from 0. */
function ofFile({ storage: { kind, key, length, offset: begin }, offset, shape, strides }: TorchTensor, file: number): TorchTensor {
  return new TorchTensor(new TorchStorage(kind, `${file}/${key}`, length, begin), offset, shape, strides)
}
