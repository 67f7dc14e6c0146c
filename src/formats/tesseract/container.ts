// The components of a .traineddata file, also in one that gzip packed.
import { Inflate } from 'fflate'
import { LstmError } from '../../errors.ts'
import type { Budget } from '../budget.ts'
import { inflateExactly } from '../zip/inflate.ts'
import { malformed } from './cursor.ts'
import { componentsOf, isGzip } from './header.ts'

/** Components have numbers; those that are read here. */
export const COMPONENTS = { 'lstm': 17, 'lstm-unicharset': 21, 'lstm-recoder': 22 } as const

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
    const [begin, size] = gzipMember(bytes)
    let beginning: Uint8Array | undefined
    new Inflate((chunk) => beginning ??= chunk.slice()).push(bytes.subarray(begin, Math.min(begin + PROBED_BYTES, bytes.length - GZIP_TRAILER_BYTES)))
    return beginning !== undefined && componentsOf(beginning, size) !== undefined
  } catch {
    return false
  }
}

/** Where the deflated bytes of a gzip file begin, and how many they become (RFC 1952). */
function gzipMember(bytes: Uint8Array): readonly [begin: number, size: number] {
  const flags = bytes[3] as number
  let begin = GZIP_HEADER_BYTES
  if (flags & 4) begin += 2 + ((bytes[begin] ?? 0) | ((bytes[begin + 1] ?? 0) << 8))
  // A name and a comment, each with a zero at its end.
  for (const flag of [8, 16]) if (flags & flag) begin = bytes.indexOf(0, begin) + 1 || bytes.length
  if (flags & 2) begin += 2
  if (begin + GZIP_TRAILER_BYTES > bytes.length) throw malformed(`expected a gzip file, got ${bytes.length} bytes that end in its header`)
  return [begin, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(bytes.length - 4, true)]
}

/** Bytes of the components that a line recogniser has. */
export type Components = Readonly<Record<keyof typeof COMPONENTS, Uint8Array>>

/**
 * @param budget what pays for what is inflated
 * @throws LstmError `FORMAT` for other files, `UNSUPPORTED` for those without a network, or with its characters inside it
 */
export function readComponents(file: Uint8Array, budget: Budget): Components {
  let bytes = file
  if (isGzip(file)) {
    const [begin, size] = gzipMember(file)
    if (size > MOST_INFLATED * file.length) throw malformed(`a gzip file of ${file.length} bytes that says it unpacks to ${size}: it is cut off, or lies`)
    bytes = inflateExactly(file.subarray(begin, file.length - GZIP_TRAILER_BYTES), size, 'traineddata: gzip', budget)
  }
  const found = componentsOf(bytes)
  if (found === undefined) throw malformed(`expected the number of components and their offsets, within ${bytes.length} bytes, one after the other`)
  if (found[COMPONENTS.lstm] === undefined) {
    throw new LstmError('UNSUPPORTED', "traineddata: a file without a network: it is for Tesseract's legacy engine only, as osd.traineddata is; take that of a language from tessdata_fast or tessdata_best")
  }
  const missing = (['lstm-unicharset', 'lstm-recoder'] as const).filter((name) => found[COMPONENTS[name]] === undefined)
  if (missing.length > 0) {
    throw new LstmError('UNSUPPORTED', `traineddata: expected the components ${missing.join(' and ')}: files of a format before Tesseract 4.0 have them inside the network`)
  }
  const component = (name: keyof typeof COMPONENTS): Uint8Array => bytes.subarray(...found[COMPONENTS[name]] as readonly [number, number])
  return { 'lstm': component('lstm'), 'lstm-unicharset': component('lstm-unicharset'), 'lstm-recoder': component('lstm-recoder') }
}
