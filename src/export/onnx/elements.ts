import type { DataOf } from '../../values/dtype.ts'
import type { OnnxType } from './messages.ts'

/** Elements as the bytes of a type, little-endian. WebAssembly is little-endian, and so is every machine that runs this library. */
export function rawElements(data: DataOf | Int8Array, type: OnnxType): Uint8Array {
  if (type === 'int64') {
    const words = new Int32Array(2 * data.length)
    for (let n = 0; n < data.length; n++) {
      const value = data[n] as number
      words[2 * n] = value
      words[2 * n + 1] = value < 0 ? -1 : 0
    }
    return new Uint8Array(words.buffer)
  }
  if (type === 'bool') return Uint8Array.from(data, (value) => Number(value !== 0))
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}
