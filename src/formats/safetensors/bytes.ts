import { LstmError } from '../../errors.ts'
import type { Constant } from '../../ops/constant.ts'
import type { ArrayLike } from '../../values/ndarray.ts'

/** The metadata key under which our own files carry their graph. */
export const GRAPH_KEY = 'lstm-wasm'

const LENGTH_BYTES = 8
/** Data begins at a multiple of this, so that readers can make views of it; the header is padded with spaces. */
const DATA_ALIGNMENT = 64
const CODES = { float32: 'F32', int32: 'I32', uint8: 'U8' } as const

/** A safetensors file. Tensors are written in the order given; weights of fewer bits as what they are stored as. */
export function safetensorsBytes(tensors: ReadonlyMap<string, ArrayLike>, metadata: ReadonlyMap<string, string>): Uint8Array<ArrayBuffer> {
  const header = Object.create(null) as Record<string, unknown>
  if (metadata.size > 0) header.__metadata__ = Object.fromEntries(metadata)
  let dataLength = 0
  const written: ArrayBufferView[] = []
  for (const [stem, array] of tensors) {
    for (const { suffix, dtype, shape, data } of (array as Constant).parts ?? [{ suffix: '', dtype: CODES[array.dtype], shape: array.shape, data: array.data }]) {
      const name = stem + suffix
      if (name in header || name === '__metadata__') throw new LstmError('VALUE', `safetensors: a tensor cannot be named '${name}'`)
      header[name] = { dtype, shape, data_offsets: [dataLength, dataLength + data.byteLength] }
      dataLength += data.byteLength
      written.push(data)
    }
  }
  const json = new TextEncoder().encode(JSON.stringify(header))
  const dataBegin = Math.ceil((LENGTH_BYTES + json.length) / DATA_ALIGNMENT) * DATA_ALIGNMENT
  const bytes = new Uint8Array(dataBegin + dataLength)
  new DataView(bytes.buffer).setUint32(0, dataBegin - LENGTH_BYTES, true)
  bytes.fill(0x20, LENGTH_BYTES, dataBegin)
  bytes.set(json, LENGTH_BYTES)
  let position = dataBegin
  for (const { buffer, byteOffset, byteLength } of written) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), position)
    position += byteLength
  }
  return bytes
}
