// Arrays for inputs: of shapes with names in them, of numbers that somebody types, of files.
import { LstmError } from 'lstm-wasm'

const MAKERS = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array }
const TIME = /time|step|len|seq|frame|samples|^t$/i
const FEW_STEPS = 16

export const lengthOf = (shape) => shape.reduce((product, size) => product * size, 1)

/**
 * Sizes with a name in the inputs of a model, and what each is at first.
 * @param isState whether an input is a state: its sizes are those of a batch
 * @param known sizes that are known by their names
 */
export function namedSizes(inputs, isState, known = {}) {
  const sizes = new Map()
  for (const { name, shape } of inputs) {
    shape.forEach((size, axis) => {
      if (typeof size !== 'string' || sizes.has(size)) return
      sizes.set(size, known[size] ?? (!isState(name) && (TIME.test(size) || (axis > 0 && !/batch/i.test(size))) ? FEW_STEPS : 1))
    })
  }
  return sizes
}

/** A shape with numbers for its names; names like `2 * batch` are computed by the library, and 1 here. */
export const sized = (shape, sizes) => shape.map((size) => (typeof size === 'number' ? size : sizes.get(size) ?? 1))

/** Numbers that are the same for the same seed: from -1 to 1, or whole ones from 0 up to `most`. */
export function randomArray(dtype, shape, seed, most = 2) {
  let state = (Math.imul(seed + 1, 2654435761) ^ 0x9e3779b9) | 1
  const next = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
  const data = new MAKERS[dtype](lengthOf(shape))
  for (let n = 0; n < data.length; n++) data[n] = dtype === 'float32' ? 2 * next() - 1 : Math.floor(next() * most)
  return { dtype, shape, data }
}

export const zeroArray = (dtype, shape) => ({ dtype, shape, data: new MAKERS[dtype](lengthOf(shape)) })

/** Data in the shape of a port: what is not known yet follows from how many there are. @throws LstmError `SHAPE` */
export function fitted({ name, dtype, shape }, data, sizes) {
  const known = shape.map((size) => (typeof size === 'number' ? size : undefined))
  const product = known.reduce((all, size) => all * (size ?? 1), 1)
  const open = known.flatMap((size, axis) => (size === undefined ? [axis] : []))
  const result = [...known]
  // Of several unknown sizes the last one takes what there is: batches are 1 then.
  const last = open.findLast((axis) => TIME.test(String(shape[axis]))) ?? open.at(-1)
  for (const axis of open) result[axis] = axis === last ? undefined : open.length > 1 ? 1 : sizes.get(shape[axis])
  if (last !== undefined) result[last] = data.length / (product * open.filter((axis) => axis !== last).reduce((all, axis) => all * result[axis], 1))
  if (data.length === 0 || result.some((size) => !Number.isInteger(size)) || lengthOf(result) !== data.length) {
    throw new LstmError('SHAPE', `input '${name}': expected numbers for ${dtype} [${shape.join(', ')}], got ${data.length} numbers, which do not fill it`)
  }
  return { dtype, shape: result, data: data instanceof MAKERS[dtype] ? data : MAKERS[dtype].from(data) }
}

/** What somebody has typed: nested brackets, or numbers with spaces, commas or lines between them. @throws LstmError `VALUE` */
export function typedArray(port, text, sizes) {
  const trimmed = text.trim()
  if (/^\[\s*\[/.test(trimmed)) {
    const nested = parseJson(trimmed, port)
    const shape = []
    for (let at = nested; Array.isArray(at); at = at[0]) shape.push(at.length)
    const flat = nested.flat(Infinity)
    checkNumbers(flat, port)
    if (lengthOf(shape) !== flat.length) throw new LstmError('SHAPE', `input '${port.name}': expected rows of equal lengths, got ${flat.length} numbers in [${shape.join(', ')}]`)
    if (shape.length === port.shape.length) return { dtype: port.dtype, shape, data: MAKERS[port.dtype].from(flat) }
    return fitted(port, flat, sizes)
  }
  const flat = lineNumbers(trimmed.replace(/^\[|\]$/g, ''))
  checkNumbers(flat, port, trimmed)
  return fitted(port, flat, sizes)
}

function parseJson(text, { name }) {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new LstmError('VALUE', `input '${name}': expected numbers in brackets, got text that is no JSON: ${cause.message}`, { cause })
  }
}

function checkNumbers(flat, { name, dtype }, text = '') {
  const wrong = flat.findIndex((value) => typeof value !== 'number' || Number.isNaN(value) || (dtype !== 'float32' && !Number.isInteger(value)))
  if (wrong < 0) return
  const got = text === '' ? JSON.stringify(flat[wrong]) : `'${text.replace(/^\[|\]$/g, '').split(/[\s,;]+/).filter(Boolean)[wrong]}'`
  throw new LstmError('VALUE', `input '${name}': expected ${dtype === 'float32' ? 'numbers' : 'whole numbers'}, got ${got} at position ${wrong + 1}`)
}

/** Numbers of a line: commas, semicolons, tabs or spaces between them; NaN for what is none. */
export const lineNumbers = (line) => line.split(/[\s,;]+/).filter(Boolean).map(Number)

/** Numbers in a file of text with rows, a row of names at most at the top. */
export function numbersOfText(text, name) {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '')
  const rows = lines.map(lineNumbers)
  if (rows[0]?.some(Number.isNaN)) rows.shift()
  const flat = rows.flat()
  if (flat.length === 0 || flat.some(Number.isNaN)) throw new LstmError('FORMAT', `${name}: expected numbers, got text that is none`)
  return flat
}

/** Text as numbers: places in the vocabulary, or code points where there is none. @returns the numbers, and characters that are not known */
export function textNumbers(text, vocabulary, dtype) {
  if (vocabulary === undefined) return { numbers: dtype === 'uint8' ? [...new TextEncoder().encode(text)] : [...text].map((character) => character.codePointAt(0)), unknown: [] }
  const places = new Map([...vocabulary].map((character, n) => [character, n]))
  const characters = [...text]
  return {
    numbers: characters.filter((character) => places.has(character)).map((character) => places.get(character)),
    unknown: [...new Set(characters.filter((character) => !places.has(character)))],
  }
}

/** What a divider of words says of each character: a word begins, goes on, ends, or is this character alone. */
export const WORD_LABELS = 'BIES'

/** Words of a text. @param scores of the labels, [characters, 4] */
export function dividedText(numbers, scores, vocabulary) {
  const characters = [...vocabulary]
  const words = []
  numbers.forEach((number, n) => {
    const row = [...scores.subarray(n * WORD_LABELS.length, (n + 1) * WORD_LABELS.length)]
    if (n === 0 || 'BS'.includes(WORD_LABELS[row.indexOf(Math.max(...row))])) words.push('')
    words[words.length - 1] += characters[number]
  })
  return words
}

/** A text whose words have spaces between them, without the spaces: the place of its label for each character. */
export function labelsOfWords(text) {
  return text.split(/\s+/).filter(Boolean).flatMap((word) => {
    const { length } = [...word]
    return Array.from({ length }, (_, n) => WORD_LABELS.indexOf(length === 1 ? 'S' : n === 0 ? 'B' : n === length - 1 ? 'E' : 'I'))
  })
}

/** How many words an embedding has that an input goes into: whole numbers stay below that. Undefined for other inputs. */
export function mostOf({ name, dtype }, model) {
  if (dtype === 'float32') return undefined
  const graph = model.toGraph()
  const node = graph.nodes.find(({ inputs }) => inputs.includes(name))
  const weight = Object.values(node?.parameters ?? {}).map((constant) => graph.constants.get(constant)).find((constant) => constant?.shape.length === 2)
  return weight?.shape[0] ?? 2
}

/** Values as text for an editor, a line for each of the last axis. */
export function arrayText({ shape, data }) {
  const width = shape.at(-1) ?? 1
  const lines = []
  for (let at = 0; at < data.length; at += width) lines.push(Array.from(data.subarray(at, at + width), (value) => String(Number(value.toPrecision(6)))).join(' '))
  return lines.join('\n')
}
