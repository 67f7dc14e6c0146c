// The components of a .traineddata file, also in one that gzip packed.
import { Inflate } from 'fflate'
import type { Budget } from '../budget.ts'
import { inflateExactly } from '../zip/inflate.ts'
import { malformed, unsupported } from './cursor.ts'
import { componentsOf, isGzip } from './header.ts'

const GZIP_HEADER_BYTES = 10
const GZIP_TRAILER_BYTES = 8
/** Bytes that one of a gzip file becomes: weights are rarely compressible. */
const MOST_INFLATED = 32
/** Deflated bytes that are inflated to see how a file begins. */
const PROBED_BYTES = 1024

/** Whether bytes begin as such a file, or as a gzip file of one. Never throws. */
export function isTraineddata(bytes: Uint8Array): boolean {
  if (!isGzip(bytes)) return componentsOf(bytes) !== undefined
  try {
    const { deflated, size } = gzipMember(bytes)
    let beginning: Uint8Array | undefined
    new Inflate((chunk) => beginning ??= chunk.slice()).push(deflated.subarray(0, PROBED_BYTES))
    return beginning !== undefined && componentsOf(beginning, size) !== undefined
  } catch {
    return false
  }
}

/** The deflated bytes of a gzip file, and how many they become (RFC 1952). */
function gzipMember(bytes: Uint8Array): { readonly deflated: Uint8Array, readonly size: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const flags = bytes[3] as number
  let begin = GZIP_HEADER_BYTES
  if (flags & 4) begin += 2 + (bytes[begin] ?? 0) + 256 * (bytes[begin + 1] ?? 0)
  // A name and a comment, each with a zero at its end.
  for (const flag of [8, 16]) if (flags & flag) begin = bytes.indexOf(0, begin) + 1 || bytes.length
  if (flags & 2) begin += 2
  if (begin + GZIP_TRAILER_BYTES > bytes.length) throw malformed(`expected a gzip file, got ${bytes.length} bytes that end in its header`)
  return { deflated: bytes.subarray(begin, -GZIP_TRAILER_BYTES), size: view.getUint32(bytes.length - 4, true) }
}

function gunzipped(bytes: Uint8Array, budget: Budget): Uint8Array {
  const { deflated, size } = gzipMember(bytes)
  if (size > MOST_INFLATED * bytes.length) throw malformed(`a gzip file of ${bytes.length} bytes that says it unpacks to ${size}: it is cut off, or lies`)
  return inflateExactly(deflated, size, 'traineddata: gzip', budget)
}

/** Bytes of the components that a line recogniser has. */
export interface Components {
  readonly lstm: Uint8Array
  readonly unicharset: Uint8Array
  readonly recoder: Uint8Array
}

/**
 * @param budget what pays for what is inflated
 * @throws LstmError `FORMAT` for other files, `UNSUPPORTED` for those without a network, or with its characters inside it
 */
export function readComponents(file: Uint8Array, budget: Budget): Components {
  const bytes = isGzip(file) ? gunzipped(file, budget) : file
  const found = componentsOf(bytes)
  if (found === undefined) throw malformed(`expected the number of components and their offsets, within ${bytes.length} bytes, one after the other`)
  const [lstm, unicharset, recoder] = [17, 21, 22].map((n) => found[n] && bytes.subarray(...found[n]))
  if (!lstm) throw unsupported("a file without a network: it is for Tesseract's legacy engine only, as osd is; take that of a language from tessdata_fast or tessdata_best")
  if (!unicharset || !recoder) throw unsupported('expected lstm-unicharset and lstm-recoder beside the network: a format before Tesseract 4.0 has them inside it')
  return { lstm, unicharset, recoder }
}
