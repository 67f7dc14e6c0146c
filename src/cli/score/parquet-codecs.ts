// How pages of Parquet are compressed.
import zlib from 'node:zlib'
import { decompress as unzstd } from 'fzstd'
import { LstmError } from '../../index.ts'
import { damaged } from './parquet-runs.ts'

type Codec = (bytes: Uint8Array, length: number) => Uint8Array

/** By Parquet's names. Node has zstd since 22.15. */
const CODECS: Readonly<Record<string, Codec>> = {
  UNCOMPRESSED: (bytes) => bytes,
  SNAPPY: unsnappy,
  GZIP: (bytes, length) => zlib.gunzipSync(bytes, { maxOutputLength: Math.max(1, length) }),
  BROTLI: (bytes, length) => zlib.brotliDecompressSync(bytes, { maxOutputLength: Math.max(1, length) }),
  ZSTD: (bytes, length) => {
    const { zstdDecompressSync } = zlib as { zstdDecompressSync?: (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array }
    return zstdDecompressSync?.(bytes, { maxOutputLength: Math.max(1, length) }) ?? unzstd(bytes, new Uint8Array(length))
  },
}

/**
 * The bytes of a page.
 * @param length how many there must be
 * @throws LstmError `UNSUPPORTED` for other codecs, `FORMAT` for bytes that are not as the codec says
 */
export function decompress(codec: string, bytes: Uint8Array, length: number): Uint8Array {
  const known = Object.hasOwn(CODECS, codec) ? CODECS[codec] : undefined
  if (known === undefined) {
    throw new LstmError('UNSUPPORTED', `compression ${codec}; supported are ${Object.keys(CODECS).join(', ')}. pyarrow writes one of them: compression='zstd'`)
  }
  let page: Uint8Array
  try {
    page = known(bytes, length)
  } catch (cause) {
    if (cause instanceof LstmError) throw cause
    throw damaged(`a page in ${codec}: ${String(cause)}`)
  }
  if (page.length !== length) throw damaged(`a page in ${codec}: expected ${length} bytes, got ${page.length}`)
  return page
}

/**
 * Snappy's block format: literals, and copies of what came before.
 * Source: https://github.com/google/snappy/blob/main/format_description.txt
 */
export function unsnappy(bytes: Uint8Array, length: number): Uint8Array {
  const output = new Uint8Array(length)
  const size = bytes.length
  let [at, end] = [0, 0]
  while (at < size && (bytes[at++] as number) > 127); // the length, which the page's header has
  while (at < size) {
    const tag = bytes[at++] as number
    const kind = tag & 3
    // Bytes of a number behind the tag: of the length of a long literal, or of how far back a copy is.
    const extra = kind === 0 ? Math.max(0, (tag >> 2) - 59) : kind === 3 ? 4 : kind
    if (at + extra > size) throw damaged('a page in SNAPPY ends too early')
    let number = 0
    for (let n = extra - 1; n >= 0; n--) number = number * 256 + (bytes[at + n] as number)
    at += extra
    if (kind === 0) {
      const literal = 1 + (extra === 0 ? tag >> 2 : number)
      if (at + literal > size || end + literal > length) throw damaged('a page in SNAPPY: a literal is too long')
      if (literal > 32) output.set(bytes.subarray(at, at + literal), end)
      else for (let n = 0; n < literal; n++) output[end + n] = bytes[at + n] as number
      at += literal
      end += literal
      continue
    }
    const copy = kind === 1 ? 4 + (tag >> 2 & 7) : 1 + (tag >> 2)
    const back = kind === 1 ? (tag >> 5) * 256 + number : number
    if (back < 1 || back > end || end + copy > length) throw damaged('a page in SNAPPY: a copy from outside')
    // Copies may overlap themselves: a pattern repeats.
    for (let n = 0; n < copy; n++) output[end + n] = output[end + n - back] as number
    end += copy
  }
  return output.subarray(0, end)
}
