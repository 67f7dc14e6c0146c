// Files of torch.export.save (.pt2), since PyTorch 2.8 (older ones: serialized.ts): a zip archive with the weights as they lie
// in memory, and JSON that describes them.
// https://github.com/pytorch/pytorch/blob/main/torch/export/pt2_archive/PT2ARCHIVE_SPEC.md
import { LstmError } from '../../errors.ts'
import type { Budget } from '../budget.ts'
import { field, isList, type Json } from '../json.ts'
import { malformedFile } from '../malformed.ts'
import type { ZipArchive } from '../zip/zip.ts'
import { TensorBuilder } from './tensor-builder.ts'
import { storageElementBytes, TorchStorage, TorchTensor } from './tensors.ts'

const malformed = malformedFile('torch')

/** Element types by number: torch/_export/serde/schema.py. */
const STORAGES: readonly (string | undefined)[] = [
  undefined, 'ByteStorage', 'CharStorage', 'ShortStorage', 'IntStorage', 'LongStorage', 'HalfStorage', 'FloatStorage', 'DoubleStorage', undefined,
  'ComplexFloatStorage', 'ComplexDoubleStorage', 'BoolStorage', 'BFloat16Storage',
]

/** A field of a field, and so on, or undefined. */
export function member(json: Json | undefined, ...keys: readonly string[]): Json | undefined {
  return keys.reduce(field, json)
}

/** The members of a list, or none. */
export function listOf(json: Json | undefined): readonly Json[] {
  return isList(json) ? json : []
}

/** A text, or none. */
export function textOf(json: Json | undefined): string {
  return typeof json === 'string' ? json : ''
}

/** The program of such a file, whose tensors wait to be built. */
export interface ExportedFile {
  readonly program: Json
  readonly stateDict: ReadonlyMap<string, TorchTensor>
  readonly tensors: TensorBuilder
}

/** Whether an archive is one, by the names of its files. */
export function isExported(names: readonly string[]): boolean {
  return names.some((name) => /(^|\/)archive_format$/.test(name))
}

/** @throws LstmError `FORMAT`, `UNSUPPORTED` for programs that are not one of this kind */
export function openExported(archive: ZipArchive, budget: Budget): ExportedFile {
  const models = archive.names.filter((name) => /(^|\/)models\/[^/]+\.json$/.test(name))
  const [model] = models
  if (model === undefined || models.length > 1) {
    throw new LstmError('UNSUPPORTED', `torch: expected one model in the archive of torch.export, got ${models.length}; ${EXPORT_AGAIN}`)
  }
  const folder = model.slice(0, model.lastIndexOf('models/'))
  const json = (name: string): Json => {
    const bytes = archive.read(name)
    budget.json(bytes.length, `torch: ${name}`)
    try {
      return JSON.parse(new TextDecoder().decode(bytes)) as Json
    } catch (cause) {
      throw malformed(`${name} is no JSON`, cause)
    }
  }
  const stateDict: Map<string, TorchTensor> = new Map()
  const contents: Map<string, Uint8Array> = new Map()
  const read = (name: string): Uint8Array => {
    const found = contents.get(name) ?? archive.read(name)
    contents.set(name, found)
    return found
  }
  for (const config of archive.names.filter((name) => name.startsWith(`${folder}data/`) && name.endsWith('_config.json'))) {
    const place = config.slice(0, config.lastIndexOf('/') + 1)
    for (const [name, described] of Object.entries((member(json(config), 'config') ?? {}) as Readonly<Record<string, Json>>)) {
      stateDict.set(name, tensorOf(name, described, place, (path) => (archive.has(path) ? read(path) : undefined)))
    }
  }
  return { program: json(model), stateDict, tensors: new TensorBuilder(budget, ({ key }) => read(key)) }
}

const EXPORT_AGAIN = "export it as ONNX, in Python: torch.onnx.export(torch.export.load('model.pt2'), args, 'model.onnx')"

/** A tensor whose elements are a file of the archive. */
function tensorOf(name: string, described: Json, place: string, read: (path: string) => Uint8Array | undefined): TorchTensor {
  const meta = member(described, 'tensor_meta')
  const path = textOf(member(described, 'path_name'))
  const sizes = (key: string): number[] => listOf(member(meta, key)).map((size) => sizeOf(member(size, 'as_int'), name))
  const kind = STORAGES[sizeOf(member(meta, 'dtype'), name)]
  const bytesEach = storageElementBytes(kind ?? '')
  const key = `${place}${path}`
  const bytes = read(key)
  if (bytes === undefined) throw malformed(`the tensor '${name}' has no file in the archive`)
  if (member(described, 'use_pickle') === true || kind === undefined || bytesEach === undefined) {
    throw new LstmError('UNSUPPORTED', `torch: the tensor '${name}' is stored in a way that is not read; ${EXPORT_AGAIN}`)
  }
  const [shape, strides] = [sizes('sizes'), sizes('strides')]
  if (shape.length !== strides.length) throw malformed(`expected as many sizes as strides for the tensor '${name}'`)
  return new TorchTensor(new TorchStorage(kind, key, bytes.length / bytesEach, 0), sizeOf(member(meta, 'storage_offset', 'as_int'), name), shape, strides)
}

function sizeOf(json: Json | undefined, name: string): number {
  if (typeof json !== 'number' || !Number.isSafeInteger(json) || json < 0) throw malformed(`expected whole numbers >= 0 for the tensor '${name}'`)
  return json
}
