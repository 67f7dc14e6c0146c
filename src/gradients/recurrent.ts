// Recurrent layers: lowered to a node for each layer and direction, whose way back is one node.
import { LstmError } from '../errors.ts'
import { GRU_INPUTS } from '../ops/training/gru.ts'
import { LSTM_INPUTS } from '../ops/training/lstm.ts'
import { RNN_INPUTS } from '../ops/training/rnn.ts'
import { label } from '../ops/node/checks.ts'
import type { Attribute, GraphNode } from '../ops/graph-data.ts'
import { roleOf, type Direction, type LayerSettings } from '../ops/recurrent/layer-settings.ts'
import type { GruSettings } from '../ops/recurrent/gru.ts'
import type { RnnSettings } from '../ops/recurrent/rnn.ts'
import type { LstmSettings } from '../ops/recurrent/settings.ts'
import { NdArray } from '../values/ndarray.ts'
import { lengthOf, type Shape } from '../values/shape.ts'
import { integers } from './builder.ts'
import { streamOf } from './lower/dropout.ts'
import type { Lowering, LoweringBuilder, Lowerings } from './lowering.ts'
import type { GradientRule, GradientRules } from './rule.ts'

/** A layer in one direction, on its way. */
interface LayerCall {
  readonly node: GraphNode
  readonly layer: number
  readonly direction: Direction
  readonly index: number
  /** Attributes of the node that is made. */
  readonly attributes: Readonly<Record<string, Attribute>>
  readonly x: string
  readonly states: readonly string[]
  readonly mask: string
  /** What h is multiplied with before the recurrent product, [batch, outputSize]; or `''`. */
  readonly drop: string
  readonly build: LoweringBuilder
  /** Name of a weight's constant, or undefined where the layer has none. */
  readonly constantOf: (weight: string) => string | undefined
}

/** What differs between cells. */
interface CellLowering<Settings extends LayerSettings> {
  readonly states: number
  /** Why these settings cannot be trained, or undefined. */
  refusal(settings: Settings): string | undefined
  /** Adds the node; returns the names of y, of the final states, and of what is kept. */
  add(call: LayerCall, settings: Settings): readonly string[]
}

/** The sum of two biases, of which each may be absent: both have its gradient. */
function biasSum({ constantOf, build }: LayerCall, more = 0, units = 0): string {
  const biases = ['inputBias', 'recurrentBias'].flatMap((bias) => {
    const constant = constantOf(bias)
    return constant === undefined ? [] : build.parameter(constant)
  })
  const [first, second] = biases
  const sum = second === undefined ? first : build.node('add', [first as string, second])
  if (more === 0) return sum ?? ''
  const shift = forgetShift(build, more, units, [4 * units])
  return sum === undefined ? shift : build.node('add', [sum, shift])
}

/** TensorFlow 1's forget bias, where gates are stacked: a constant that is no weight. */
function forgetShift(build: LoweringBuilder, forgetBias: number, units: number, shape: Shape): string {
  return build.constant(new NdArray(Float32Array.from({ length: lengthOf(shape) }, (_, n) => (n >= units && n < 2 * units ? forgetBias : 0)), shape))
}

/** Gain and shift of normalised gates, [10, units]. The forget bias comes after the normalisation, which would take it away: it is a part of the shift. */
function gainsAndShifts({ constantOf, build }: LayerCall, forgetBias: number, units: number): string {
  const [gain, shift] = (['normGain', 'normShift'] as const).map((weight) => build.parameter(constantOf(weight) as string)) as [string, string]
  const shifted = forgetBias === 0 ? shift : build.node('add', [shift, forgetShift(build, forgetBias, units, [5, units])])
  return build.node('concat', [gain, shifted], { axis: 0 })
}

/** Element `index` along the first axis, without that axis. */
function take(build: LoweringBuilder, value: string, index: number): string {
  const part = build.node('slice', [value, ...[index, index + 1, 0].map((number) => build.constant(integers(number)))])
  return build.reshape(part, build.shapeOf(value).slice(1))
}

function lowerStack<Settings extends LayerSettings>(cell: CellLowering<Settings>): Lowering {
  return (node, settings: Settings, inputs, build) => {
    const refused = cell.refusal(settings)
    if (refused !== undefined) throw new LstmError('UNSUPPORTED', `training: ${label(node)}: ${refused} has no gradient here; train a layer without it`)
    const { numLayers, directions, timeMajor, returnSequences, stateful, outputSize, hiddenSize, zeroEmptyState } = settings
    const [first, second] = build.shapeOf(inputs[0] as string) as [number, number]
    const [batch, timesteps] = timeMajor ? [second, first] : [first, second]
    build.goesOver(timesteps)
    const mask = maskOf(inputs[1 + cell.states] ?? '', inputs[2 + cell.states] ?? '', timesteps, build)
    const counting = zeroEmptyState && mask !== '' ? rowsThatCount(mask, build) : undefined
    const finals: string[][] = Array.from({ length: cell.states }, () => [])
    let x = inputs[0] as string
    let last: string[] = []
    for (let layer = 0; layer < numLayers; layer++) {
      const made = directions.map((direction, index) => {
        const position = layer * directions.length + index
        const names = Array.from({ length: cell.states }, (_, n) => `${node.name}.${layer}.${direction}.${n}`)
        const states = names.map((name, n) => {
          if (stateful) return build.state(name, [batch, n === 0 ? outputSize : hiddenSize])
          const given = inputs[1 + n] ?? ''
          return given === '' ? '' : take(build, given, position)
        })
        const place = { build, stream: `${node.name}.${layer}.${direction}`, batch }
        const call: LayerCall = {
          node, layer, direction, index, x: dropped(place, settings, x), states, mask, build,
          drop: dropMask(place, settings, 'recurrentDropout', outputSize),
          attributes: { ...node.attributes, ...functionsOf(node, settings, index), numLayers: 1, direction, returnSequences: true },
          constantOf: (weight) => node.parameters[roleOf(layer, direction, weight)],
        }
        const [sequence = '', ...ends] = cell.add(call, settings)
        const outputs = [sequence, ...ends.map((state, n) => (counting === undefined || n >= cell.states ? state : build.node('mul', [state, counting])))]
        names.forEach((name, n) => {
          finals[n]?.push(outputs[1 + n] as string)
          if (stateful) build.carry(name, outputs[1 + n] as string)
        })
        return outputs
      })
      last = made.map((outputs) => outputs[1] as string)
      const ys = made.map((outputs) => outputs[0] as string)
      x = ys.length === 1 ? ys[0] as string : build.node('concat', ys, { axis: 2 })
    }
    const y = returnSequences ? x : last.length === 1 ? last[0] as string : build.node('concat', last, { axis: 1 })
    return [y, ...finals.map((all, n) => {
      if ((node.outputs[1 + n] ?? '') === '') return ''
      const stacked = all.map((value) => build.reshape(value, [1, ...build.shapeOf(value)]))
      return stacked.length === 1 ? stacked[0] as string : build.node('concat', stacked, { axis: 0 })
    })]
  }
}

/** The mask, or what lengths say: step < length. */
function maskOf(mask: string, lengths: string, timesteps: number, build: LoweringBuilder): string {
  if (mask !== '' || lengths === '') return mask
  const steps = build.constant(new NdArray(Int32Array.from({ length: timesteps }, (_, t) => t), [1, timesteps]))
  return build.node('less', [steps, build.reshape(lengths, [build.shapeOf(lengths)[0] as number, 1])])
}

interface DropPlace {
  readonly build: LoweringBuilder
  /** Whose masks these are: each layer and direction has its own. */
  readonly stream: string
  readonly batch: number
}

/** What drops, [batch, features]: 0, or 1 / (1 - rate). `''` outside training, and where nothing is dropped. */
function dropMask({ build, stream, batch }: DropPlace, settings: LayerSettings, attribute: 'dropout' | 'recurrentDropout', features: number): string {
  const rate = settings[attribute]
  if (!build.training || rate === 0) return ''
  return build.node('drop', [build.filled(1, [batch, features]), build.seed()], { rate, stream: streamOf(`${stream}.${attribute}`) })
}

/** The input of a layer with its features dropped, the same ones at every timestep. */
function dropped(place: DropPlace, settings: LayerSettings, x: string): string {
  const { build, batch } = place
  const features = build.shapeOf(x)[2] as number
  const mask = dropMask(place, settings, 'dropout', features)
  return mask === '' ? x : build.node('mul', [x, build.reshape(mask, settings.timeMajor ? [1, batch, features] : [batch, 1, features])])
}

/** 1 for rows with a step that counts, 0 for others: [batch, 1]. */
function rowsThatCount(mask: string, build: LoweringBuilder): string {
  return build.node('reduceMax', [build.node('cast', [mask], { to: 'float32' }), build.constant(integers(1))], { keepdims: true })
}

/** The functions of one direction. */
function functionsOf(node: GraphNode, { directions }: LayerSettings, index: number): Record<string, Attribute> {
  const of = (name: string): Attribute | undefined => {
    const list = node.attributes[name]
    if (!Array.isArray(list)) return undefined
    const each = list.length / directions.length
    return (list as number[]).slice(index * each, (index + 1) * each)
  }
  return Object.fromEntries(['activations', 'activationAlpha', 'activationBeta'].flatMap((name) => {
    const value = of(name)
    return value === undefined ? [] : [[name, value]]
  }))
}

/** Functions of a whole row have no slope of one element. */
function rowFunction(functions: readonly { readonly name: string }[]): string | undefined {
  const row = functions.find(({ name }) => ['softmax', 'logSoftmax', 'sparsemax'].includes(name))
  return row === undefined ? undefined : `the activation '${row.name}'`
}

const lstmCell: CellLowering<LstmSettings> = {
  states: 2,
  refusal: ({ delaySamples, functions }) => (
    delaySamples > 1 ? "'delaySamples'" : rowFunction(functions.flatMap(({ gate, candidate, output }) => [gate, candidate, output]))
  ),
  add(call, { hiddenSize, outputSize, forgetBias, hasProjection, layerNorm }) {
    const { build, x, mask, constantOf, attributes } = call
    const inputSize = build.shapeOf(x)[2] as number
    const peepholes = constantOf('peepholes')
    const inputs = Array.from({ length: 11 }, () => '')
    const set = (position: keyof typeof LSTM_INPUTS, value: string): void => {
      inputs[LSTM_INPUTS[position]] = value
    }
    set('x', x)
    set('w', build.packed(constantOf('inputWeights') as string, { k: inputSize, units: hiddenSize, gates: 4 }))
    set('u', build.packed(constantOf('recurrentWeights') as string, { k: outputSize, units: hiddenSize, gates: 4 }))
    set('bias', biasSum(call, layerNorm ? 0 : forgetBias, hiddenSize))
    set('h0', call.states[0] as string)
    set('c0', call.states[1] as string)
    set('mask', mask)
    set('drop', call.drop)
    if (hasProjection) set('projection', build.packed(constantOf('projection') as string, { k: hiddenSize, units: outputSize, gates: 0 }))
    if (peepholes !== undefined) set('peepholes', build.reshape(build.parameter(peepholes), [3, hiddenSize]))
    if (layerNorm) set('norm', gainsAndShifts(call, forgetBias, hiddenSize))
    return build.nodes('trainedLstm', inputs, attributes, 4)
  },
}

const gruCell: CellLowering<GruSettings> = {
  states: 1,
  refusal: ({ functions }) => rowFunction(functions.flat()),
  add({ build, x, mask, drop, states, constantOf, attributes }, { hiddenSize, resetAfter }) {
    const inputs = Array.from({ length: 9 }, () => '')
    const set = (position: keyof typeof GRU_INPUTS, value: string): void => {
      inputs[GRU_INPUTS[position]] = value
    }
    const u = constantOf('recurrentWeights') as string
    const bias = (name: string): string => {
      const constant = constantOf(name)
      return constant === undefined ? '' : build.parameter(constant)
    }
    set('x', x)
    set('w', build.packed(constantOf('inputWeights') as string, { k: build.shapeOf(x)[2] as number, units: hiddenSize, gates: 3 }))
    set('u', build.packed(u, resetAfter ? { k: hiddenSize, units: hiddenSize, gates: 3 } : { k: hiddenSize, units: hiddenSize, gates: 2, begin: 0 }))
    if (!resetAfter) set('candidate', build.packed(u, { k: hiddenSize, units: hiddenSize, gates: 1, begin: 2 }))
    set('inputBias', bias('inputBias'))
    set('recurrentBias', bias('recurrentBias'))
    set('h0', states[0] as string)
    set('mask', mask)
    set('drop', drop)
    const [y, h] = build.nodes('trainedGru', inputs, attributes, 3)
    return [y as string, h as string]
  },
}

const rnnCell: CellLowering<RnnSettings> = {
  states: 1,
  refusal: ({ functions }) => rowFunction(functions.flat()),
  add(call, { hiddenSize }) {
    const { build, x, mask, drop, states, constantOf, attributes } = call
    const [w, u] = (['inputWeights', 'recurrentWeights'] as const).map((weight) => {
      const k = weight === 'inputWeights' ? build.shapeOf(x)[2] as number : hiddenSize
      return build.packed(constantOf(weight) as string, { k, units: hiddenSize, gates: 1 })
    })
    const [y, h] = build.nodes('trainedRnn', [x, w as string, u as string, biasSum(call), states[0] as string, mask, drop], attributes, 3)
    return [y as string, h as string]
  },
}

/** Whether each of some inputs is there and its gradient wanted. */
const wantedOf = (node: GraphNode, wanted: readonly boolean[], positions: readonly number[]): boolean[] => (
  positions.map((position) => (node.inputs[position] ?? '') !== '' && wanted[position] === true)
)

/** A rule of a node whose way back is one node: its inputs, what it kept, and the gradients of the outputs before that. */
function backwardRule(op: string, inputs: number, kept: number, positions: readonly number[]): GradientRule {
  return ({ node, outputs, wanted }, build) => {
    const own = Array.from({ length: inputs }, (_, n) => node.inputs[n] ?? '')
    const gradients = Array.from({ length: kept }, (_, n) => outputs[n] ?? '')
    const made = build.nodes(op, [...own, node.outputs[kept] as string, ...gradients], node.attributes, wantedOf(node, wanted, positions))
    const found: (string | undefined)[] = []
    positions.forEach((position, n) => {
      found[position] = made[n] === '' ? undefined : made[n]
    })
    return found
  }
}

/** Rules of the nodes that recurrent layers become. */
export const RECURRENT_RULES: GradientRules = {
  trainedLstm: backwardRule('lstmBackward', 11, 3, [
    LSTM_INPUTS.x, LSTM_INPUTS.w, LSTM_INPUTS.u, LSTM_INPUTS.bias, LSTM_INPUTS.h0, LSTM_INPUTS.c0, LSTM_INPUTS.projection, LSTM_INPUTS.peepholes,
    LSTM_INPUTS.norm,
  ]),
  trainedGru: backwardRule('gruBackward', 9, 2, [
    GRU_INPUTS.x, GRU_INPUTS.w, GRU_INPUTS.u, GRU_INPUTS.candidate, GRU_INPUTS.inputBias, GRU_INPUTS.recurrentBias, GRU_INPUTS.h0,
  ]),
  trainedRnn: backwardRule('rnnBackward', 7, 2, [RNN_INPUTS.x, RNN_INPUTS.w, RNN_INPUTS.u, RNN_INPUTS.bias, RNN_INPUTS.h0]),
}

/** Lowerings of recurrent layers. */
export const RECURRENT_LOWERINGS: Lowerings = { lstm: lowerStack(lstmCell), gru: lowerStack(gruCell), rnn: lowerStack(rnnCell) }
