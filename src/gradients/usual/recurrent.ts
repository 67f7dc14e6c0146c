// Recurrent layers: lowered to a node for each layer and direction, whose way back is one node.
import { LstmError } from '../../errors.ts'
import { label } from '../../ops/node/checks.ts'
import type { Attribute, GraphNode } from '../../ops/graph-data.ts'
import { roleOf, type Direction, type LayerSettings } from '../../ops/recurrent/layer-settings.ts'
import { NdArray } from '../../values/ndarray.ts'
import { integers } from '../builder.ts'
import type { Lowering, LoweringBuilder } from '../lowering.ts'
import type { GradientRule } from '../rule.ts'
import { streamOf } from './dropout.ts'

/** A layer in one direction, on its way. */
export interface LayerCall {
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
export interface CellLowering<Settings extends LayerSettings> {
  readonly states: number
  /** Why these settings cannot be trained, or undefined. */
  refusal(settings: Settings): string | undefined
  /** Adds the node; returns the names of y, of the final states, and of what is kept. */
  add(call: LayerCall, settings: Settings): readonly string[]
}

/** The sum of two biases, of which each may be absent: both have its gradient. `''` without any. */
export function biasSum({ constantOf, build }: LayerCall): string {
  const biases = ['inputBias', 'recurrentBias'].flatMap((bias) => {
    const constant = constantOf(bias)
    return constant === undefined ? [] : build.parameter(constant)
  })
  const [first = '', second] = biases
  return second === undefined ? first : build.node('add', [first, second])
}

/** Element `index` along the first axis, without that axis. */
function take(build: LoweringBuilder, value: string, index: number): string {
  const part = build.node('slice', [value, ...[index, index + 1, 0].map((number) => build.constant(integers(number)))])
  return build.reshape(part, build.shapeOf(value).slice(1))
}

/** All layers and directions of a node. */
export function lowerStack<Settings extends LayerSettings>(cell: CellLowering<Settings>): Lowering {
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
export function rowFunction(functions: readonly { readonly name: string }[]): string | undefined {
  const row = functions.find(({ name }) => ['softmax', 'logSoftmax', 'sparsemax'].includes(name))
  return row === undefined ? undefined : `the activation '${row.name}'`
}

/** Whether each of some inputs is there and its gradient wanted. */
const wantedOf = (node: GraphNode, wanted: readonly boolean[], positions: readonly number[]): boolean[] => (
  positions.map((position) => (node.inputs[position] ?? '') !== '' && wanted[position] === true)
)

/** A rule of a node whose way back is one node: its inputs, what it kept, and the gradients of the outputs before that. */
export function backwardRule(op: string, inputs: number, kept: number, positions: readonly number[]): GradientRule {
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
