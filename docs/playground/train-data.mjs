// Examples to train with: rows of one input, each with what should come out; from tables, arrays, sounds, text, or the input of the page.
import { LstmError } from 'lstm-wasm'
import { readNpy } from 'lstm-wasm/npy'
import { samplesOf } from './sources.mjs'
import { fitted, labelsOfWords, lengthOf, lineNumbers, mostOf, textNumbers } from './values.mjs'

const TARGET_NAME = /^(y|targets?|labels?|out(put)?s?)\b/i

/** The loss that goes with the end of a model: a softmax is of classes, a sigmoid of yes and no. */
export function usualLoss({ nodes, outputs }) {
  const last = nodes.find((node) => node.outputs.includes(outputs[0].value))
  return { softmax: 'sparseCategoricalCrossentropy', sigmoid: 'binaryCrossentropy' }[last?.op] ?? 'meanSquaredError'
}

/**
 * What examples of a model look like.
 * @param model what is trained
 * @param isState whether an input is a state: nobody gives it
 * @param isSparse whether a target is the number of a class, not numbers like the output
 * @returns `port`: the input; `perStep`: whether each timestep has a target; `columns` of a target; `features` of a timestep; `isSparse`; `isNext`: whether
 *   the next timestep can be the target
 * @throws LstmError `UNSUPPORTED` for a model that needs more than one input
 */
export function formOf(model, isState, isSparse) {
  const needed = model.inputs.filter(({ name, optional }) => !optional && !isState(name))
  const [port] = needed
  if (needed.length !== 1) {
    throw new LstmError('UNSUPPORTED', `this page makes examples for models of one input, and this one has ${needed.length}: lstm-wasm/training trains them with arrays by name`)
  }
  const [output] = model.outputs
  const perStep = output.shape.length === 3 && output.shape[1] === port.shape[1]
  const classes = output.shape.at(-1)
  if (typeof classes !== 'number') throw new LstmError('UNSUPPORTED', `output '${output.name}' is [${output.shape.join(', ')}]: this page trains outputs whose last axis is known`)
  const features = lengthOf(port.shape.slice(2))
  const columns = isSparse ? 1 : classes
  return { port, perStep, isSparse, classes, columns, features, isNext: isSparse ? mostOf(port, model) === classes : features === columns }
}

/** In words, for who looks for data: what a line of a table is. */
export function formText({ port, perStep, isSparse, classes, columns, features, isNext }) {
  const target = isSparse ? `the number of a class, 0 to ${classes - 1}` : `${columns === 1 ? 'the number' : `${columns} numbers`} that should come out`
  if (perStep) {
    const next = isNext ? ' Where targets are left out, the next line is the target.' : ''
    return `A line of a table is one timestep: ${features === 1 ? 'one number' : `${features} numbers`}, then ${target}.${next}`
  }
  const sizes = port.shape.slice(1)
  const numbers = sizes.every((size) => typeof size === 'number') ? `${lengthOf(sizes)} numbers` : `${features === 1 ? 'a number' : `${features} numbers`} for every timestep`
  return `A line of a table is one example: ${numbers}, then ${target}.`
}

/**
 * Examples of one file, or of two: one with inputs and one with targets, told apart by their names, or by their order.
 * @param form as `formOf` gives it
 * @param reading `timesteps` of an example that is cut from a longer sequence; `vocabulary` of texts
 * @returns `{ x, y, about }`: arrays whose first axis is the examples, and words about what was left out
 * @throws LstmError for what is no such table
 */
export async function examplesOfFiles(files, form, { timesteps, vocabulary }) {
  if (files.length > 2) throw new LstmError('VALUE', `expected one file, or one with inputs and one with targets; got ${files.length}`)
  const sorted = [...files].sort((a, b) => Number(TARGET_NAME.test(a.name)) - Number(TARGET_NAME.test(b.name)))
  const [inputs, targets] = await Promise.all(sorted.map((file) => tableOfFile(file, form, vocabulary)))
  if (targets === undefined) return examplesOfTable(inputs, form, timesteps)
  if (isWhole(inputs, form)) {
    const shape = targetShape(inputs.shape, form)
    return { x: typed(form.port.dtype, inputs), y: typed(targetType(form), { ...targets, shape: lengthOf(shape) === targets.data.length ? shape : targets.shape }), about: '' }
  }
  return examplesOfTable(beside(inputs, targets), form, timesteps)
}

/** One array as an example: what the input of the page is now, or a drawing. @throws LstmError where the target does not fit */
export function exampleOf(input, text, form) {
  const { isSparse, classes } = form
  const target = lineNumbers(text)
  const shape = targetShape(input.shape, form)
  const wanted = lengthOf(shape)
  if (target.length !== wanted || target.some(Number.isNaN)) {
    throw new LstmError('VALUE', `target: expected ${wanted === 1 ? 'one number' : `${wanted} numbers`}${isSparse ? `, 0 to ${classes - 1}` : ''}, got ${text.trim() === '' ? 'none' : `'${text.trim()}'`}`)
  }
  return { x: input, y: typed(targetType(form), { shape, data: target }), about: '' }
}

/** Text: the next character is the target, or, for a model that divides words, where its words begin and end. @throws LstmError where there is none */
export function examplesOfText(text, form, { timesteps, vocabulary }) {
  const { numbers, unknown } = textNumbers(form.isNext ? text : text.replace(/\s+/g, ''), vocabulary, form.port.dtype)
  const characters = { shape: [numbers.length, 1], data: numbers }
  const known = (word) => textNumbers(word, vocabulary, form.port.dtype).numbers.map(() => 'x').join('')
  const labels = form.isNext ? [] : labelsOfWords(text.split(/\s+/).map(known).join(' '))
  const table = form.isNext ? characters : beside(characters, { shape: [labels.length, 1], data: labels })
  const { about, ...examples } = examplesOfTable(table, form, timesteps)
  const left = unknown.length === 0 ? '' : `The model does not know ${unknown.slice(0, 20).map((character) => `“${character}”`).join(', ')}: left out.`
  return { ...examples, about: [about, left].filter(Boolean).join(' ') }
}

/** Examples that are added one after the other. */
export class Examples {
  #parts = []

  get count() {
    return this.#parts.reduce((sum, { x }) => sum + x.shape[0], 0)
  }

  /** @throws LstmError `SHAPE` for examples of another shape than those before */
  add(part) {
    const [first] = this.#parts
    for (const name of ['x', 'y']) {
      const [shape, other] = [part, first ?? part].map((each) => each[name].shape.slice(1).join(', '))
      if (shape !== other) throw new LstmError('SHAPE', `examples: expected [${other}] as those before, got [${shape}]; clear them first, or make them as long`)
    }
    this.#parts.push(part)
  }

  clear() {
    this.#parts = []
  }

  /** All of them as one: `{ x, y }`. */
  get all() {
    return Object.fromEntries(['x', 'y'].map((name) => {
      const arrays = this.#parts.map((part) => part[name])
      const { dtype, shape, data } = arrays[0]
      const whole = new data.constructor(arrays.reduce((sum, array) => sum + array.data.length, 0))
      let at = 0
      for (const array of arrays) {
        whole.set(array.data, at)
        at += array.data.length
      }
      return [name, { dtype, shape: [this.count, ...shape.slice(1)], data: whole }]
    }))
  }
}

const targetType = ({ isSparse }) => (isSparse ? 'int32' : 'float32')

/** Of the targets of inputs with a shape. */
const targetShape = ([count, length], { perStep, isSparse, columns }) => [count, ...(perStep ? [length] : []), ...(isSparse ? [] : [columns])]

/** Whether an array is examples as the model takes them, not a table of lines. */
function isWhole({ shape }, { port, perStep }) {
  return shape.length === port.shape.length && (shape.length > 2 || (perStep && shape[1] > 1))
}

/** A file as numbers with a shape: lines and columns of a table, an array of NumPy, the samples of a sound, characters. */
async function tableOfFile(file, { port }, vocabulary) {
  const { name } = file
  if (/\.npy$/i.test(name)) {
    const { shape, data } = await readNpy(await file.arrayBuffer())
    return { name, shape, data }
  }
  if (/\.(wav|mp3|ogg|flac|m4a)$/i.test(name)) {
    const samples = await samplesOf(await file.arrayBuffer(), name)
    return { name, shape: [samples.length, 1], data: samples }
  }
  const text = await file.text()
  if (/\.txt$/i.test(name) && port.dtype !== 'float32') {
    const { numbers } = textNumbers(text, vocabulary, port.dtype)
    return { name, shape: [numbers.length, 1], data: numbers }
  }
  return { name, ...tableOfText(text, name) }
}

/** Lines of numbers, all of one length; a first line of names is skipped. @throws LstmError `FORMAT` with the line */
function tableOfText(text, name) {
  const lines = text.replace(/^\ufeff/, '').trimEnd().split(/\r?\n/)
  const begin = lineNumbers(lines[0]).some(Number.isNaN) ? 1 : 0
  const rows = lines.slice(begin).map(lineNumbers)
  const columns = rows[0]?.length ?? 0
  if (columns === 0) throw new LstmError('FORMAT', `${name}: expected lines of numbers, got none`)
  rows.forEach((row, n) => {
    const where = `${name}: line ${n + begin + 1}`
    if (row.length !== columns) throw new LstmError('FORMAT', `${where}: expected ${columns} numbers as in the first line, got ${row.length}`)
    if (row.some(Number.isNaN)) throw new LstmError('FORMAT', `${where}: expected numbers, got ${JSON.stringify(lines[n + begin].slice(0, 60))}`)
  })
  return { shape: [rows.length, columns], data: Float64Array.from(rows.flat()) }
}

const tableSizes = ({ shape }) => [shape[0], lengthOf(shape.slice(1))]

/** Columns of two tables, those of the targets last. */
function beside(inputs, targets) {
  const [[rows, left], [others, right]] = [inputs, targets].map(tableSizes)
  if (rows !== others) throw new LstmError('SHAPE', `expected as many targets as inputs, got ${rows} lines in ${inputs.name}, ${others} in ${targets.name}`)
  const data = new Float64Array(rows * (left + right))
  for (let row = 0; row < rows; row++) {
    data.set(inputs.data.slice(row * left, (row + 1) * left), row * (left + right))
    data.set(targets.data.slice(row * right, (row + 1) * right), row * (left + right) + left)
  }
  return { shape: [rows, left + right], data, name: inputs.name }
}

/** `width` columns of a table from `from` on, row by row: of all rows, or of some. */
function columnsOf(table, from, width, [begin, end] = [0, table.shape[0]]) {
  const [, all] = tableSizes(table)
  return Float64Array.from({ length: (end - begin) * width }, (_, n) => table.data[(begin + Math.floor(n / width)) * all + from + n % width])
}

function examplesOfTable(table, form, timesteps) {
  if (!form.perStep) return examplesOfLines(table, form)
  // One sequence in an array of sequences is a table.
  return examplesOfSteps(table.shape.length === 3 && table.shape[0] === 1 ? { ...table, shape: table.shape.slice(1) } : table, form, timesteps)
}

/** A line is an example. */
function examplesOfLines(table, form) {
  const { port, columns } = form
  const [rows, all] = tableSizes(table)
  const width = all - columns
  const sizes = port.shape.slice(1)
  const known = sizes.reduce((product, size) => product * (typeof size === 'number' ? size : 1), 1)
  const open = sizes.findIndex((size) => typeof size === 'string')
  if (width < 1 || width % known !== 0 || (open < 0 && width !== known)) {
    const wanted = open < 0 ? `${known} numbers` : `numbers in pieces of ${known}`
    throw new LstmError('SHAPE', `examples: expected lines of ${wanted} and ${columns} of the target, got ${all} in a line`)
  }
  const shape = sizes.map((size) => (typeof size === 'number' ? size : width / known))
  return {
    x: typed(port.dtype, { shape: [rows, ...shape], data: columnsOf(table, 0, width) }),
    y: typed(targetType(form), { shape: targetShape([rows], form), data: columnsOf(table, width, columns) }), about: '',
  }
}

/** A line is a timestep: sequences are cut from it, one after the other. */
function examplesOfSteps(table, form, timesteps) {
  const { port, columns, features } = form
  const [rows, all] = tableSizes(table)
  const isNext = all === features && form.isNext
  if (!isNext && all !== features + columns) {
    throw new LstmError('SHAPE', `examples: expected lines of ${features} and ${columns} of the target${form.isNext ? `, or of ${features} where the next line is the target` : ''}, got ${all} in a line`)
  }
  const steps = isNext ? rows - 1 : rows
  const length = typeof port.shape[1] === 'number' ? port.shape[1] : Math.min(timesteps, steps)
  const count = Math.floor(steps / Math.max(1, length))
  if (count < 1) throw new LstmError('SHAPE', `examples: expected ${typeof port.shape[1] === 'number' ? port.shape[1] : 1} timesteps and their targets or more, got ${rows} lines`)
  const used = count * length
  const left = steps - used
  const targets = isNext ? columnsOf(table, 0, columns, [1, used + 1]) : columnsOf(table, features, columns, [0, used])
  return {
    x: typed(port.dtype, { shape: [count, length, ...port.shape.slice(2)], data: columnsOf(table, 0, features, [0, used]) }),
    y: typed(targetType(form), { shape: targetShape([count, length], form), data: targets }),
    about: left === 0 ? '' : `What is left at the end, ${left} of ${steps} timesteps, is no whole example.`,
  }
}

/** @throws LstmError `VALUE` for whole numbers that are none */
function typed(dtype, { shape, data }) {
  const { data: result } = fitted({ name: 'examples', dtype, shape }, data, new Map())
  const wrong = dtype === 'float32' ? -1 : result.findIndex((value, n) => value !== data[n])
  if (wrong >= 0) throw new LstmError('VALUE', `examples: expected whole numbers, got ${data[wrong]}`)
  return { dtype, shape, data: result }
}
