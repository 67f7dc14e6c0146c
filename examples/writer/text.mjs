// A text as numbers: what a model that writes character by character learns from.

/** How many pieces are read side by side, and how many characters of each at a time. */
export const SIZES = { rows: 32, timesteps: 64 }

const MOST_CHARACTERS = 2_000_000
const MOST_DIFFERENT = 256
/** Characters that occur less often are left out: there is too little to learn from. */
const LEAST_OCCURRENCES = 5
/** The last share of a text is kept from training. */
const HELD_OUT = 0.05

/**
 * @param text a text of any script; each paragraph becomes a line
 * @returns { characters, indices, left, cut }: the different characters in order; Int32Array, the text in numbers of them; characters that were left
 *   out because they hardly occur; how many characters at the end were too many
 * @throws Error for a text that is too short
 */
export function readText(text) {
  const whole = [...paragraphsOf(text)]
  const letters = whole.slice(0, MOST_CHARACTERS)
  const counts = new Map()
  for (const letter of letters) counts.set(letter, (counts.get(letter) ?? 0) + 1)
  const often = [...counts].sort(([, a], [, b]) => b - a).slice(0, MOST_DIFFERENT).filter(([, count]) => count >= LEAST_OCCURRENCES)
  // A line end stands before every beginning.
  const characters = [...new Set(['\n', ...often.map(([letter]) => letter)])].sort()
  const numbers = new Map(characters.map((letter, n) => [letter, n]))
  const indices = Int32Array.from(letters.filter((letter) => numbers.has(letter)), (letter) => numbers.get(letter))
  return { characters, indices, left: [...counts.keys()].filter((letter) => !numbers.has(letter)).sort(), cut: whole.length - letters.length }
}

/**
 * Batches for truncated backpropagation: the text is cut into `rows` long pieces, which are read on side by side, `timesteps` characters at a time.
 * Row r of a batch goes on where row r of the batch before it ended.
 * @returns { batches, heldOut }: a function that yields { x, y } of int32 [rows, timesteps], y being the character after each; how many there are;
 *   the indices that are kept from training
 */
export function cutText(indices, { rows, timesteps }) {
  const heldOut = indices.subarray(Math.floor(indices.length * (1 - HELD_OUT)))
  const length = Math.floor((indices.length - heldOut.length - 1) / rows)
  const count = Math.floor(length / timesteps)
  if (count < 1 || heldOut.length < 2) {
    throw new Error(`the text has ${indices.length} characters that occur more than a few times: expected ${Math.ceil((rows * timesteps + 1) / (1 - HELD_OUT)) + rows} or more`)
  }
  const window = (begin) => {
    const data = new Int32Array(rows * timesteps)
    for (let row = 0; row < rows; row++) data.set(indices.subarray(row * length + begin, row * length + begin + timesteps), row * timesteps)
    return { dtype: 'int32', shape: [rows, timesteps], data }
  }
  return {
    count, heldOut,
    * batches() {
      for (let n = 0; n < count; n++) yield { x: window(n * timesteps), y: window(n * timesteps + 1) }
    },
  }
}

function paragraphsOf(text) {
  const paragraphs = text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n').split(/\n\s*\n/)
  return paragraphs.map((paragraph) => paragraph.trim().split(/\s+/).join(' ')).filter(Boolean).join('\n')
}
