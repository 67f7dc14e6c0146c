import { describeValue } from '../../values/dtype.ts'
import { NdArray } from '../../values/ndarray.ts'
import { formatShape, lengthOf } from '../../values/shape.ts'
import { decodeElements } from '../elements.ts'
import { duplicateKey } from '../json.ts'
import { Budget } from '../budget.ts'
import { malformedFile } from '../malformed.ts'
import { readNpzWithin } from '../npz.ts'
import { onlyBytes, type ModelFiles } from '../reader.ts'
import { isZip } from '../zip/zip.ts'
import { readCheckpoint } from './checkpoint.ts'
import { isTable } from './table.ts'

const malformed = malformedFile('TensorFlow 1')

/** Variables by name: `rnn/basic_lstm_cell/kernel`. */
export type Variables = ReadonlyMap<string, NdArray>

/**
 * The variables of a TensorFlow 1 model, from one of
 * - a checkpoint of tf.train.Saver (version 2): the .index file, its data beside it;
 * - a .npz file with an array for each variable;
 * - a manifest.json `{ name: { filename, shape } }`, a file of little-endian float32 for each variable beside it.
 *
 * @param source the file, or its bytes where there are none beside it
 * @throws LstmError `FORMAT` for a broken file, `UNSUPPORTED` for partitioned variables or compressed tables,
 *   `ENVIRONMENT` when a file beside it cannot be read
 */
export async function readTensorflow1Variables(source: ModelFiles | Uint8Array): Promise<Map<string, NdArray>> {
  return readVariables(source)
}

/** The same, as a part of a load. */
export async function readVariables(source: ModelFiles | Uint8Array, budget?: Budget): Promise<Map<string, NdArray>> {
  const files = source instanceof Uint8Array ? onlyBytes(source) : source
  const own = budget ?? new Budget(files.bytes.length)
  if (isTable(files.bytes)) return readCheckpoint(files, own)
  if (isZip(files.bytes)) return readNpzWithin(files.bytes, own)
  return readManifest(files, own)
}

async function readManifest(files: ModelFiles, budget: Budget): Promise<Map<string, NdArray>> {
  const manifest = parseManifest(files.bytes)
  const variables: Map<string, NdArray> = new Map()
  // Each file once, however often it is named.
  const contents: Map<string, Float32Array> = new Map()
  for (const [name, entry] of Object.entries(manifest)) {
    const { filename, shape } = typeof entry === 'object' && entry !== null ? entry as Record<string, unknown> : {}
    if (typeof filename !== 'string') throw malformed(`expected a filename for the variable '${name}', got ${describeValue(filename)}`)
    const isShape = Array.isArray(shape) && shape.every((size) => typeof size === 'number' && Number.isSafeInteger(size) && size >= 0)
    if (!isShape) throw malformed(`expected a shape for the variable '${name}', got ${describeValue(shape)}`)
    let data = contents.get(filename)
    if (data === undefined) {
      data = floatsOf(await files.sibling(filename), filename)
      budget.addFile(data.byteLength)
      contents.set(filename, data)
    }
    budget.copy(data.length, data.byteLength, `TensorFlow 1: ${JSON.stringify(filename)}`)
    const sizes = shape as number[]
    if (data.length !== lengthOf(sizes)) {
      throw malformed(`expected ${lengthOf(sizes)} elements for '${name}' ${formatShape(sizes)} in ${JSON.stringify(filename)}, got ${data.length}`)
    }
    variables.set(name, new NdArray(data, sizes))
  }
  return variables
}

function floatsOf(bytes: Uint8Array, filename: string): Float32Array {
  if (bytes.length % 4 !== 0) throw malformed(`expected whole float32 elements in ${JSON.stringify(filename)}, got ${bytes.length} bytes`)
  return decodeElements(bytes, 'float32', filename) as Float32Array
}

function parseManifest(bytes: Uint8Array): Record<string, unknown> {
  let text: string
  let manifest: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    manifest = JSON.parse(text)
  } catch (cause) {
    throw malformed('expected the .index file of a checkpoint, a .npz file or a manifest in JSON', cause)
  }
  if (typeof manifest !== 'object' || manifest === null || Array.isArray(manifest)) {
    throw malformed(`expected the manifest to be an object, got ${describeValue(manifest)}`)
  }
  const duplicate = duplicateKey(text)
  if (duplicate !== undefined) throw malformed(`the variable '${duplicate}' stands twice in the manifest`)
  return manifest as Record<string, unknown>
}
