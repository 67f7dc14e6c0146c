// Layers of a file as a graph. Pictures are [batch, height, width, channels], lines [batch, columns, channels].
import { GraphBuilder } from '../../graph/builder.ts'
import type { Graph, GraphNode } from '../../graph/graph.ts'
import { maxPool } from '../../ops/windows/pooling.ts'
import { conv } from '../../ops/windows/convolution.ts'
import { div, sub } from '../../ops/elementwise/arithmetic.ts'
import { concat } from '../../ops/movement/concat-split.ts'
import { reshape } from '../../ops/movement/reshape.ts'
import { shape } from '../../ops/movement/shape.ts'
import { transpose } from '../../ops/movement/views.ts'
import { addOperators } from '../../ops/registry.ts'
import { lstmRole } from '../../ops/recurrent/settings.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import type { Budget } from '../budget.ts'
import { malformed, otherLayer, unsupported, within } from './cursor.ts'
import { KINDS, type Layer, type Weights } from './layers.ts'
import { columnsOf } from './weights.ts'

/** Heights that a line is scaled to. */
const MOST_HEIGHT = 256
/** Columns of windows. */
const MOST_WIDTH = 4096

/** A graph, and what it takes and gives. */
export interface Network {
  readonly graph: Graph
  /** Rows of the pictures it takes. */
  readonly height: number
  /** Outputs at each step. */
  readonly outputs: number
}

/** Whether 8 bits stay what they are. */
export interface WeightsOptions {
  /** `int8` as files have them, or `float32`, which takes four times the memory. Default `int8`. */
  readonly weights?: 'int8' | 'float32' | undefined
}

/**
 * Whether blank columns at the right end of a picture leave everything to their left as it is. A window of the picture itself may reach into
 * them: it finds zeros there, as beyond the end. Later windows would find what the first layers made of blank columns.
 */
const READS_LINES_APART = /^Input (Convolve )?((?!Convolve|LSTM)\w+ )*SummLSTM /

/**
 * The graph of a network. Input `pixels` [batch, height, width, 1], -1 for black and 1 for white; output `probs` [batch, steps, outputs].
 * `blank` [batch], which may be left out, is how many columns at the right end of each picture are no part of its line: they must be 0, as all
 * is beyond a picture. `steps` [batch] is how many steps of each line are its own; they have the bits that the line has alone. Networks that
 * do not read lines apart take one line, without `blank`.
 * @throws LstmError `FORMAT` for layers that do not fit each other, `UNSUPPORTED` for orders of layers that are not run here
 */
export function graphOf(layers: readonly Layer[], { weights: kind = 'int8' }: WeightsOptions, budget: Budget): Network {
  addOperators([concat, conv, div, maxPool, reshape, shape, sub, transpose])
  const graph = new GraphBuilder()
  const names: Set<string> = new Set()
  let value = 'pixels'
  /** Columns or steps of each line that are its own; none where a batch is one line. */
  let lengths = ''
  /** Of a picture; 0 for a line, which has no axis for it. */
  let height = 0
  let channels = 1
  let isProbabilities = false

  const constant = (name: string, array: ArrayLike): string => {
    graph.constant(name, array)
    return name
  }
  const integers = (name: string, ...numbers: readonly number[]): string => constant(name, new NdArray(Int32Array.from(numbers), [numbers.length]))
  const node = (name: string, op: string, inputs: readonly string[], attributes: GraphNode['attributes'] = {}, parameters: GraphNode['parameters'] = {}): string => {
    budget.build(name)
    graph.add({ name, op, inputs, outputs: [`${name}/out`], parameters, attributes })
    return `${name}/out`
  }
  const reshaped = (name: string, ...sizes: readonly number[]): string => node(name, 'reshape', [value, integers(`${name}.sizes`, ...sizes)])

  const addInput = ([, rows = 0, , colours = 0]: readonly number[]): void => {
    if (colours !== 1 || rows < 1 || rows > MOST_HEIGHT) throw unsupported(`a network for pictures of height ${rows || '0 (any)'} in ${colours} colours; supported are grey ones of height 1 to ${MOST_HEIGHT}`)
    height = rows
    const isBatch = READS_LINES_APART.test(layers.map(({ type }) => `${type} `).join(''))
    graph.input({ name: value, dtype: 'float32', shape: [isBatch ? 'batch' : 1, rows, 'width', 1] })
    if (!isBatch) return
    graph.input({ name: 'blank', dtype: 'int32', shape: ['batch'], optional: true })
    lengths = node('columns', 'sub', [node('width', 'shape', [value], { start: 2, end: 3 }), 'blank'])
  }

  const addPool = (name: string, { of, sizes: [width = 0, rows = 0] }: Layer): void => {
    const kernelShape = [within(rows, 1, height, `the height of ${of}`), within(width, 1, MOST_WIDTH, `the width of ${of}`)]
    value = node(name, 'maxPool', [value], { kernelShape, strides: kernelShape, channelsLast: 1 })
    height = Math.floor(height / rows)
    if (lengths) lengths = node(`${name}.columns`, 'div', [lengths, integers(`${name}.width`, width)])
  }

  /** @param window the layer before it, whose weights these are */
  const addWeights = (name: string, { type, of, sizes, weights, isTall, isReverse }: Layer, window: Layer | undefined): void => {
    if (height === 1 && !window) {
      value = reshaped('line', 0, -1, channels)
      height = 0
    }
    const [g, i, f, o] = weights as [Weights, Weights, Weights, Weights?]
    const units = g.rows || 1
    const [halfWidth = 0, halfHeight = 0] = window?.sizes ?? []
    const kernelShape = [2 * halfHeight + 1, 2 * halfWidth + 1] as const
    const inputs = kernelShape[0] * kernelShape[1] * channels + (o ? units : 0)
    if (weights.some(({ rows, columns }) => rows !== units || columns !== inputs + 1) || sizes.some((size) => size !== inputs)) {
      const got = [...weights.map(({ rows, columns }) => `${rows} x ${columns}`), ...sizes.map((size) => `${size} inputs`)].join(', ')
      throw malformed(`lstm: expected weights of ${units} x ${inputs + 1} in ${of}, got ${got}`)
    }
    const stacked = (begin: number, end: number, asInt8 = kind === 'int8'): ArrayLike => columnsOf(o ? [i, f, g, o] : weights, begin, end, asInt8)
    const floats = (begin: number, end: number, ...shape: readonly number[]): NdArray => new NdArray(stacked(begin, end, false).data, shape)
    const bias = floats(inputs, inputs + 1, units * weights.length)
    const parameter = (role: string, array: ArrayLike): string => constant(`${name}.${role}`, array)
    if (o) {
      const sums = type === 'SummLSTM'
      if (height ? sums && !isTall : sums || isTall) {
        throw otherLayer(`${of} runs along ${isTall ? 'y' : 'x'} of a ${height ? 'picture' : 'line'}`)
      }
      // Rows or columns of pictures are a batch: [height, columns of all pictures, channels].
      let around = ''
      if (height) {
        if (sums) value = node(`${name}/turned`, 'transpose', [value], { perm: [1, 0, 2, 3] })
        around = node(`${name}/around`, 'shape', [value], { start: Number(sums), end: 3 })
        value = reshaped(`${name}/rows`, height, -1, channels)
      }
      const direction = isReverse ? 'reverse' : 'forward'
      // What goes backwards begins where its line ends.
      const cellInputs = isReverse && lengths && !height ? [value, '', '', '', lengths] : [value]
      value = node(name, 'lstm', cellInputs, { hiddenSize: units, numLayers: 1, direction, timeMajor: isTall, returnSequences: !sums }, {
        [lstmRole(0, direction, 'inputWeights')]: parameter('inputWeights', stacked(0, channels)),
        [lstmRole(0, direction, 'recurrentWeights')]: parameter('recurrentWeights', stacked(channels, inputs)),
        [lstmRole(0, direction, 'inputBias')]: parameter('inputBias', bias),
      })
      if (around) value = node(`${name}/picture`, 'reshape', [value, node(`${name}/sizes`, 'concat', [around, integers(`${name}.units`, units)], { axis: 0 })])
      if (sums) height = 0
    } else if (window) {
      // Windows of files have columns outside, then rows, then channels. In float32: pictures are their inputs, and there are few of them.
      const kernel = node(`${name}.weight`, 'transpose', [parameter('matrix', floats(0, inputs, units, kernelShape[1], kernelShape[0], channels))], { perm: [0, 3, 2, 1] })
      value = node(name, 'conv', [value, kernel, parameter('bias', bias)], { kernelShape, pads: [halfHeight, halfWidth, halfHeight, halfWidth], channelsLast: 1 })
    } else {
      value = node(name, 'linear', [value], {}, { weight: parameter('weight', stacked(0, inputs)), bias: parameter('bias', bias) })
    }
    channels = units
    const operator = KINDS.get(type)?.[2]
    if (operator !== undefined) value = node(`${name}.${operator}`, operator, [value])
    isProbabilities = operator === 'softmax'
  }

  layers.forEach((layer, n) => {
    const { type, of, sizes } = layer
    if ((n === 0) !== (type === 'Input')) throw malformed(`lstm: expected one Input, before all others, got ${of}`)
    if (isProbabilities) throw malformed(`lstm: expected nothing after the probabilities, got ${of}`)
    // A name that no other layer has.
    const plain = /^[\w.:/-]{1,60}$/.test(layer.name) ? layer.name : 'layer'
    const name = names.has(plain) ? `${plain}_${n}` : plain
    names.add(plain)
    if (type === 'Input') addInput(sizes)
    else if (layer.weights.length > 0) addWeights(name, layer, layers[n - 1]?.type === 'Convolve' ? layers[n - 1] : undefined)
    else if (!height) throw otherLayer(`${of} slides over a line`)
    else if (type === 'Maxpool') addPool(name, layer)
    else if (layers[n + 1]?.weights.length !== 1) throw otherLayer(`${of} without a layer with weights after it`)
  })
  if (!isProbabilities || height) throw otherLayer(`expected a line of probabilities (Softmax) at the end, got ${height ? `a height of ${height}` : 'none'}`)
  const outputs = [{ name: 'probs', value }, ...(lengths ? [{ name: 'steps', value: lengths }] : [])]
  return { graph: graph.finish(outputs), height: layers[0]?.sizes[1] as number, outputs: channels }
}
