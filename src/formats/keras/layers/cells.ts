// The cells of LSTM, GRU, SimpleRNN and RNN layers: their settings, and their weights as ours. Keras stacks the gates along the columns
// of its kernels [features, gates units] and [units, gates units]: transposed, and with the gates in our order, these are our weights.
import type { Attribute } from '../../../ops/graph-data.ts'
import type { RecurrentOp } from '../../../ops/recurrent/kinds.ts'
import { lstmRole, type Direction } from '../../../ops/recurrent/settings.ts'
import { NdArray } from '../../../values/ndarray.ts'
import { formatShape } from '../../../values/shape.ts'
import { readActivation, recurrentActivations, type KerasActivation } from './activation.ts'
import type { LayerSpec } from '../config.ts'
import { cudnnBiases, cudnnKernel, isCudnn } from './cudnn.ts'
import type { Dialect } from '../dialect.ts'
import { transposed } from '../emitter.ts'
import { wordsOf, type LayerCall } from '../layer-call.ts'
import { malformed, type Settings } from '../settings.ts'
import type { LayerWeights } from '../weights.ts'

/** A kind of cell. */
export interface CellKind {
  /** Our operator. */
  readonly op: RecurrentOp
  /** Where our gates stand in Keras's: LSTM i, f, g, o in i, f, c, o; GRU r, z, n in z, r, h. */
  readonly gates: readonly number[]
  /** Whether gates have an activation of their own. */
  readonly hasGates: boolean
}

const LSTM: CellKind = { op: 'lstm', gates: [0, 1, 2, 3], hasGates: true }
const GRU: CellKind = { op: 'gru', gates: [1, 0, 2], hasGates: true }
const RNN: CellKind = { op: 'rnn', gates: [0], hasGates: false }

/** For each kind, where our gates stand in Keras's. */
export const GATE_ORDERS: readonly (readonly number[])[] = [LSTM, GRU, RNN].map(({ gates }) => gates)

/** Cells by class name, and those that layers are made of. */
const CELLS: ReadonlyMap<string, CellKind> = new Map([['LSTMCell', LSTM], ['GRUCell', GRU], ['SimpleRNNCell', RNN]])
const LAYERS: ReadonlyMap<string, CellKind> = new Map([
  ['LSTM', LSTM], ['CuDNNLSTM', LSTM], ['GRU', GRU], ['CuDNNGRU', GRU], ['SimpleRNN', RNN],
])

/** Classes of the layers with one cell of their own. */
export const RECURRENT_LAYERS: readonly string[] = [...LAYERS.keys()]

/** A layer of cuDNN has no choice of functions, and no masks. */
export function isOfCudnn(className: string): boolean {
  return className.startsWith('CuDNN')
}

/** One cell: units, weights, functions. */
export interface Cell {
  readonly kind: CellKind
  readonly units: number
  readonly useBias: boolean
  /** Of a GRU: whether the reset gate comes after the recurrent product. */
  readonly resetAfter: boolean
  /** As the operator takes them: gates and candidate; of an LSTM the output, too. */
  readonly functions: readonly KerasActivation[]
  /** What training drops, by the names of our attributes. */
  readonly rates: Readonly<Record<string, number>>
  readonly weights: LayerWeights
  readonly what: string
}

/** A cell, or the one in a layer. */
export function readCell({ className, settings }: LayerSpec, weights: LayerWeights, dialect: Dialect): Cell {
  const kind = (CELLS.get(className) ?? LAYERS.get(className)) as CellKind
  const ofCudnn = isOfCudnn(className)
  return {
    kind,
    units: settings.count('units'),
    useBias: ofCudnn || settings.flag('use_bias', true),
    // Before there were two rules, files did not say which.
    resetAfter: ofCudnn || (kind === GRU && settings.flag('reset_after', false)),
    functions: functionsOf(kind, settings, ofCudnn ? { ...dialect, recurrentActivation: 'sigmoid' } : dialect),
    rates: { ...rateOf(settings, 'dropout', 'dropout'), ...rateOf(settings, 'recurrent_dropout', 'recurrentDropout') },
    weights,
    what: settings.what,
  }
}

/** A rate that drops: for Keras one of 1 does not. */
function rateOf(settings: Settings, key: string, attribute: string): Record<string, number> {
  const rate = settings.number(key, 0)
  return rate > 0 && rate < 1 ? { [attribute]: rate } : {}
}

function functionsOf({ op, hasGates }: CellKind, settings: Settings, dialect: Dialect): KerasActivation[] {
  const activation = readActivation(settings.json('activation') ?? 'tanh', dialect, settings.what)
  if (!hasGates) return [activation]
  const gates = readActivation(settings.json('recurrent_activation') ?? dialect.recurrentActivation, dialect, settings.what)
  return op === 'lstm' ? [gates, activation, activation] : [gates, activation]
}

/** What of a cell, or of a layer with one, cannot be run. */
export function cellProblems({ className, settings }: LayerSpec, dialect: Dialect): string[] {
  const kind = CELLS.get(className) ?? LAYERS.get(className)
  if (kind === undefined) return [`cells of class ${className}`]
  if (isOfCudnn(className)) return []
  return [...(kind.hasGates ? ['recurrent_activation'] : []), 'activation'].flatMap((key) => wordsOf(() => readActivation(settings.json(key), dialect, key)))
}

/** Whether one node can be both cells, in opposite directions. */
export function areAlike(a: Cell, b: Cell): boolean {
  return a.kind === b.kind && a.units === b.units && a.resetAfter === b.resetAfter && JSON.stringify(a.rates) === JSON.stringify(b.rates)
}

/** Attributes of a node for one cell in each direction. */
export function cellAttributes(cells: readonly [Cell, ...Cell[]], what: string): Record<string, Attribute> {
  const [{ kind, units, resetAfter, rates }] = cells
  return {
    hiddenSize: units,
    numLayers: 1,
    ...(kind.op === 'gru' && { resetAfter }),
    ...rates,
    ...recurrentActivations(cells.flatMap(({ functions }) => functions), what),
  }
}

/** Parameters of a node for one cell in one direction. */
export function cellParameters({ emit }: LayerCall, path: string, cell: Cell, direction: Direction): Record<string, string> {
  const { kind, units, useBias, weights, what } = cell
  const names = ['kernel', 'recurrent_kernel', ...(useBias ? ['bias'] : [])]
  const [kernel, recurrentKernel, bias] = weights.take(names, what)
  if (kernel?.shape.length !== 2 || recurrentKernel?.shape.length !== 2) throw malformed(`${what}: expected kernels with two axes`)
  const role = (weight: Parameters<typeof lstmRole>[2]): string => lstmRole(0, direction, weight)
  const count = kind.gates.length
  const ofCudnn = isCudnn(bias, count * units)
  const turn = (array: NdArray): NdArray => inOrder(ofCudnn ? cudnnKernel(array, count) : transposed(array), kind.gates)
  const biases = bias === undefined
    ? []
    : emit.constants([`${path}/bias`, `${path}/recurrentBias`], bias, (array) => (
        biasesOf(cell, array).map((part) => inOrder(part, kind.gates))
      ))
  return {
    [role('inputWeights')]: emit.constant(`${path}/inputWeights`, kernel, turn),
    [role('recurrentWeights')]: emit.constant(`${path}/recurrentWeights`, recurrentKernel, turn),
    ...Object.fromEntries(biases.map((name, n) => [role(n === 0 ? 'inputBias' : 'recurrentBias'), name])),
  }
}

/** The bias of the inputs; that of the recurrence too, where there are two: of cuDNN's layers, and of GRUs with `reset_after`. */
function biasesOf({ kind, units, resetAfter, what }: Cell, bias: NdArray): readonly NdArray[] {
  const length = kind.gates.length * units
  if (isCudnn(bias, length) && (kind.op !== 'gru' || resetAfter)) return cudnnBiases(bias)
  const expected = resetAfter ? [2, length] : [length]
  if (formatShape(bias.shape) !== formatShape(expected)) throw malformed(`${what}: expected a bias ${formatShape(expected)}, got ${formatShape(bias.shape)}`)
  return resetAfter ? cudnnBiases(bias) : [bias]
}

/** Blocks along the first axis, one a gate, in our order. */
export function inOrder(array: NdArray, gates: readonly number[]): NdArray {
  if (gates.every((from, to) => from === to)) return array
  const { data, shape } = array
  const block = data.length / gates.length
  const result = new Float32Array(data.length)
  gates.forEach((from, to) => result.set(data.subarray(from * block, (from + 1) * block), to * block))
  return new NdArray(result, shape)
}
