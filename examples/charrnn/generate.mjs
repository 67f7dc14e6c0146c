// The sampling loop: the model reads a text, then goes on reading what it has written itself.

/**
 * Writes without end, a character at a time.
 *
 * @param prompt what stands before; characters that the model does not know are left out
 * @param temperature 1: as likely as the model thinks; towards 0: always the likeliest one; more: bolder, and more nonsense.
 *   Asked for each character: a function may answer
 * @param random numbers from 0 to 1
 */
export function* generate({ model, characters }, { prompt, temperature, random = Math.random }) {
  const numbers = new Map(characters.map((character, n) => [character, n]))
  const stream = model.stream()
  const input = new Int32Array(1)
  const logits = new Float32Array(characters.length)
  try {
    // Something must stand before the first character: a line ends, and a new one begins.
    const before = [...`\n${prompt}`].filter((character) => numbers.has(character))
    for (const character of before) {
      input[0] = numbers.get(character)
      stream.step(input, logits)
    }
    for (;;) {
      input[0] = sample(logits, typeof temperature === 'function' ? temperature() : temperature, random())
      yield characters[input[0]]
      stream.step(input, logits)
    }
  } finally {
    stream.dispose()
  }
}

/** A number drawn from softmax(logits / temperature); `chance` from 0 to 1 says which. */
function sample(logits, temperature, chance) {
  const most = logits.reduce((a, b) => Math.max(a, b))
  const divisor = Math.max(temperature, 1e-3)
  const weightOf = (logit) => Math.exp((logit - most) / divisor)
  let rest = chance * logits.reduce((sum, logit) => sum + weightOf(logit), 0)
  for (let n = 0; n < logits.length; n++) {
    rest -= weightOf(logits[n])
    if (rest < 0) return n
  }
  return logits.indexOf(most) // rounding has left a little of the rest
}

/** Numbers from 0 to 1 that are the same for the same seed (G. Marsaglia's xorshift, 2003). */
export function seeded(seed) {
  let state = (Math.imul(seed, 2654435761) ^ 0x9e3779b9) | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}
