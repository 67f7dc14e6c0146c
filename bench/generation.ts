// Text generation, a character a call: every engine draws from its own probabilities with the same random numbers, so that
// engines that agree write the same text.
import { pseudoRandom } from './random.ts'

/** Numbers in [0, 1), one a character. */
const CHANCES_SEED = 77

export function chancesOf(length: number) {
  return Float64Array.from(pseudoRandom(CHANCES_SEED, length, 1), (value) => (value + 1) / 2)
}

/** The first class at which the probabilities so far exceed `chance`. */
export function draw(probabilities: ArrayLike<number>, chance: number) {
  let sum = 0
  for (let n = 0; n < probabilities.length; n++) {
    sum += probabilities[n]
    if (sum > chance) return n
  }
  return probabilities.length - 1
}

/** What a generation gives to compare: all tokens, then the probabilities of the last one. */
export function generated(tokens: ArrayLike<number>, probabilities: ArrayLike<number>) {
  const result = new Float64Array(tokens.length + probabilities.length)
  result.set(tokens)
  result.set(probabilities, tokens.length)
  return result
}
