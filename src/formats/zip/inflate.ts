import { Inflate } from 'fflate'
import { LstmError } from '../../errors.ts'
import type { Budget } from '../budget.ts'

/** Deflate makes at most 1032 bytes of one: so a slice cannot become more than 8 MB before it is looked at. */
const SLICE_BYTES = 8192

/**
 * Inflates a raw deflate stream that must give exactly `size` bytes; one that gives more is left as soon as it does.
 *
 * @param budget what pays for it
 * @throws LstmError `FORMAT`
 */
export function inflateExactly(deflated: Uint8Array, size: number, what: string, budget: Budget): Uint8Array<ArrayBuffer> {
  budget.inflate(deflated.length, size, what)
  const inflated = new Uint8Array(size)
  let length = 0
  const stream = new Inflate((chunk) => {
    if (chunk.length > size - length) throw new LstmError('FORMAT', `${what}: expected ${size} bytes when inflated, got more`)
    inflated.set(chunk, length)
    length += chunk.length
  })
  try {
    for (let begin = 0; begin < deflated.length; begin += SLICE_BYTES) {
      stream.push(deflated.subarray(begin, begin + SLICE_BYTES), begin + SLICE_BYTES >= deflated.length)
    }
  } catch (cause) {
    if (cause instanceof LstmError) throw cause
    throw new LstmError('FORMAT', `${what}: its compressed bytes are broken: ${String(cause)}`, { cause })
  }
  if (length !== size) throw new LstmError('FORMAT', `${what}: expected ${size} bytes when inflated, got ${length}`)
  return inflated
}
