// LSTM, GRU and SimpleRNN of Keras, in one direction or in both. Keras has gates i, f, c, o and z, r, h, kernels [features, gates x units].
import { RECURRENT, type RecurrentOp } from '../../ops/recurrent/kinds.ts'
import { roleOf, type Direction } from '../../ops/recurrent/layer-settings.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import type { Dimension } from '../../values/shape.ts'
import { functionsOf, type AnySettings } from '../recurrent-settings.ts'
import { transposed } from '../turned.ts'
import { kerasActivation } from './activations.ts'
import { serialized, WHOLE, type KerasTensor } from './network.ts'
import type { LayerFacts, NodeLayers } from './node-layers.ts'
import { truthOf } from './operations.ts'

const CLASSES: Readonly<Record<RecurrentOp, string>> = { lstm: 'LSTM', gru: 'GRU', rnn: 'SimpleRNN' }
/** Where Keras's gates stand in ours. */
const ORDER: Readonly<Record<RecurrentOp, readonly number[]>> = { lstm: [0, 1, 2, 3], gru: [1, 0, 2], rnn: [0] }

/** What Keras layers have not, each a few words. */
function missing(c: NodeLayers<AnySettings>): string[] {
  const { settings: s, node } = c
  const { states } = RECURRENT[node.op as RecurrentOp]
  return [
    [s.timeMajor, 'timesteps as the first axis'], [s.stateful, 'states that are kept from run to run'], [s.clip !== 0, `clip ${s.clip}`],
    [(s.cellClip ?? 0) !== 0, `cellClip ${s.cellClip}`], [s.hasProjection === true, `a projection to ${s.outputSize}`], [s.layerNorm === true, 'layer normalisation in the cell'],
    [(s.coupling ?? 'none') !== 'none', 'coupled gates'], [s.delaySamples > 1, 'delayed states'],
    [Object.keys(node.parameters).some((role) => role.endsWith('.peepholes')), 'peepholes'],
    [states.some((_, n) => c.has(1 + n) && c.lifted(1 + n) === undefined), "initial states of all layers in one tensor; where they may be left out, optionalStates: 'zeros' (--zero-states) does without"],
    [new Set(states.map((_, n) => c.has(1 + n))).size > 1, 'one initial state without the other'],
    [isMasked(c) && c.has(1) && s.zeroEmptyState, 'zeros for the state of a sequence without a step'],
    [isMasked(c) && c.has(1) && s.returnSequences && s.maskRule === 'multiply', 'the initial state as the output of masked steps before the first that counts, as TensorFlow.js has it'],
  ].flatMap(([is, what]) => (is === true ? [what as string] : []))
}

const isMasked = (c: NodeLayers<AnySettings>): boolean => [1, 2].some((n) => c.has(RECURRENT[c.node.op as RecurrentOp].states.length + n))

/** The mask of a node: as the key that `Masks` has for it, and as a tensor, made where it is asked for. */
interface Mask {
  readonly key: string
  readonly tensor: () => KerasTensor
}

function maskOf(c: NodeLayers<AnySettings>): Mask | undefined {
  const position = 1 + RECURRENT[c.node.op as RecurrentOp].states.length
  if (c.has(position)) return { key: c.network.masks.keyOf(c.node.inputs[position] as string), tensor: () => truthOf(c, c.tensor(position)) }
  if (!c.has(position + 1)) return undefined
  let made: KerasTensor | undefined
  return { key: `steps of ${c.node.inputs[position + 1]}`, tensor: () => (made ??= maskOfLengths(c, c.tensor(0), c.tensor(position + 1))) }
}

/** bool [batch, timesteps], true for as many steps of each row as its length says: the number of each step, from 1 on, is a sum of ones. */
function maskOfLengths(c: NodeLayers, x: KerasTensor, lengths: KerasTensor): KerasTensor {
  const steps = { dtype: 'float32', shape: x.shape.slice(0, 2) } as const
  const ones = c.operation('OnesLike', [c.operation('GetItem', [x], steps, { args: [undefined, [WHOLE, WHOLE, 0]] })], steps)
  const numbers = c.operation('Cumsum', [ones], steps, { config: { axis: 1 } })
  const column = c.operation('ExpandDims', [c.operation('Cast', [lengths], { ...lengths, dtype: 'float32' }, { module: 'core', config: { dtype: 'float32' } })],
    { dtype: 'float32', shape: [x.shape[0] as Dimension, 1] }, { config: { axis: 1 } })
  return c.operation('LessEqual', [numbers, column], { dtype: 'bool', shape: steps.shape })
}

/** How a layer comes by its mask, which the output of every step has too. One that Keras would take, and that is none of ours, is left behind. */
function maskFacts(
  c: NodeLayers, x: KerasTensor, mask: Mask | undefined, hasStates: boolean, sequences: boolean,
): { readonly x: KerasTensor } & Pick<LayerFacts, 'mask' | 'attached'> {
  // With initial states Keras takes no mask but one that is an argument, and attaches it all the same.
  if (mask === undefined && hasStates) return { x, attached: sequences && x.mask !== undefined ? { ...x.mask, isSure: false } : undefined }
  if (mask === undefined) return { x: x.mask === undefined ? x : c.operation('Multiply', [x], x, { args: [undefined, 1] }), attached: undefined }
  const isAttached = x.mask?.key === mask.key && x.mask.isSure && !hasStates
  const attached = sequences ? { key: mask.key, isSure: isAttached } : undefined
  return isAttached ? { x, attached } : { x, mask: mask.tensor(), attached }
}

/** Writes an lstm, gru or rnn node: a layer of Keras for each of its layers. */
export function writeRecurrent(c: NodeLayers<AnySettings>): void {
  const lacks = missing(c)
  if (lacks.length > 0) throw c.unsupported(lacks.join(', '))
  const { numLayers, returnSequences } = c.settings
  const { states } = RECURRENT[c.node.op as RecurrentOp]
  const finals = states.map((): KerasTensor[] => [])
  const mask = maskOf(c)
  let x: KerasTensor = c.tensor(0)
  for (let layer = 0; layer < numLayers; layer++) {
    const isLast = layer === numLayers - 1
    const made = writeLayer(c, x, mask, layer, returnSequences || !isLast)
    x = made.y
    made.states.forEach((tensors, n) => finals[n]?.push(...tensors))
  }
  c.give(x)
  finals.forEach((tensors, n) => c.lift(tensors, 1 + n))
}

interface Made {
  readonly y: KerasTensor
  /** For each state, those of the directions. */
  readonly states: readonly (readonly KerasTensor[])[]
}

const sideBySide = (c: NodeLayers, tensors: readonly KerasTensor[], type: Pick<KerasTensor, 'dtype' | 'shape'>): KerasTensor => (
  c.operation('Concatenate', tensors, type, { takesList: true, config: { axis: -1 } })
)

/** One layer, in one direction or both. */
function writeLayer(c: NodeLayers<AnySettings>, x: KerasTensor, mask: Mask | undefined, layer: number, sequences: boolean): Made {
  const { directions, hiddenSize, outputSize, maskRule, returnSequences, reversedOutput } = c.settings
  const { states } = RECURRENT[c.node.op as RecurrentOp]
  const [batch, timesteps] = c.type(0).shape as [Dimension, Dimension]
  const width = directions.length * outputSize
  const typed = (size: number) => ({ dtype: 'float32' as const, shape: sequences ? [batch, timesteps, size] : [batch, size] })
  // What a row without a step ends with is its first state; the output of such a layer would be 0.
  const takesState = mask !== undefined && c.has(1) && !sequences && maskRule !== 'hold'
  const returnState = states.some((_, n) => c.isNeeded(1 + n)) || takesState
  const className = CLASSES[c.node.op as RecurrentOp]
  const zeros = mask !== undefined && sequences && (maskRule === 'zero' || (directions.length > 1 && layer < c.settings.numLayers - 1))
  const stateOf = (y: KerasTensor, index: number, n: number): KerasTensor => (
    { ...y, mask: undefined, index: 1 + index * states.length + n, shape: [batch, states[n] === 'h' ? outputSize : hiddenSize] }
  )
  const own = directions.map((direction, index) => ({
    config: { ...configOf(c, index, sequences, returnState, direction), ...zeros && { zero_output_for_mask: true } }, weights: weightsOf(c, layer, direction),
    initialState: states.flatMap((_state, n) => c.lifted(1 + n)?.[layer * directions.length + index] ?? []),
  }))
  const initialState = own.flatMap((one) => one.initialState)
  const { x: from, ...facts } = maskFacts(c, x, mask, initialState.length > 0, sequences)
  const [first, second] = own as [typeof own[number], typeof own[number]?]
  // Bidirectional puts out zeros at masked steps.
  const isApart = second !== undefined && mask !== undefined && sequences && !zeros
  if (second !== undefined && !isApart) {
    const y = c.add('Bidirectional', [from], typed(width), {
      ...facts, config: { merge_mode: 'concat', layer: serialized(className, 'forward', first.config), backward_layer: serialized(className, 'backward', second.config) },
      weights: { 'forward_layer/cell/vars': first.weights, 'backward_layer/cell/vars': second.weights }, initialState,
    })
    const both = states.map((_, n) => directions.map((_direction, index) => stateOf(y, index, n)))
    return { y: takesState ? sideBySide(c, both[0] ?? [], typed(width)) : y, states: both }
  }
  const made = own.map(({ config, weights, initialState: ownStates }, index) => {
    const y = c.add(className, [from], typed(outputSize), { ...facts, config, weights: { 'cell/vars': weights }, initialState: ownStates })
    const isTurned = directions[index] === 'reverse' && sequences && !(returnSequences && reversedOutput)
    const ownFinals = states.map((_, n) => stateOf(y, 0, n))
    return { y: isTurned ? c.operation('Flip', [y], y, { config: { axis: 1 } }) : takesState ? ownFinals[0] as KerasTensor : y, states: ownFinals }
  })
  const ys = made.map(({ y }) => y)
  return {
    y: ys.length === 1 ? ys[0] as KerasTensor : sideBySide(c, ys, typed(width)),
    states: states.map((_, n) => made.map((one) => one.states[n] as KerasTensor)),
  }
}

function configOf(c: NodeLayers<AnySettings>, index: number, sequences: boolean, returnState: boolean, direction: Direction): Record<string, unknown> {
  const { hiddenSize, resetAfter } = c.settings
  const { dropout, recurrentDropout } = c.node.attributes
  const names = functionsOf(c.settings, index).map((bound) => {
    const name = kerasActivation(bound)
    if (name === undefined) throw c.unsupported(`the activation '${bound.name}' with these constants`)
    return name
  })
  if (c.node.op === 'lstm' && names[1] !== names[2]) throw c.unsupported(`'${names[1]}' for the candidate and '${names[2]}' for the output`)
  const activations = c.node.op === 'rnn' ? { activation: names[0] } : { activation: names[1], recurrent_activation: names[0] }
  return {
    units: hiddenSize, ...activations, return_sequences: sequences, return_state: returnState, go_backwards: direction === 'reverse', stateful: false, unroll: false,
    ...(dropout !== undefined && { dropout }), ...(recurrentDropout !== undefined && { recurrent_dropout: recurrentDropout }),
    use_bias: true, ...(c.node.op === 'gru' && { reset_after: resetAfter }), ...(c.node.op === 'lstm' && { unit_forget_bias: false }),
  }
}

/** kernel [features, gates units], recurrent kernel [units, gates units], bias. */
function weightsOf(c: NodeLayers<AnySettings>, layer: number, direction: Direction): ArrayLike[] {
  const op = c.node.op as RecurrentOp
  const { hiddenSize, forgetBias = 0, resetAfter } = c.settings
  const rows = RECURRENT[op].gates * hiddenSize
  const of = (weight: string): ArrayLike | undefined => c.weight(roleOf(layer, direction, weight))
  const ordered = (data: ArrayLike['data']): Float32Array => {
    const out = new Float32Array(data.length)
    const block = data.length / ORDER[op].length
    ORDER[op].forEach((from, to) => out.set(data.subarray(from * block, (from + 1) * block), to * block))
    return out
  }
  const kernel = (weight: string): NdArray => {
    const { data, shape } = of(weight) as ArrayLike
    return transposed(new NdArray(ordered(data), shape))
  }
  const [input, recurrent] = ['inputBias', 'recurrentBias'].map((weight) => Float32Array.from(of(weight)?.data ?? new Float32Array(rows))) as [Float32Array, Float32Array]
  for (let unit = hiddenSize; op === 'lstm' && unit < 2 * hiddenSize; unit++) input[unit] = (input[unit] as number) + forgetBias
  const isApart = op === 'gru' && resetAfter === true
  const bias = isApart
    ? new NdArray(Float32Array.of(...ordered(input), ...ordered(recurrent)), [2, rows])
    : new NdArray(ordered(input.map((value, n) => value + (recurrent[n] as number))), [rows])
  return [kernel('inputWeights'), kernel('recurrentWeights'), bias]
}
