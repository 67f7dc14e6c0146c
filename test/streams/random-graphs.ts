// Random graphs to be run in every way there is: each operator that has a time rule is asked for by name.
import { LstmError } from '../../src/errors.ts'
import { GraphBuilder } from '../../src/graph/builder.ts'
import type { Graph, GraphInput, GraphNode } from '../../src/graph/graph.ts'
import type { Attribute, Body, ValueType } from '../../src/ops/graph-data.ts'
import { addAllOperators } from '../../src/ops/all.ts'
import { FUNCTION_NAMES } from '../../src/ops/elementwise/function-table.ts'
import type { DType } from '../../src/values/dtype.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import type { Dimension } from '../../src/values/shape.ts'
import { pseudoRandom } from '../random.ts'

/** Whole numbers below a bound that look random. */
export type Draw = (below: number) => number

export function drawsOf(seed: number): Draw {
  let n = seed * 7919 + 1
  return (below) => {
    n = Math.imul(n ^ (n >>> 15), 0x2c1b3c6d) + 0x9e3779b9 | 0
    return (n >>> 8) % below
  }
}

/** Indices into the tables of these graphs are below this. */
export const VOCABULARY = 12

interface Value extends ValueType {
  readonly name: string
}

/** A graph that grows: what is there, and what is added. */
class Growth {
  readonly builder = new GraphBuilder()
  readonly draw: Draw
  readonly values: Value[] = []
  /** Values that are indices below VOCABULARY. */
  readonly indices: Set<string> = new Set()
  /** Whether there is an input that first states may follow from. */
  hasFirst = false
  #count = 0

  constructor(draw: Draw) {
    this.draw = draw
  }

  chance(oneIn: number): boolean {
    return this.draw(oneIn) === 0
  }

  oneOf<T>(items: readonly T[]): T {
    if (items.length === 0) throw new LstmError('VALUE', 'nothing fits')
    return items[this.draw(items.length)] as T
  }

  input(input: GraphInput): void {
    this.builder.input(input)
    this.values.push(input)
  }

  pick(fits: (value: Value) => boolean): Value {
    const found = this.values.filter(fits)
    // The newest more often, so that graphs grow deep.
    return found.length > 1 && this.chance(2) ? found.at(-1) : this.oneOf(found)
  }

  float(rank?: number): Value {
    return this.pick(({ dtype, shape }) => dtype === 'float32' && shape.length > 0 && (rank === undefined || shape.length === rank))
  }

  constant(shape: readonly number[], scale = 1): string {
    const name = `constant${this.#count++}`
    this.builder.constant(name, new NdArray(pseudoRandom(this.draw(100_000), shape.reduce((a, b) => a * b, 1), scale), shape))
    return name
  }

  integers(...values: number[]): string {
    const name = `integers${this.#count++}`
    this.builder.constant(name, new NdArray(Int32Array.from(values), [values.length]))
    return name
  }

  scalar(value: number): string {
    const name = `scalar${this.#count++}`
    this.builder.constant(name, new NdArray(Float32Array.of(value), []))
    return name
  }

  /** @throws LstmError where the operator does not take these inputs */
  add(
    op: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}, outputs = 1, parameters: Record<string, string> = {},
    bodies?: Record<string, Body>,
  ): Value[] {
    const name = `${op}${this.#count++}`
    const made = Array.from({ length: outputs }, (_, n) => `${name}.${n}`)
    const node: GraphNode = { name, op, inputs, outputs: made, parameters, attributes, ...(bodies && { bodies }) }
    this.builder.add(node)
    const values = made.map((value): Value => ({ name: value, ...this.builder.types.get(value) as ValueType }))
    this.values.push(...values)
    return values
  }

  /** The same, of a value that nothing else is made of. */
  hidden(op: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}): string {
    return (this.add(op, inputs, attributes) && this.values.pop() as Value).name
  }
}

const sizeAt = ({ shape }: Value, axis: number): number => {
  const size = shape.at(axis)
  if (typeof size !== 'number') throw new LstmError('VALUE', 'a size with a name')
  return size
}

/** A second operand: another value, or a constant that broadcasts. */
function operand(g: Growth, { dtype, shape }: Value): string {
  if (g.chance(2)) return g.pick((value) => value.dtype === dtype).name
  if (dtype !== 'float32') return g.oneOf(g.values.filter((value) => value.dtype === dtype)).name
  const last = shape.at(-1)
  return typeof last === 'number' && g.chance(2) ? g.constant([last]) : g.scalar((g.draw(200) - 100) / 50)
}

type Maker = (g: Growth, op: string) => unknown

const unary: Maker = (g, op) => g.add(op, [g.float().name])
const binary: Maker = (g, op) => {
  const a = g.pick(({ dtype }) => dtype === 'float32' || (dtype === 'int32' && op !== 'pow'))
  const b = operand(g, a)
  g.add(op, g.chance(3) && op !== 'pow' ? [b, a.name] : [a.name, b])
}
const variadic: Maker = (g, op) => {
  const a = g.float()
  g.add(op, [a.name, ...Array.from({ length: g.draw(3) }, () => operand(g, a))])
}
const truths: Maker = (g, op) => {
  const truth = (): string => g.pick(({ dtype }) => dtype === 'uint8').name
  g.add(op, op === 'not' ? [truth()] : [truth(), truth()])
}
const anything: Maker = (g, op) => g.add(op, [g.oneOf(g.values).name])
const alongAxis: Maker = (g, op) => {
  const x = g.float()
  g.add(op, [x.name], { axis: g.draw(2 * x.shape.length) - x.shape.length })
}
const reduce: Maker = (g, op) => {
  const x = g.float()
  const keepdims = g.draw(2)
  g.add(op, g.chance(8) ? [x.name] : [x.name, g.integers(g.draw(2 * x.shape.length) - x.shape.length)], { keepdims })
}
const argument: Maker = (g, op) => {
  const x = g.float()
  const axis = g.draw(x.shape.length)
  const [made] = g.add(op, [x.name], { axis, keepdims: g.draw(2), selectLastIndex: g.draw(2) })
  if (made !== undefined && sizeAt(x, axis) <= VOCABULARY) g.indices.add(made.name)
}
const rows: Maker = (g, op) => {
  const x = g.float()
  const width = g.chance(4) && x.shape.length > 2 ? [sizeAt(x, -2), sizeAt(x, -1)] : [sizeAt(x, -1)]
  const more = op === 'layerNormalization' && g.chance(2) ? [g.constant(width)] : []
  g.add(op, [x.name, g.constant(width), ...more], { axis: -width.length })
}
const pooled: Maker = (g, op) => {
  const x = g.oneOf(g.values.filter(({ dtype, shape }) => dtype === 'float32' && (shape.length === 3 || shape.length === 4)))
  const window = x.shape.length - 2
  const channelsLast = g.chance(2)
  const axes = [...Array(window).keys()].map((n) => n + (channelsLast ? 1 : 2))
  g.add(op, [x.name], { kernelShape: axes.map((axis) => (typeof x.shape[axis] === 'string' ? 1 : 1 + g.draw(2))), channelsLast })
}

/** Operators of the same type in and out, with one input or two. */
const INSIDE = { one: ['tanh', 'sigmoid', 'relu', 'neg', 'softsign'], two: ['add', 'sub', 'mul', 'max', 'min'] } as const

/** Nodes of a body that make values of the type of `from`, one after the other, of these and what they make; the last of them. */
function nodesInside(g: Growth, from: readonly string[], count: number): { nodes: GraphNode[], values: string[] } {
  const values = [...from]
  const nodes = Array.from({ length: count }, (_, n): GraphNode => {
    const isBinary = g.chance(2)
    const inputs = Array.from({ length: isBinary ? 2 : 1 }, () => g.oneOf(values))
    values.push(`i${n}`)
    return { name: `n${n}`, op: g.oneOf(INSIDE[isBinary ? 'two' : 'one']), inputs, outputs: [`i${n}`], parameters: {}, attributes: {} }
  })
  return { nodes, values }
}

/** One or two states, slices of a constant perhaps, and what each step gives, in either direction. */
const looped: Maker = (g, op) => {
  const x = g.float()
  const { dtype, shape } = x
  const fits = (): string => g.pick((value) => value.dtype === dtype && value.shape.join() === shape.join()).name
  const [count, states, hasSlices] = [g.draw(4), 1 + g.draw(2), g.chance(2) && shape.every((size) => typeof size === 'number')]
  const own = Array.from({ length: states }, (_, n) => `s${n}`)
  const slices = hasSlices ? ['slice'] : []
  const { nodes, values } = nodesInside(g, [...own, ...slices, 'same'], 1 + g.draw(4))
  const steps = g.integers(count)
  const collected = g.draw(3)
  const body: Body = {
    inputs: [{ name: 'step', dtype: 'int32', shape: [] }, ...[...own, ...slices, 'same'].map((name) => ({ name, dtype, shape }))],
    outputs: Array.from({ length: states + collected }, (_, n) => ({ name: `o${n}`, value: g.oneOf(values.slice(-3)) })),
    nodes,
  }
  const scanned = hasSlices ? [g.constant([count, ...shape as number[]])] : []
  const backwards = Array.from({ length: slices.length + collected }, () => g.draw(2))
  g.add(op, [steps, ...own.map(fits), ...scanned, fits()], { states, scanned: slices.length, backwards }, states + collected, {}, { body })
}

/** One of two graphs, by a size. */
const chosen: Maker = (g, op) => {
  const { dtype, shape } = g.float()
  const fits = (): string => g.pick((value) => value.dtype === dtype && value.shape.join() === shape.join()).name
  const branch = (): Body => {
    const { nodes, values } = nodesInside(g, ['a', 'b'], 1 + g.draw(3))
    return { inputs: ['a', 'b'].map((name) => ({ name, dtype, shape })), outputs: [{ name: 'y', value: values.at(-1) }], nodes }
  }
  const size = g.hidden('gather', [g.hidden('shape', [g.float().name]), g.integers(-1)])
  const condition = g.hidden('greater', [size, g.integers(3)])
  g.add(op, [condition, fits(), fits(), fits(), fits()], { thenInputs: 2 }, 1, {}, { then: branch(), else: branch() })
}

function convolve(g: Growth, padsApart: boolean): void {
  const x = g.float(3)
  const channelsLast = g.chance(2)
  const [time, channels] = channelsLast ? [1, 2] : [2, 1]
  const [kernel, dilation] = [1 + g.draw(3), 1 + g.draw(2)]
  const reach = (kernel - 1) * dilation
  let from = x.name
  if (padsApart) {
    const pads = [0, 0, 0, 0, 0, 0]
    pads[time] = reach
    from = (g.add('pad', [x.name, g.integers(...pads)])[0] as Value).name
  }
  const weights = g.constant([1 + g.draw(4), sizeAt(x, channels), kernel], 0.5)
  g.add('conv', [from, weights], { pads: padsApart ? [0, 0] : [reach, 0], dilations: [dilation], channelsLast })
}

/** Indices along an axis, one for every element of a value. */
function indicesLike(g: Growth, x: Value, axis: number): string {
  const size = sizeAt(x, axis)
  const positive = g.hidden('mod', [g.hidden('abs', [x.name]), g.scalar(1)], { fmod: 1 })
  return g.hidden('cast', [g.hidden('mul', [positive, g.scalar(size - 0.5)])], { to: 'int32' })
}

/** A recurrent layer with so many gates and states. */
const recurrent = (gates: number, states: number): Maker => (g, op) => {
  const x = g.pick(({ dtype, shape }) => dtype === 'float32' && shape.length === 3 && shape[1] === 'timesteps' && typeof shape[2] === 'number')
  const [hiddenSize, features] = [1 + g.draw(6), sizeAt(x, 2)]
  const [rows, none] = [gates * hiddenSize, Array.from({ length: states }, () => '')]
  const parameters = {
    '0.forward.inputWeights': g.constant([rows, features], 0.6), '0.forward.recurrentWeights': g.constant([rows, hiddenSize], 0.6),
    ...(g.chance(2) ? { '0.forward.inputBias': g.constant([rows]) } : {}),
  }
  const inputs = [x.name]
  const masks = g.values.filter(({ dtype, shape }) => dtype === 'uint8' && shape.length === 2 && shape[1] === 'timesteps')
  if (g.hasFirst && g.chance(2)) {
    // First states that follow from an input without timesteps.
    const weight = (): string => g.constant([3, hiddenSize])
    const state = (): string => g.hidden('unsqueeze', [g.hidden('matMul', ['first', weight()]), g.integers(0)])
    inputs.push(...none.map(state))
  }
  if (masks.length > 0 && g.chance(3)) inputs.push(...['', ...none].slice(inputs.length), g.oneOf(masks).name)
  g.add(op, inputs, { hiddenSize, numLayers: 1, direction: 'forward', returnSequences: !g.chance(4) }, 1 + states, parameters)
}

/** How a node of each operator is made; functions of one variable are all made alike. */
export const MAKERS: Readonly<Record<string, Maker>> = {
  ...Object.fromEntries(FUNCTION_NAMES.map((name) => [name, unary])),
  lstm: recurrent(4, 2), gru: recurrent(3, 1), rnn: recurrent(1, 1),
  embedding: (g, op) => g.add(op, [g.pick(({ name }) => g.indices.has(name)).name], {}, 1, { weight: g.constant([VOCABULARY, 3]) }),
  gather(g, op) {
    if (g.chance(2) && g.indices.size > 0) {
      g.add(op, [g.constant([VOCABULARY, 2]), g.pick(({ name }) => g.indices.has(name)).name])
      return
    }
    const x = g.oneOf(g.values.filter(({ shape }) => shape.length > 0))
    const axis = g.draw(x.shape.length)
    const size = x.shape[axis]
    g.add(op, [x.name, g.integers(...(typeof size === 'number' ? [g.draw(size), g.draw(size) - size] : [-1]))], { axis })
  },
  linear(g, op) {
    const x = g.float()
    const units = 1 + g.draw(5)
    g.add(op, [x.name], {}, 1, { weight: g.constant([units, sizeAt(x, -1)]), ...(g.chance(2) ? { bias: g.constant([units]) } : {}) })
  },
  softmax: alongAxis, logSoftmax: alongAxis,
  transpose(g, op) {
    const x = g.oneOf(g.values)
    const perm = x.shape.map((_, n) => n)
    for (let n = perm.length - 1; n > 0; n--) {
      const other = g.draw(n + 1)
      ;[perm[n], perm[other]] = [perm[other] as number, perm[n] as number]
    }
    g.add(op, [x.name], { perm })
  },
  concat(g, op) {
    const x = g.oneOf(g.values.filter(({ shape }) => shape.length > 0))
    const axis = g.draw(x.shape.length)
    const isAlike = ({ dtype, shape }: Value): boolean => (
      dtype === x.dtype && shape.length === x.shape.length && shape.every((size, n) => n === axis || size === x.shape[n])
    )
    g.add(op, [x, g.pick(isAlike), ...(g.chance(3) ? [x] : [])].map(({ name }) => name), { axis })
  },
  split(g, op) {
    const x = g.oneOf(g.values.filter(({ shape }) => shape.some((size) => typeof size === 'number' && size > 1)))
    const axis = g.oneOf(x.shape.flatMap((size, n) => (typeof size === 'number' && size > 1 ? [n] : [])))
    g.add(op, [x.name], { axis }, 2)
  },
  oneHot(g, op) {
    const indices = g.pick(({ name }) => g.indices.has(name))
    const depth = `depth${g.draw(1e9)}`
    g.builder.constant(depth, new NdArray(Int32Array.of(VOCABULARY), []))
    g.add(op, [indices.name, depth, g.constant([2])], { axis: g.draw(indices.shape.length + 1) - 1 })
  },
  slice(g, op) {
    const x = g.oneOf(g.values.filter(({ shape }) => shape.length > 0))
    const axis = g.draw(x.shape.length)
    const [begin, end, step] = g.oneOf([[0, 2 ** 31 - 1, 1], [-1, 2 ** 31 - 1, 1], [1, 3, 1], [-1, -(2 ** 31), -1], [0, 2 ** 31 - 1, 2]] as const)
    g.add(op, [x.name, g.integers(begin), g.integers(end), g.integers(axis), g.integers(step)])
  },
  shape(g, op) {
    // The size of an axis that is neither batch nor time, which becomes a number of the model.
    const x = g.oneOf(g.values.filter(({ shape }) => shape.some((size) => typeof size === 'number')))
    const axis = g.oneOf(x.shape.flatMap((size, n) => (typeof size === 'number' ? [n] : [])))
    const number = g.hidden('cast', [g.hidden('gather', [g.hidden(op, [x.name]), g.integers(axis)])], { to: 'float32' })
    g.add('mul', [x.dtype === 'float32' ? x.name : g.float().name, number])
  },
  matMul(g, op) {
    const x = g.float()
    g.add(op, [x.name, g.chance(4) ? g.float().name : g.constant([sizeAt(x, -1), 1 + g.draw(4)])])
  },
  gemm(g, op) {
    const x = g.float(2)
    const transA = typeof x.shape[0] === 'number' ? 1 : 0
    const columns = 1 + g.draw(4)
    const width = sizeAt(x, transA === 1 ? 0 : 1)
    const transB = g.draw(2)
    const b = transB === 1 ? g.constant([columns, width]) : g.constant([width, columns])
    g.add(op, [x.name, b, ...(g.chance(2) ? [g.constant([columns])] : [])], { transA, transB, alpha: 0.5, beta: 2 })
  },
  layerNormalization: rows, rmsNormalization: rows,
  batchNormalization(g, op) {
    const x = g.float()
    const channelsLast = g.chance(2)
    const channels = [sizeAt(x, channelsLast ? -1 : 1)]
    const variance = `variance${g.draw(1e9)}`
    g.builder.constant(variance, new NdArray(pseudoRandom(3, channels[0] as number, 0.4).map((value) => 1 + value), channels))
    g.add(op, [x.name, g.constant(channels), g.constant(channels), g.constant(channels), variance], { channelsLast })
  },
  reshape(g, op) {
    const x = g.oneOf(g.values.filter(({ shape }) => shape.length > 1))
    if (g.chance(3)) {
      // Sizes that are computed, as exporters write them.
      const sizes = g.hidden('shape', [x.name])
      const parts = x.shape.map((_, axis) => g.hidden('gather', [sizes, g.integers(axis)]))
      const product = g.hidden('mul', [parts.at(-1), g.integers(1)])
      g.add(op, [x.name, g.hidden('concat', [...parts.slice(0, -1), g.integers(1), product], { axis: 0 })])
      return
    }
    const keep = x.shape.map(() => 0)
    const last = x.shape.at(-1)
    const shapes = [keep, [...keep.slice(0, -1), 1, -1], [...keep.slice(0, -2), -1]]
    if (typeof last === 'number' && last % 2 === 0) shapes.push([...keep.slice(0, -1), 2, last / 2], [...keep.slice(0, -1), last / 2, 2])
    g.add(op, [x.name, g.integers(...g.oneOf(shapes))])
  },
  expand(g, op) {
    const x = g.oneOf(g.values.filter(({ shape }) => shape.length > 0))
    const sizes = x.shape.map((size) => (size === 1 ? 1 + g.draw(3) : 1))
    g.add(op, [x.name, g.integers(...(g.chance(3) ? [1 + g.draw(2)] : []), ...sizes)])
  },
  flatten: (g, op) => {
    const x = g.oneOf(g.values.filter(({ shape }) => shape.length > 0))
    g.add(op, [x.name], { axis: g.draw(x.shape.length + 1) })
  },
  squeeze(g, op) {
    const x = g.oneOf(g.values.filter(({ shape }) => shape.includes(1)))
    g.add(op, [x.name, g.integers(x.shape.indexOf(1))])
  },
  unsqueeze(g, op) {
    const x = g.oneOf(g.values)
    g.add(op, [x.name, g.integers(g.draw(x.shape.length + 1))])
  },
  reduceL1: reduce, reduceL2: reduce, reduceLogSum: reduce, reduceLogSumExp: reduce, reduceMax: reduce,
  reduceMean: reduce, reduceMin: reduce, reduceProd: reduce, reduceSum: reduce, reduceSumSquare: reduce,
  argMax: argument, argMin: argument,
  choice: chosen, loop: looped,
  throughIntegers: (g, op) => g.add(op, [g.float().name], { scale: g.oneOf([0.01, 0.25, 1]), zero: g.draw(255), least: 0, most: 255 }),
  averagePool: pooled, maxPool: pooled, sumPool: pooled,
  globalAveragePool: (g, op) => g.add(op, [g.oneOf(g.values.filter(({ dtype, shape }) => dtype === 'float32' && shape.length > 2)).name]),
  globalMaxPool: (g, op) => g.add(op, [g.oneOf(g.values.filter(({ dtype, shape }) => dtype === 'float32' && shape.length > 2)).name]),
  conv: (g) => convolve(g, false),
  resize(g, op) {
    const x = g.float()
    const axis = g.draw(x.shape.length)
    const mode = g.oneOf(['nearest', 'linear', 'cubic'])
    g.add(op, [x.name], { axes: [axis], scales: [g.oneOf([0.5, 1, 1.5, 2])], mode, coordinateTransformationMode: g.oneOf(['half_pixel', 'align_corners', 'asymmetric']) })
  },
  pad(g, op) {
    if (g.chance(2)) {
      convolve(g, true)
      return
    }
    const x = g.float()
    const pads = [...x.shape, ...x.shape].map((size) => (typeof size === 'number' ? g.draw(2) : 0))
    g.add(op, [x.name, g.integers(...pads)], { mode: g.oneOf(['constant', 'edge']) })
  },
  trilu: (g, op) => g.add(op, [g.oneOf(g.values.filter(({ shape }) => shape.length > 1)).name], { upper: g.draw(2) }),
  gatherElements(g, op) {
    const x = g.float()
    const axis = g.draw(x.shape.length)
    g.add(op, [x.name, indicesLike(g, x, axis)], { axis })
  },
  scatterElements(g, op) {
    const x = g.float()
    const axis = g.draw(x.shape.length)
    g.add(op, [x.name, indicesLike(g, x, axis), g.hidden('cos', [x.name])], { axis, reduction: g.oneOf(['none', 'add', 'max']) })
  },
  cumSum(g, op) {
    const x = g.float()
    g.add(op, [x.name, g.integers(g.draw(2 * x.shape.length) - x.shape.length)], { exclusive: g.draw(2), reverse: g.draw(2) })
  },
  topK(g, op) {
    const x = g.float()
    const axis = g.draw(x.shape.length)
    g.add(op, [x.name, g.integers(1 + g.draw(Math.min(3, sizeAt(x, axis))))], { axis, largest: g.draw(2) }, 2)
  },
  tile(g, op) {
    const x = g.oneOf(g.values.filter(({ shape }) => shape.length > 0))
    g.add(op, [x.name, g.integers(...x.shape.map((size) => (typeof size === 'number' ? 1 + g.draw(2) : 1)))])
  },
  instanceNormalization(g, op) {
    // [batch or timesteps, 1, features]: all axes from the third on are normalised together.
    const x = g.pick(({ dtype, shape }) => dtype === 'float32' && shape.length === 2 && typeof shape[1] === 'number')
    g.add(op, [g.hidden('unsqueeze', [x.name, g.integers(1)]), g.constant([1]), g.constant([1])])
  },
  reverseSequence(g, op) {
    // [1, features, ...] or [features, 1, ...], so that batch and timesteps are none of its two axes.
    const x = g.pick(({ shape }) => shape.length > 1 && typeof shape.at(-1) === 'number')
    const others = x.shape.slice(1).map((_, axis) => 1 + axis)
    const features = x.shape.length
    const timeAxis = g.draw(2)
    const turned = g.hidden('transpose', [g.hidden('unsqueeze', [x.name, g.integers(0)])], { perm: [...(timeAxis === 1 ? [0, features] : [features, 0]), ...others] })
    g.add(op, [turned, g.integers(1 + g.draw(sizeAt(x, -1)))], { batchAxis: 1 - timeAxis, timeAxis })
  },
  dropout: anything, identity: anything,
  cast: (g, op) => g.add(op, [g.oneOf(g.values).name], { to: g.oneOf(['float32', 'int32', 'bool']) }),
  clip: (g, op) => g.add(op, [g.float().name, g.chance(3) ? '' : g.scalar(-0.4), g.chance(3) ? '' : g.scalar(0.3)]),
  where(g, op) {
    const x = g.float()
    g.add(op, [g.pick(({ dtype }) => dtype === 'uint8').name, x.name, operand(g, x)])
  },
  not: truths, and: truths, or: truths, xor: truths,
  isNaN: (g, op) => {
    const x = g.float()
    g.add(op, [g.chance(2) ? g.hidden('div', [x.name, x.name]) : x.name])
  },
  equal: binary, greater: binary, greaterOrEqual: binary, less: binary, lessOrEqual: binary,
  add: binary, sub: binary, mul: binary, div: binary, mod: (g, op) => {
    const a = g.float()
    g.add(op, [a.name, operand(g, a)], { fmod: g.draw(2) })
  },
  pow: binary, min: variadic, max: variadic, sum: variadic,
}

/** Operators that the time rules refuse whatever they are given: they work over all timesteps, or take none. */
export const NEVER_ALONG_TIME: readonly string[] = ['globalAveragePool', 'globalMaxPool']

/** Adds a node of this operator. @returns false where nothing that is there fits it */
function grow(g: Growth, op: string): boolean {
  const maker = MAKERS[op]
  if (maker === undefined) throw new Error(`random graphs know no node of '${op}'`)
  try {
    maker(g, op)
    return true
  } catch (error) {
    if (error instanceof LstmError) return false
    throw error
  }
}

/** What a random graph is made of. */
export interface RandomGraphOptions {
  /** The operator that must be in it. */
  readonly wanted: string
  /** Other operators that may be in it. */
  readonly others: readonly string[]
  /** Whether inputs have an axis for the batch. */
  readonly hasBatch: boolean
}

/**
 * A graph with up to four inputs, in which one operator stands somewhere in the middle, and several outputs: among them inputs that are
 * passed through, values twice, and values under other names.
 */
export function randomGraph(seed: number, { wanted, others, hasBatch }: RandomGraphOptions): Graph | undefined {
  addAllOperators()
  const g = new Growth(drawsOf(seed))
  const batch: Dimension[] = hasBatch ? ['batch'] : []
  g.input({ name: 'x', dtype: 'float32', shape: [...batch, 'timesteps', 4] })
  if (g.chance(2)) g.input({ name: 'u', dtype: 'float32', shape: [...batch, 'timesteps', 3] })
  const inputs: [DType, string, Dimension[]][] = [['int32', 'tokens', [...batch, 'timesteps']], ['uint8', 'mask', [...batch, 'timesteps']]]
  for (const [dtype, name, shape] of inputs) if (g.chance(2)) g.input({ name, dtype, shape })
  g.indices.add('tokens')
  if (hasBatch && g.chance(3)) g.input({ name: 'held', dtype: 'float32', shape: ['batch', 4] })
  if (hasBatch && (['lstm', 'gru', 'rnn'].includes(wanted) || g.chance(4))) {
    g.input({ name: 'first', dtype: 'float32', shape: ['batch', 3] })
    g.values.pop() // it is for first states alone
    g.hasFirst = true
  }
  const before = g.draw(4)
  for (let n = 0; n < before; n++) grow(g, g.oneOf(others))
  let isThere = false
  for (let n = 0; n < 12 && !isThere; n++) {
    isThere = grow(g, wanted)
    if (!isThere) grow(g, g.oneOf(others))
  }
  if (!isThere) return undefined
  const last = g.values.at(-1)
  const after = g.draw(3)
  for (let n = 0; n < after; n++) grow(g, g.oneOf(others))
  const names = [last.name, ...Array.from({ length: g.draw(4) }, () => g.oneOf(g.values).name)]
  return g.builder.finish(names.map((value, n) => ({ name: `out${n}`, value })))
}

/**
 * A graph without timesteps, whose states go in and out: `state0` -> `next0` and so on. What comes next may be anything of the right
 * shape: what nodes make, an input, another state as it was before.
 */
export function randomCarriedGraph(seed: number, operators: readonly string[]): { readonly graph: Graph, readonly carry: Record<string, string> } {
  addAllOperators()
  const g = new Growth(drawsOf(seed))
  g.input({ name: 'x', dtype: 'float32', shape: ['batch', 4] })
  if (g.chance(2)) g.input({ name: 'u', dtype: 'float32', shape: ['batch', 3] })
  const states = Array.from({ length: 1 + g.draw(3) }, (_, n) => `state${n}`)
  for (const name of states) g.input({ name, dtype: 'float32', shape: ['batch', 3 + g.draw(2)] })
  const count = 2 + g.draw(6)
  for (let n = 0; n < count; n++) grow(g, g.oneOf(operators))
  const nexts = states.map((name, n) => {
    const { shape } = g.values.find((value) => value.name === name) as Value
    const fitting = g.values.filter((value) => value.dtype === 'float32' && value.shape.join() === shape.join())
    return { name: `next${n}`, value: (g.chance(3) ? g.oneOf(fitting) : fitting.at(-1)).name }
  })
  const outputs = Array.from({ length: 1 + g.draw(3) }, (_, n) => ({ name: `out${n}`, value: g.oneOf(g.values).name }))
  return {
    graph: g.builder.finish(g.chance(2) ? [...nexts, ...outputs] : [...outputs, ...nexts]),
    carry: Object.fromEntries(states.map((name, n) => [name, `next${n}`])),
  }
}
