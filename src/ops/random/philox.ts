// Random numbers that follow from a seed, from which run it is and from the place of each number.

/** How many words a block has. */
const WORDS = 4

/** Who draws: numbers of two draws have nothing to do with each other where one of these differs. */
export interface Draw {
  /** int32. */
  readonly seed: number
  /** Which of several that have the same seed. */
  readonly stream: number
  /** The least number, or the mean. */
  readonly first: number
  /** What numbers are below, or the standard deviation. */
  readonly second: number
}

/** The upper 32 bits of a product of unsigned numbers of 32 bits. Every sum stays below 2^32, which numbers of JavaScript hold exactly. */
function upperProduct(a: number, b: number): number {
  const lowA = a & 0xffff
  const highA = a >>> 16
  const lowB = b & 0xffff
  const highB = b >>> 16
  const middle = highA * lowB + ((lowA * lowB) >>> 16)
  return highA * highB + (middle >>> 16) + ((lowA * highB + (middle & 0xffff)) >>> 16)
}

/**
 * Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; 2011): words[0 to 3] from a counter of four words and
 * a key of two, of which the second is 0.
 */
export function philox(words: Int32Array, place: number, run: number, stream: number, attempt: number, seed: number): void {
  let second = 0
  for (let round = 0; round < 10; round++) {
    const left = upperProduct(place, 0xd2511f53)
    const right = upperProduct(stream, 0xcd9e8d57)
    const lowLeft = Math.imul(place, 0xd2511f53)
    const lowRight = Math.imul(stream, 0xcd9e8d57)
    place = right ^ run ^ seed
    run = lowRight
    stream = left ^ attempt ^ second
    attempt = lowLeft
    seed = (seed + 0x9e3779b9) | 0
    second = (second + 0xbb67ae85) | 0
  }
  words[0] = place
  words[1] = run
  words[2] = stream
  words[3] = attempt
}

/** out[n] = first + (second - first) u, u uniform in [0, 1): the upper 24 bits of a word for each. `words` is scratch. */
export function drawUniform(out: Float32Array, { seed, stream, first, second }: Draw, run: number, words: Int32Array): void {
  const range = second - first
  for (let n = 0; n < out.length; n++) {
    const word = n % WORDS
    if (word === 0) philox(words, n / WORDS, run, stream, 0, seed)
    out[n] = first + range * ((words[word] as number) >>> 8) * 2 ** -24
  }
}

/**
 * out[n] = first + second z, z normal, by Marsaglia's polar method: two numbers of a point in the unit circle, with another block where a point
 * lies outside. `words` is scratch.
 */
export function drawNormal(out: Float32Array, { seed, stream, first, second }: Draw, run: number, words: Int32Array): void {
  for (let n = 0; n < out.length; n += 2) {
    let attempt = 1
    let x: number
    let y: number
    let square: number
    do {
      philox(words, n / 2, run, stream, attempt++, seed)
      x = (words[0] as number) * 2 ** -31
      y = (words[1] as number) * 2 ** -31
      square = x * x + y * y
    } while (square >= 1 || square === 0)
    const factor = Math.sqrt(-2 * Math.log(square) / square)
    out[n] = first + second * (x * factor)
    if (n + 1 < out.length) out[n + 1] = first + second * (y * factor)
  }
}
