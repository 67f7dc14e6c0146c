// Layers of a file as a graph. Pictures are [batch, height, width, channels], lines [batch, columns, channels].
import { LstmError } from '../../errors.ts'
import { GraphBuilder } from '../../graph/builder.ts'
import type { Graph, GraphNode } from '../../graph/graph.ts'
import { maxPool } from '../../ops/windows/pooling.ts'
import { conv } from '../../ops/windows/convolution.ts'
import { div, sub } from '../../ops/elementwise/arithmetic.ts'
import { concat } from '../../ops/movement/concat-split.ts'
import { reshape, squeeze, unsqueeze } from '../../ops/movement/reshape.ts'
import { shape } from '../../ops/movement/shape.ts'
import { transpose } from '../../ops/movement/views.ts'
import { addOperators } from '../../ops/registry.ts'
import { lstmRole } from '../../ops/recurrent/settings.ts'
import type { ArrayLike } from '../../values/ndarray.ts'
import { NdArray } from '../../values/ndarray.ts'
import type { Budget } from '../budget.ts'
import { malformed } from './cursor.ts'
import { DENSE, type Layer } from './layers.ts'
import { columnsOf, convolutionWeights, vectorOf } from './weights.ts'

/** Heights that a line is scaled to. */
const MOST_HEIGHT = 256

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

/** Layers of these types. */
type Of<Type> = Extract<Layer, { readonly type: Type }>

/** Where a layer stands. */
interface Place {
  readonly axis: 'x' | 'y'
  readonly reverse: boolean
}

/**
 * The graph of a network. Input `pixels` [batch, height, width, 1], -1 for black and 1 for white; output `probs` [batch, steps, outputs].
 * `blank` [batch], which may be left out, is how many columns at the right end of each picture are no part of its line: they must be 0, as all
 * is beyond a picture. `steps` [batch] is how many steps of each line are its own; they have the bits that the line has alone. Networks of
 * other layers than `readsLinesApart` knows take one line, without `blank`.
 * @throws LstmError `FORMAT` for layers that do not fit each other, `UNSUPPORTED` for orders of layers that are not run here
 */
export function graphOf(network: Layer, { weights: kind = 'int8' }: WeightsOptions, budget: Budget): Network {
  addOperators([concat, conv, div, maxPool, reshape, shape, squeeze, sub, transpose, unsqueeze])
  return new Assembly(kind === 'int8', readsLinesApart(network), budget).of(network)
}

const isDense = (layer: Layer): layer is Of<keyof typeof DENSE> => 'weights' in layer

/** The layers without those they stand in. */
const flat = (layer: Layer): readonly Layer[] => ('stack' in layer ? layer.stack.flatMap(flat) : [layer])

/**
 * Whether blank columns at the right end of a picture leave everything to their left as it is. A window of the picture itself may reach into
 * them: it finds zeros there, as beyond the end. Later windows would find what the first layers made of blank columns.
 */
function readsLinesApart(network: Layer): boolean {
  const types = flat(network).map((layer) => (isDense(layer) ? 'Dense' : layer.type)).join(' ')
  return /^Input (Convolve )?((Dense|Maxpool) )*SummLSTM /.test(types)
}

class Assembly {
  readonly #graph = new GraphBuilder()
  readonly #isInt8: boolean
  readonly #isBatch: boolean
  readonly #budget: Budget
  readonly #names: Set<string> = new Set()
  #value = 'pixels'
  /** Columns or steps of each line that are its own, in a batch. */
  #lengths = ''
  /** Of the value: 0 before the input. */
  #height = 0
  #firstHeight = 0
  #channels = 1
  /** A line has no axis for its height. */
  #isLine = false
  #isProbabilities = false

  constructor(isInt8: boolean, isBatch: boolean, budget: Budget) {
    this.#isInt8 = isInt8
    this.#isBatch = isBatch
    this.#budget = budget
  }

  of(network: Layer): Network {
    this.#layer(network, { axis: 'x', reverse: false })
    this.#flatten()
    if (!this.#isProbabilities || !this.#isLine) throw new LstmError('UNSUPPORTED', `traineddata: expected a network that ends in a line of probabilities (Softmax), got ${this.#isLine ? 'none' : `a height of ${this.#height}`}`)
    const outputs = [{ name: 'probs', value: this.#value }, ...(this.#isBatch ? [{ name: 'steps', value: this.#lengths }] : [])]
    return { graph: this.#graph.finish(outputs), height: this.#firstHeight, outputs: this.#channels }
  }

  #layer(layer: Layer, place: Place): void {
    if (layer.type === 'Input') return this.#input(layer)
    if (layer.type === 'Series') return this.#series(layer.stack, place)
    if (this.#height === 0) throw malformed(`lstm: expected the Input first, got ${layer.type}`)
    if (this.#isProbabilities) throw malformed(`lstm: expected nothing after the probabilities, got ${layer.type}`)
    switch (layer.type) {
      case 'XYTranspose': return this.#inner(layer.stack, { ...place, axis: place.axis === 'x' ? 'y' : 'x' })
      case 'RTLReversed': return this.#inner(layer.stack, { ...place, reverse: !place.reverse })
      case 'Maxpool': return this.#pool(layer)
      case 'LSTM': case 'SummLSTM': return this.#lstm(layer, place)
      case 'Convolve': throw new LstmError('UNSUPPORTED', `traineddata: expected a layer with weights after the window ${layer.name}, in one series`)
    }
    this.#dense(layer)
  }

  /** What is turned is one LSTM: only those know directions. */
  #inner(stack: readonly Layer[], place: Place): void {
    const [only, ...more] = stack
    if (only === undefined || more.length > 0 || !['LSTM', 'SummLSTM', 'XYTranspose', 'RTLReversed'].includes(only.type)) {
      throw new LstmError('UNSUPPORTED', `traineddata: expected one LSTM in a layer that turns its input, got ${stack.map(({ type }) => type).slice(0, 8).join(', ') || 'none'}`)
    }
    this.#layer(only, place)
  }

  #series(stack: readonly Layer[], place: Place): void {
    for (let n = 0; n < stack.length; n++) {
      const layer = stack[n] as Layer
      const next = stack[n + 1]
      if (layer.type === 'Convolve' && this.#height > 0 && next !== undefined && isDense(next)) {
        this.#convolve(layer, next)
        n++
      } else {
        this.#layer(layer, place)
      }
    }
  }

  #input({ height, depth }: Of<'Input'>): void {
    if (this.#height > 0) throw malformed('lstm: expected one Input, got another')
    if (depth !== 1) throw new LstmError('UNSUPPORTED', `traineddata: a network for pictures of ${depth} colours; supported are grey ones`)
    if (height < 1 || height > MOST_HEIGHT) throw new LstmError('UNSUPPORTED', `traineddata: a network for pictures of height ${height}${height === 0 ? ' (any)' : ''}; supported are 1 to ${MOST_HEIGHT}`)
    this.#firstHeight = this.#height = height
    this.#graph.input({ name: this.#value, dtype: 'float32', shape: [this.#isBatch ? 'batch' : 1, height, 'width', 1] })
    if (!this.#isBatch) return
    this.#graph.input({ name: 'blank', dtype: 'int32', shape: ['batch'], optional: true })
    const width = this.#side('width', 'shape', [this.#value], { start: 2, end: 3 })
    this.#lengths = this.#side('columns', 'sub', [width, 'blank'], {})
  }

  #convolve({ half, name }: Of<'Convolve'>, { weights, type, name: denseName }: Of<keyof typeof DENSE>): void {
    this.#picture(name)
    const [width, height] = half.map((size) => 2 * size + 1) as [number, number]
    const inputs = width * height * this.#channels
    this.#fits(name, weights.columns, inputs + 1)
    const called = this.#name(name)
    this.#budget.copy(weights.rows * weights.columns, 4 * weights.rows * weights.columns, called)
    // In float32: pictures are their inputs, and there are few of them.
    const kernel = this.#constant(`${called}.weight`, convolutionWeights(weights, this.#channels, width, height))
    const bias = this.#constant(`${called}.bias`, vectorOf(weights))
    this.#add(called, 'conv', { inputs: [this.#value, kernel, bias], attributes: { kernelShape: [height, width], pads: [half[1], half[0], half[1], half[0]], channelsLast: 1 } })
    this.#channels = weights.rows
    this.#activate(type, denseName)
  }

  #pool({ window: [width, height], name }: Of<'Maxpool'>): void {
    this.#picture(name)
    if (height > this.#height) throw malformed(`lstm: expected a window at most ${this.#height} high of ${name}, got ${height}`)
    const called = this.#name(name)
    this.#add(called, 'maxPool', { attributes: { kernelShape: [height, width], strides: [height, width], channelsLast: 1 } })
    this.#height = Math.floor(this.#height / height)
    if (this.#isBatch) this.#lengths = this.#side(`${called}.columns`, 'div', [this.#lengths, this.#integers(`${called}.width`, width)], {})
  }

  #dense({ weights, type, name }: Of<keyof typeof DENSE>): void {
    this.#flatten()
    this.#fits(name, weights.columns, this.#channels + 1)
    const called = this.#name(name)
    this.#charge(weights.rows * weights.columns, called)
    const weight = this.#constant(`${called}.weight`, columnsOf([weights], 0, this.#channels, this.#isInt8))
    const bias = this.#constant(`${called}.bias`, vectorOf(weights))
    this.#add(called, 'linear', { parameters: { weight, bias } })
    this.#channels = weights.rows
    this.#activate(type, name)
  }

  #activate(type: keyof typeof DENSE, name: string): void {
    const op = DENSE[type]
    if (op === 'linear') return
    this.#isProbabilities = op === 'softmax'
    this.#add(this.#name(`${name}.${op}`), op, { attributes: op === 'softmax' ? { axis: -1 } : {} })
  }

  /** Along a line; along the rows or columns of a picture, each of which is a sequence of the batch. */
  #lstm({ gates, type, name }: Of<'LSTM' | 'SummLSTM'>, { axis, reverse }: Place): void {
    this.#flatten()
    const inputs = this.#channels
    const { rows: units = 0, columns = 0 } = gates[0] ?? {}
    this.#fits(name, columns, inputs + units + 1)
    const sums = type === 'SummLSTM'
    if ((sums || this.#isLine) && axis !== (sums ? 'y' : 'x')) throw new LstmError('UNSUPPORTED', `traineddata: ${name} ${sums ? 'sums up' : 'reads'} along ${axis}; supported are LSTMs along x, and those that sum up a picture's columns (Lfys)`)
    if (sums && this.#isLine) throw new LstmError('UNSUPPORTED', `traineddata: ${name} sums up columns of one row`)
    const called = this.#name(name)
    this.#charge(4 * units * columns, called)
    const direction = reverse ? 'reverse' : 'forward'
    const parameters = Object.fromEntries([
      ['inputWeights', columnsOf(gates, 0, inputs, this.#isInt8)] as const,
      ['recurrentWeights', columnsOf(gates, inputs, inputs + units, this.#isInt8)] as const,
      ['inputBias', vectorOf(...gates)] as const,
    ].map(([role, array]) => [lstmRole(0, direction, role), this.#constant(`${called}.${role}`, array)]))
    const wasLine = this.#isLine
    const sizes = wasLine ? '' : this.#rows(called)
    this.#add(called, 'lstm', {
      // One that goes backwards begins where its line ends.
      ...(wasLine && reverse && this.#isBatch && { inputs: [this.#value, '', '', '', this.#lengths] }),
      parameters, attributes: { hiddenSize: units, numLayers: 1, direction, timeMajor: axis === 'y', returnSequences: !sums },
      // The last h is [1, columns of all pictures, units]: of one picture it is the line.
      ...(sums && { outputs: ['', `${called}/line`] }),
    })
    this.#channels = units
    if (sums) this.#isLine = true
    else if (!wasLine) this.#move(`${called}/picture`, 'unsqueeze', 0)
    if (sums && this.#isBatch) {
      const shapeOfLines = this.#side(`${called}/sizes`, 'concat', [sizes, this.#integers(`${called}.units`, units)], { axis: 0 })
      this.#add(`${called}/lines`, 'reshape', { inputs: [this.#value, shapeOfLines] })
    }
  }

  /** Rows one after the other, the columns of all pictures side by side: [height, columns, channels]. Returns the value of [batch, columns of one]. */
  #rows(called: string): string {
    if (!this.#isBatch) {
      this.#move(`${called}/rows`, 'squeeze', 0)
      return ''
    }
    this.#add(`${called}/turned`, 'transpose', { attributes: { perm: [1, 0, 2, 3] } })
    const sizes = this.#side(`${called}/columns`, 'shape', [this.#value], { start: 1, end: 3 })
    this.#move(`${called}/rows`, 'reshape', this.#height, -1, this.#channels)
    return sizes
  }

  /** A picture of one row is a line. */
  #flatten(): void {
    if (this.#isLine || this.#height !== 1) return
    this.#move('line', 'squeeze', 1)
    this.#isLine = true
  }

  /** An operator that takes whole numbers besides: axes, or a shape. */
  #move(name: string, op: 'squeeze' | 'unsqueeze' | 'reshape', ...numbers: readonly number[]): void {
    this.#add(name, op, { inputs: [this.#value, this.#integers(`${name}.axes`, ...numbers)] })
  }

  #integers(name: string, ...numbers: readonly number[]): string {
    return this.#constant(name, new NdArray(Int32Array.from(numbers), [numbers.length]))
  }

  #picture(name: string): void {
    if (this.#isLine) throw new LstmError('UNSUPPORTED', `traineddata: the window ${name} slides over a line; supported are those over pictures`)
  }

  #fits(name: string, columns: number, expected: number): void {
    if (columns !== expected) throw malformed(`lstm: expected ${expected} columns of weights in ${name}, got ${columns}`)
  }

  /** Weights that are copied. */
  #charge(elements: number, name: string): void {
    this.#budget.copy(elements, (this.#isInt8 ? 1 : 4) * elements, name)
  }

  /** A name that no other has. */
  #name(name: string): string {
    const plain = /^[\w.:/-]{1,60}$/.test(name) ? name : 'layer'
    let free = plain
    for (let n = 2; this.#names.has(free); n++) free = `${plain}_${n}`
    this.#names.add(free)
    return free
  }

  #constant(name: string, array: ArrayLike): string {
    this.#graph.constant(name, array)
    return name
  }

  #add(name: string, op: string, more: Partial<GraphNode> = {}): void {
    this.#value = this.#side(name, op, [this.#value], {}, more)
  }

  /** A node beside those of pictures and lines: of sizes. */
  #side(name: string, op: string, inputs: readonly string[], attributes: GraphNode['attributes'], more: Partial<GraphNode> = {}): string {
    this.#budget.build(name)
    const node = { name, op, inputs, outputs: [`${name}/out`], parameters: {}, attributes, ...more }
    this.#graph.add(node)
    return node.outputs.at(-1) as string
  }
}
