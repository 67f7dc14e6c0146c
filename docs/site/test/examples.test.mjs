// Examples that somebody brings to train with: tables, arrays, text; each becomes rows with targets, or a word about what is wrong.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { writeNpy } from '../../../dist/npy.js'
import { exampleOf, Examples, examplesOfFiles, examplesOfText, formOf, formText } from '../../playground/train-data.mjs'

const port = (name, shape, more) => ({ name, dtype: 'float32', shape, ...more })
/** @param words of the embedding that whole numbers go into */
const modelOf = (inputs, output, words = 5) => ({
  inputs, outputs: [port('y', output)],
  toGraph: () => ({ nodes: [{ inputs: ['x'], parameters: { weight: 'w' } }], constants: new Map([['w', { shape: [words, 2] }]]) }),
})
const isState = (name) => name === 'h'
const file = (name, content) => new File([content], name)
const lines = (rows) => rows.map((row) => row.join(',')).join('\n')
const READING = { timesteps: 4 }

/** What the models of the playground want. */
const FORMS = {
  digits: () => formOf(modelOf([port('rows', ['batch', 2, 3])], ['batch', 10]), isState, true),
  forecast: () => formOf(modelOf([port('x', ['batch', 'timesteps', 1]), port('h', [1, 'batch', 5])], ['batch', 'timesteps', 1]), isState, false),
  wide: () => formOf(modelOf([port('x', ['batch', 'timesteps', 2])], ['batch', 'timesteps', 3]), isState, false),
  last: () => formOf(modelOf([port('x', ['batch', 'timesteps', 2])], ['batch', 1]), isState, false),
  text: () => formOf(modelOf([{ ...port('x', ['batch', 'timesteps']), dtype: 'int32' }], ['batch', 'timesteps', 5]), isState, true),
}
const divider = () => formOf(modelOf([{ ...port('x', ['batch', 'timesteps']), dtype: 'int32' }], ['batch', 'timesteps', 4]), isState, true)
const shown = ({ x, y }) => ({ x: { ...x, data: [...x.data] }, y: { ...y, data: [...y.data] } })

describe('forms', () => {
  test('are told in words', () => {
    assert.equal(formText(FORMS.digits()), 'A line of a table is one example: 6 numbers, then the number of a class, 0 to 9.')
    assert.match(formText(FORMS.forecast()), /^A line of a table is one timestep: one number, then the number .* Where targets are left out, the next line is/)
    assert.equal(formText(FORMS.wide()), 'A line of a table is one timestep: 2 numbers, then 3 numbers that should come out.')
    assert.equal(formText(FORMS.last()), 'A line of a table is one example: 2 numbers for every timestep, then the number that should come out.')
  })

  test('of two inputs are none', () => {
    const model = modelOf([port('a', ['batch', 3]), port('b', ['batch', 3])], ['batch', 1])
    assert.throws(() => formOf(model, isState, false), { code: 'UNSUPPORTED', message: /models of one input, and this one has 2/ })
    assert.equal(formOf(modelOf([port('a', ['batch', 3]), port('b', ['batch', 3], { optional: true })], ['batch', 1]), isState, false).port.name, 'a')
  })
})

describe('a table', () => {
  test('of examples, with a line of names and a byte order mark', async () => {
    const examples = await examplesOfFiles([file('a.csv', `\ufeffa,b,c,d,e,f,label\n${lines([[1, 2, 3, 4, 5, 6, 9], [7, 8, 9, 10, 11, 12, 0]])}\n`)], FORMS.digits(), READING)
    assert.deepEqual(shown(examples), {
      x: { dtype: 'float32', shape: [2, 2, 3], data: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] }, y: { dtype: 'int32', shape: [2], data: [9, 0] },
    })
  })

  test('of examples whose timesteps follow from their length', async () => {
    const { x, y } = shown(await examplesOfFiles([file('a.csv', '1 2 3 4 5 6 0.5\n7 8 9 10 11 12 -0.5')], FORMS.last(), READING))
    assert.deepEqual([x.shape, x.data, y], [[2, 3, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], { dtype: 'float32', shape: [2, 1], data: [0.5, -0.5] }])
  })

  test('of timesteps is cut; the next line is the target', async () => {
    const { about, ...examples } = await examplesOfFiles([file('load.csv', Array.from({ length: 11 }, (_, n) => n).join('\n'))], FORMS.forecast(), READING)
    assert.deepEqual(shown(examples), {
      x: { dtype: 'float32', shape: [2, 4, 1], data: [0, 1, 2, 3, 4, 5, 6, 7] }, y: { dtype: 'float32', shape: [2, 4, 1], data: [1, 2, 3, 4, 5, 6, 7, 8] },
    })
    assert.equal(about, 'What is left at the end, 2 of 10 timesteps, is no whole example.')
  })

  test('of timesteps with their targets', async () => {
    const { x, y } = shown(await examplesOfFiles([file('a.csv', lines([[1, 2, 30, 31, 32], [3, 4, 40, 41, 42]]))], FORMS.wide(), READING))
    assert.deepEqual([x.shape, x.data, y.shape, y.data], [[1, 2, 2], [1, 2, 3, 4], [1, 2, 3], [30, 31, 32, 40, 41, 42]])
  })

  test('of inputs beside one of targets, told apart by their names', async () => {
    const files = [file('targets.csv', '30 31 32\n40 41 42'), file('values.csv', '1,2\n3,4')]
    const { x, y } = shown(await examplesOfFiles(files, FORMS.wide(), READING))
    assert.deepEqual([x.data, y.data], [[1, 2, 3, 4], [30, 31, 32, 40, 41, 42]])
  })

  test('that is none', async () => {
    for (const [form, content, message] of [
      [FORMS.digits(), '1,2,3', { code: 'SHAPE', message: /expected lines of 6 numbers and 1 of the target, got 3 in a line/ }],
      [FORMS.digits(), '1,2,3,4,5,6,7\n1,2', { code: 'FORMAT', message: /a\.csv: line 2: expected 7 numbers as in the first line, got 2/ }],
      [FORMS.digits(), '1,2,3,4,5,6,7\n1,2,3,4,5,six,7', { code: 'FORMAT', message: /line 2: expected numbers, got "1,2,3,4,5,six,7"/ }],
      [FORMS.digits(), '1,2,3,4,5,6,1.5', { code: 'VALUE', message: /expected whole numbers, got 1\.5/ }],
      [FORMS.last(), '1,2,3,4', { code: 'SHAPE', message: /expected lines of numbers in pieces of 2 and 1 of the target, got 4/ }],
      [FORMS.wide(), '1,2,3', { code: 'SHAPE', message: /expected lines of 2 and 3 of the target, got 3/ }],
      [FORMS.forecast(), '5', { code: 'SHAPE', message: /expected 1 timesteps and their targets or more, got 1 lines/ }],
      [FORMS.forecast(), '', { code: 'FORMAT', message: /a\.csv: expected lines of numbers, got none/ }],
    ]) await assert.rejects(examplesOfFiles([file('a.csv', content)], form, READING), message)
    await assert.rejects(examplesOfFiles([file('x.csv', '1\n2\n3'), file('y.csv', '1\n2')], FORMS.forecast(), READING), { message: /got 3 lines in x\.csv, 2 in y\.csv/ })
    await assert.rejects(examplesOfFiles([1, 2, 3].map((n) => file(`${n}.csv`, '1')), FORMS.forecast(), READING), { code: 'VALUE', message: /got 3/ })
  })
})

test('arrays of NumPy are examples as they are, or one sequence', async () => {
  const array = (shape, dtype = 'float32') => ({ dtype, shape, data: (dtype === 'int32' ? Int32Array : Float32Array).from({ length: shape.reduce((a, b) => a * b) }, (_, n) => n) })
  const whole = await examplesOfFiles([file('y.npy', writeNpy(array([3], 'int32'))), file('x.npy', writeNpy(array([3, 2, 3])))], FORMS.digits(), READING)
  assert.deepEqual([whole.x.shape, whole.y], [[3, 2, 3], { dtype: 'int32', shape: [3], data: Int32Array.of(0, 1, 2) }])
  const steps = await examplesOfFiles([file('y.csv', '4\n3\n2\n1'), file('x.npy', writeNpy(array([2, 2], 'int32')))], FORMS.text(), READING)
  assert.deepEqual([steps.x.shape, steps.y.shape, [...steps.y.data]], [[2, 2], [2, 2], [4, 3, 2, 1]])
  const sequence = await examplesOfFiles([file('load.npy', writeNpy(array([1, 6, 1])))], FORMS.forecast(), READING)
  assert.deepEqual([sequence.x.shape, [...sequence.y.data]], [[1, 4, 1], [1, 2, 3, 4]])
})

test('text: the next character is the target; what is not known is told', () => {
  const { x, y, about } = examplesOfText('abcab?cab', FORMS.text(), { timesteps: 3, vocabulary: 'cba' })
  assert.deepEqual([x.shape, [...x.data], [...y.data]], [[2, 3], [2, 1, 0, 2, 1, 0], [1, 0, 2, 1, 0, 2]])
  assert.equal(about, 'What is left at the end, 1 of 7 timesteps, is no whole example. The model does not know “?”: left out.')
})

test('text with spaces between its words: where each begins and ends', () => {
  const { x, y } = examplesOfText('abc c ba?b\ncab', divider(), { timesteps: 10, vocabulary: 'abc' })
  assert.deepEqual([x.shape, [...x.data].map((n) => 'abc'[n]).join(''), [...y.data].map((n) => 'BIES'[n]).join('')], [[1, 10], 'abccbabcab', 'BIESBIEBIE'])
  assert.ok(!/next line/.test(formText(divider())))
})

test('the input of the page with a target', () => {
  const input = { dtype: 'float32', shape: [1, 2, 3], data: Float32Array.from({ length: 6 }, (_, n) => n) }
  assert.deepEqual(exampleOf(input, ' 7 ', FORMS.digits()).y, { dtype: 'int32', shape: [1], data: Int32Array.of(7) })
  for (const text of ['', 'seven', '1 2']) assert.throws(() => exampleOf(input, text, FORMS.digits()), { code: 'VALUE', message: /target: expected one number, 0 to 9/ })
  const sequence = { dtype: 'float32', shape: [1, 2, 2], data: Float32Array.of(1, 2, 3, 4) }
  assert.deepEqual(exampleOf(sequence, '1 2 3 4 5 6', FORMS.wide()).y.shape, [1, 2, 3])
})

test('examples are collected; those of another shape are refused, and leave the others as they are', () => {
  const examples = new Examples()
  const part = (shape, begin) => ({
    x: { dtype: 'float32', shape, data: Float32Array.from({ length: shape[0] * shape[1] }, (_, n) => begin + n) }, y: { dtype: 'int32', shape: [shape[0]], data: new Int32Array(shape[0]).fill(begin) },
  })
  examples.add(part([2, 3], 10))
  examples.add(part([1, 3], 20))
  assert.throws(() => examples.add(part([1, 4], 30)), { code: 'SHAPE', message: /expected \[3\] as those before, got \[4\]/ })
  assert.deepEqual(shown(examples.all), {
    x: { dtype: 'float32', shape: [3, 3], data: [10, 11, 12, 13, 14, 15, 20, 21, 22] }, y: { dtype: 'int32', shape: [3], data: [10, 10, 20] },
  })
  examples.clear()
  assert.equal(examples.count, 0)
})
