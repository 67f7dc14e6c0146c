// Broken files by the thousand: every reader must answer each with a result or an LstmError.
import { LstmError } from '../../src/errors.ts'

/** Repeated, these are numbers at the edges of what fits: lengths that nobody has. */
const HUGE = [0xff, 0x7f, 0x80, 0x00, 0x01, 0x3f, 0xfe]

/** A generator of uint32 (mulberry32): the same numbers for the same seed. */
function randomOf(seed: number): Random {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let z = Math.imul(state ^ (state >>> 15), state | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return ((z ^ (z >>> 14)) >>> 0) % below
  }
}

type Random = (below: number) => number

function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let position = 0
  for (const part of parts) {
    result.set(part, position)
    position += part.length
  }
  return result
}

/** One byte replaced. */
function withByte(bytes: Uint8Array, at: number, change: (byte: number) => number): Uint8Array {
  const result = Uint8Array.from(bytes)
  if (at < bytes.length) result[at] = change(bytes[at] as number)
  return result
}

/** Ways to break a file at a place. */
const CHANGES: readonly ((bytes: Uint8Array, at: number, random: Random) => Uint8Array)[] = [
  (bytes, at, random) => withByte(bytes, at, (byte) => byte ^ (1 << random(8))),
  (bytes, at, random) => withByte(bytes, at, () => random(256)),
  // A number that is off by one.
  (bytes, at, random) => withByte(bytes, at, (byte) => byte + (random(2) === 0 ? 1 : 255)),
  (bytes, at, random) => join(bytes.subarray(0, at), Uint8Array.from({ length: 1 + random(8) }, () => random(256)), bytes.subarray(at)),
  (bytes, at, random) => join(bytes.subarray(0, at), bytes.subarray(at + 1 + random(8))),
  (bytes, at) => bytes.slice(0, at),
  // A piece of the file where another was.
  (bytes, at, random) => {
    const from = random(bytes.length + 1)
    return join(bytes.subarray(0, at), bytes.subarray(from, from + 1 + random(64)), bytes.subarray(at + random(64)))
  },
  (bytes, at, random) => Uint8Array.from(bytes).fill(HUGE[random(HUGE.length)] as number, at, at + (1 << random(4))),
]

/** A copy of `bytes` with one to four changes. */
function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  let result = bytes
  for (let changes = 1 + random(4); changes > 0; changes--) {
    const change = CHANGES[random(CHANGES.length)] as typeof CHANGES[number]
    result = change(result, random(result.length + 1), random)
  }
  return result
}

/** Of every 10,000 files for a format: an eighth in `npm test`, FUZZ_CASES in `npm run fuzz` and `.ci/run`. */
const TIMES = Number(process.env.FUZZ_CASES ?? 1250) / 10_000
/** Added to all seeds: FUZZ_SEED makes other files of the same ones. */
const SEED = Number(process.env.FUZZ_SEED ?? 0)
console.log(`FUZZ_SEED=${SEED}`)

/**
 * Runs mutations of `bytes`: `count` where FUZZ_CASES is 10,000. Fails for anything thrown but an LstmError of code FORMAT, UNSUPPORTED, SHAPE or
 * VALUE; the message says how to make the bytes again. How much work a file may be, readers count themselves.
 * @returns how many of `count` were read, and how many refused
 */
export async function mutateMany(
  bytes: Uint8Array, count: number, seed: number, run: (bytes: Uint8Array) => unknown,
): Promise<{ read: number, refused: number }> {
  const cases = Math.ceil(count * TIMES)
  let read = 0
  for (let n = 0; n < cases; n++) {
    const mutated = mutate(bytes, randomOf(SEED + seed + n))
    try {
      await run(mutated)
      read++
    } catch (error) {
      const expected = error instanceof LstmError && ['FORMAT', 'UNSUPPORTED', 'SHAPE', 'VALUE', 'ENVIRONMENT'].includes(error.code)
      if (!expected) throw new Error(`mutate(bytes, randomOf(${SEED + seed + n})): ${String(error)}`, { cause: error })
    }
  }
  return { read: read * count / cases, refused: (cases - read) * count / cases }
}
