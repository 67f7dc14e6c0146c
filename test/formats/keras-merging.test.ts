// Layers that make one tensor of several: which steps are valid then, told by the mean over them.
import { describe, expect, it } from 'vitest'
import { dialectOf, KERAS_2, KERAS_3, type Dialect } from '../../src/formats/keras/dialect.ts'
import type { Json } from '../../src/formats/json.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { compile } from '../../src/model/load.ts'
import type { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { random } from '../weights.ts'
import { build, call, input, tensor, type Settings } from './keras-models.ts'

/** Two inputs [2, 5, 3], each masked or not, merged, and the mean over valid steps. */
function merged(className: string, masked: readonly boolean[], dialect: Dialect, settings: Settings = {}): Graph {
  return build([
    ...masked.flatMap((has, n) => [input(`x${n}`, 5, 3), call(has ? 'Masking' : 'Dropout', `m${n}`, [`x${n}`], { rate: 0 })]),
    call(className, 'merge', masked.map((_, n) => `m${n}`), settings), call('GlobalAveragePooling1D', 'mean', ['merge']),
  ], [['mean', 0, 0]], dialect)
}

/** Random steps, some of them zeros, which Masking takes for padding. */
function steps(seed: number, ...zeros: readonly (readonly [row: number, step: number])[]): NdArray {
  const x = random(seed, 2, 5, 3)
  for (const [row, step] of zeros) x.data.fill(0, (row * 5 + step) * 3, (row * 5 + step + 1) * 3)
  return x
}

const INPUTS = { x0: steps(1, [0, 0], [0, 3], [1, 4]), x1: steps(2, [0, 0], [0, 1], [1, 4], [1, 2]) }
const isZero = (x: NdArray, row: number, step: number): boolean => [0, 1, 2].every((n) => x.data[(row * 5 + step) * 3 + n] === 0)

/** Means over steps that are valid, of rows of `columns` in `count` steps. */
function means(
  count: number, columns: number, at: (row: number, step: number, column: number) => number, valid: (row: number, step: number) => boolean,
): number[] {
  return [0, 1].flatMap((row) => {
    const kept = Array.from({ length: count }, (_, step) => step).filter((step) => valid(row, step))
    return Array.from({ length: columns }, (_, column) => kept.reduce((sum, step) => sum + at(row, step, column), 0) / kept.length)
  })
}

async function check(graph: Graph, expected: readonly number[]): Promise<void> {
  using model = await compile(graph)
  const { mean } = model.run(INPUTS)
  expect(mean?.data).toHaveLength(expected.length)
  mean?.data.forEach((value, n) => expect(value).toBeCloseTo(expected[n] as number, 5))
}

const valueAt = (which: 0 | 1, row: number, step: number, column: number): number => INPUTS[`x${which}`].data[(row * 5 + step) * 3 + column] as number
const keras = { 'Keras 2': KERAS_2, 'Keras 3.0': dialectOf('3.0.5'), 'Keras 3': KERAS_3 }
type Version = keyof typeof keras

/** Whether a step of a merge is valid: in all masks, in any, or whatever they say. */
function validity(version: Version, masked: readonly boolean[]): (row: number, step: number) => boolean {
  const inputs = [INPUTS.x0, INPUTS.x1]
  if (version === 'Keras 3.0' || masked.every((has) => !has)) return () => true
  if (version === 'Keras 2') return (row, step) => masked.every((has, n) => !has || !isZero(inputs[n] as NdArray, row, step))
  return (row, step) => masked.some((has, n) => !has || !isZero(inputs[n] as NdArray, row, step))
}

const MASKED = [[true, true], [true, false], [false, true], [false, false]] as const

describe.each(Object.keys(keras) as Version[])('the mask of a merge in %s', (version) => {
  it.each(MASKED)('of inputs with masks (%s, %s): added', async (...masked) => {
    const at = (row: number, step: number, column: number): number => valueAt(0, row, step, column) + valueAt(1, row, step, column)
    await check(merged('Add', masked, keras[version]), means(5, 3, at, validity(version, masked)))
  })

  it.each(MASKED)('of inputs with masks (%s, %s): side by side', async (...masked) => {
    const at = (row: number, step: number, column: number): number => (column < 3 ? valueAt(0, row, step, column) : valueAt(1, row, step, column - 3))
    await check(merged('Concatenate', masked, keras[version]), means(5, 6, at, validity(version, masked)))
  })

  it.each(MASKED)('of inputs with masks (%s, %s): one after the other', async (...masked) => {
    const graph = (): Graph => merged('Concatenate', masked, keras[version], { axis: 1 })
    if (version === 'Keras 2' && masked[0] !== masked[1]) {
      expectError(graph, 'UNSUPPORTED', "Keras: not supported: layer 'merge' (Concatenate): inputs with and without masks, one after the other in time")
      return
    }
    const at = (row: number, step: number, column: number): number => (step < 5 ? valueAt(0, row, step, column) : valueAt(1, row, step - 5, column))
    const valid = (row: number, step: number): boolean => {
      const [n, own] = step < 5 ? [0, step] as const : [1, step - 5] as const
      return version === 'Keras 3.0' || !(masked[n]) || !isZero(INPUTS[`x${n}`], row, own)
    }
    await check(graph(), means(10, 3, at, valid))
  })
})

describe('a dot product', () => {
  const dot = (shapes: readonly (readonly number[])[], axes: Json): Graph => (
    build([...shapes.map((shape, n) => input(`x${n}`, ...shape)), call('Dot', 'dot', shapes.map((_, n) => `x${n}`), { axes })], [['dot', 0, 0]], KERAS_2)
  )

  it.each([
    [[[3], [3]], 1, [2, 1]], [[[5, 3], [4, 3]], 2, [2, 5, 4]], [[[5, 3], [4, 5]], [1, 2], [2, 3, 4]], [[[5, 3], [3]], [2, 1], [2, 5]],
    [[[3], [5, 3]], [-1, -1], [2, 5]],
  ] as const)('of %j along %j has the shape %j', async (shapes, axes, expected) => {
    using model = await compile(dot(shapes, axes))
    const given = shapes.map((shape, n) => random(n + 1, 2, ...shape))
    const { dot: result } = model.run({ x0: given[0] as NdArray, x1: given[1] as NdArray })
    expect(result?.shape).toEqual(expected)
    // The first element of each row: the sum of products along the axes, all other indices 0.
    const list = typeof axes === 'number' ? [axes, axes] : axes
    const lanes = given.map(({ shape, data }, n) => {
      const axis = ((list[n] as number) + shape.length) % shape.length
      const stride = shape.slice(axis + 1).reduce((a, b) => a * b, 1)
      return [0, 1].map((row) => Array.from({ length: shape[axis] as number }, (_, k) => data[row * data.length / 2 + k * stride] as number))
    }) as [number[][], number[][]]
    for (const row of [0, 1]) {
      const [a, b] = [lanes[0][row], lanes[1][row]] as [number[], number[]]
      expect(result?.data[row * (result.data.length / 2)]).toBeCloseTo(a.reduce((sum, value, k) => sum + value * (b[k] as number), 0), 5)
    }
  })

  it('has two inputs, with two or three axes, of which none is the batch', () => {
    expectError(() => dot([[3], [3], [3]], 1), 'FORMAT', "Keras: layer 'dot' (Dot): expected two inputs, got 3")
    expectError(() => dot([[3]], 1), 'FORMAT', "Keras: layer 'dot' (Dot): expected two inputs, got 1")
    for (const axis of [0, 2, -2, 7]) expectError(() => dot([[3], [3]], axis), 'UNSUPPORTED', `Keras: not supported: layer 'dot' (Dot): axis ${axis} of 2 axes`)
    expectError(() => dot([[4, 2, 3], [3]], [3, 1]), 'UNSUPPORTED', "Keras: not supported: layer 'dot' (Dot): axis 3 of 4 axes")
  })
})

describe('final states of stacked cells', () => {
  const tensors = [
    tensor('a', 'kernel', 1, 3, 8), tensor('a', 'recurrent_kernel', 2, 2, 8), tensor('a', 'bias', 3, 8),
    tensor('b', 'kernel', 4, 2, 16), tensor('b', 'recurrent_kernel', 5, 4, 16), tensor('b', 'bias', 6, 16),
  ]
  const cell = (name: string, units: number): Json => ({ class_name: 'LSTMCell', config: { name, units } })

  it.each([
    [{}, [2, 2, 4, 4]], [{ reverse_state_order: false }, [2, 2, 4, 4]], [{ reverse_state_order: true }, [4, 4, 2, 2]],
  ] as const)('with %j have sizes %j', async (settings, sizes) => {
    const stacked: Json = { class_name: 'StackedRNNCells', config: { name: 's', cells: [cell('a', 2), cell('b', 4)], ...settings } }
    const layers = [input('x', 5, 3), call('RNN', 'rnn', ['x'], { cell: stacked, return_state: true })]
    const graph = build(layers, [0, 1, 2, 3, 4].map((n) => ['rnn', 0, n]), KERAS_2, tensors)
    using model = await compile(graph)
    const shapes = Object.values(model.run({ x: random(7, 2, 5, 3) })).map((output) => output?.shape.at(-1))
    expect(shapes).toEqual([4, ...sizes])
  })
})
