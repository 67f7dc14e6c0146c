// LSTM, GRU and SimpleRNN of Keras, in one direction or in both. Keras has gates i, f, c, o and z, r, h, kernels [features, gates x units].
import { RECURRENT, type RecurrentOp } from '../../ops/recurrent/kinds.ts'
import { roleOf, type Direction } from '../../ops/recurrent/layer-settings.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import type { Dimension } from '../../values/shape.ts'
import { functionsOf, type AnySettings } from '../recurrent-settings.ts'
import { transposed } from '../turned.ts'
import { kerasActivation } from './activations.ts'
import { serialized, type KerasTensor } from './network.ts'
import type { NodeLayers } from './node-layers.ts'

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
    [c.has(1 + states.length), 'a mask as an input'], [c.has(2 + states.length), 'lengths as an input'],
    [s.directions.length === 1 && s.directions[0] === 'reverse' && s.returnSequences && !s.reversedOutput, 'outputs in the order of the sequence, where it is walked backwards'],
  ].flatMap(([is, what]) => (is === true ? [what as string] : []))
}

/** Writes an lstm, gru or rnn node: a layer of Keras for each of its layers. */
export function writeRecurrent(c: NodeLayers<AnySettings>): void {
  const lacks = missing(c)
  if (lacks.length > 0) throw c.unsupported(lacks.join(', '))
  const { numLayers, directions, returnSequences, outputSize } = c.settings
  const { states } = RECURRENT[c.node.op as RecurrentOp]
  const [batch, timesteps] = c.type(0).shape as [Dimension, Dimension]
  const returnState = states.some((_, n) => c.isNeeded(1 + n))
  const finals = states.map((): KerasTensor[] => [])
  const className = CLASSES[c.node.op as RecurrentOp]
  let x: KerasTensor = c.tensor(0)
  for (let layer = 0; layer < numLayers; layer++) {
    const sequences = returnSequences || layer < numLayers - 1
    const type = { dtype: 'float32', shape: sequences ? [batch, timesteps, directions.length * outputSize] : [batch, directions.length * outputSize] } as const
    const own = directions.map((direction, index) => (
      { config: configOf(c, index, sequences, returnState, direction), weights: weightsOf(c, layer, direction) }
    ))
    const [first, second] = own as [typeof own[number], typeof own[number]?]
    const position = layer * directions.length
    const initialState = directions.flatMap((_, index) => states.flatMap((_state, n) => c.lifted(1 + n)?.[position + index] ?? []))
    x = second === undefined
      ? c.add(className, [x], type, { config: first.config, weights: { 'cell/vars': first.weights }, initialState })
      : c.add('Bidirectional', [x], type, {
          config: { merge_mode: 'concat', layer: serialized(className, 'forward', first.config), backward_layer: serialized(className, 'backward', second.config) },
          weights: { 'forward_layer/cell/vars': first.weights, 'backward_layer/cell/vars': second.weights }, initialState,
        })
    directions.forEach((_, index) => states.forEach((state, n) => finals[n]?.push({
      ...x, index: 1 + index * states.length + n, shape: [batch, state === 'h' ? outputSize : c.settings.hiddenSize],
    })))
  }
  c.give(x)
  finals.forEach((tensors, n) => c.lift(tensors, 1 + n))
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
