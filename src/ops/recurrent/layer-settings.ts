// Attributes that all recurrent layers have, whatever their cell is.
import { LstmError } from '../../errors.ts'
import { bindFunction, type BoundFunction } from '../elementwise/functions.ts'
import { finiteOf, integerOf, switchOf, wordOf, wrong } from '../node/attributes.ts'
import { label } from '../node/checks.ts'
import type { GraphNode } from '../graph-data.ts'

/** `forward` walks from the first step to the last, `reverse` from the last to the first. */
export type Direction = 'forward' | 'reverse'

const MASK_RULES = ['zero', 'hold', 'multiply'] as const

/** What the attributes of a recurrent node say, checked. */
export interface LayerSettings {
  /** Units: Keras `units`, TensorFlow 1 `num_units`. */
  readonly hiddenSize: number
  /** Length of h: the units, unless an LSTM projects them. */
  readonly outputSize: number
  readonly numLayers: number
  readonly directions: readonly Direction[]
  readonly timeMajor: boolean
  readonly returnSequences: boolean
  /** Keras `go_backwards`: outputs stay in the order they are made. */
  readonly reversedOutput: boolean
  /** ONNX `clip`: gates are clamped before activation. 0: not. */
  readonly clip: number
  /** What masked steps output: `zero` (PyTorch, TensorFlow 1, ONNX), `hold` (Keras), `multiply` (TensorFlow.js). */
  readonly maskRule: typeof MASK_RULES[number]
  /** State of a row without a valid step: the initial one, or zeros (onnxruntime). */
  readonly zeroEmptyState: boolean
  /** The state is kept from run to run. */
  readonly stateful: boolean
  /** In training alone, the share of features, and of h, that is dropped: src/gradients/recurrent.ts. What is no rate is refused wherever the model runs. */
  readonly dropout: number
  readonly recurrentDropout: number
  /** RTNeural, LSTM only: each step begins from the states of so many steps before, 1 or more, between steps if it is not whole; outputs are as late. */
  readonly delaySamples: number
}

/** Names of the attributes that all recurrent operators know. */
export const LAYER_ATTRIBUTES: readonly string[] = [
  'hiddenSize', 'numLayers', 'direction', 'timeMajor', 'returnSequences', 'reversedOutput', 'clip', 'activations', 'activationAlpha',
  'activationBeta', 'maskRule', 'zeroEmptyState', 'stateful', 'dropout', 'recurrentDropout',
]

function rateOf(node: GraphNode, attribute: string): number {
  const rate = finiteOf(node, attribute, 0)
  if (rate >= 1) throw wrong(node, attribute, 'a number from 0 to below 1')
  return rate
}

/** @throws LstmError `VALUE` or `UNSUPPORTED` for attributes that are not accepted */
export function readLayerSettings(node: GraphNode): LayerSettings {
  const direction = wordOf(node, 'direction', ['forward', 'reverse', 'bidirectional'])
  const hiddenSize = integerOf(node, 'hiddenSize', undefined, 1)
  const settings: LayerSettings = {
    hiddenSize,
    outputSize: hiddenSize,
    numLayers: integerOf(node, 'numLayers', undefined, 1),
    directions: direction === 'bidirectional' ? ['forward', 'reverse'] : [direction],
    timeMajor: switchOf(node, 'timeMajor'),
    returnSequences: switchOf(node, 'returnSequences'),
    reversedOutput: switchOf(node, 'reversedOutput'),
    clip: finiteOf(node, 'clip', 0),
    maskRule: wordOf(node, 'maskRule', MASK_RULES),
    zeroEmptyState: switchOf(node, 'zeroEmptyState'),
    stateful: switchOf(node, 'stateful'),
    dropout: rateOf(node, 'dropout'),
    recurrentDropout: rateOf(node, 'recurrentDropout'),
    delaySamples: 1,
  }
  if (settings.reversedOutput && (direction !== 'reverse' || settings.numLayers > 1)) {
    throw new LstmError('UNSUPPORTED', `${label(node)}: 'reversedOutput' (Keras's go_backwards) works for one layer with direction 'reverse', got ${settings.numLayers} layers and '${direction}'`)
  }
  return settings
}

/**
 * The functions of each direction. `activations` names as many a direction as there are defaults.
 * @param meaning what they are functions of, for messages
 */
export function readFunctions(node: GraphNode, directions: number, defaults: readonly string[], meaning: string): BoundFunction[][] {
  const names = node.attributes.activations ?? Array.from({ length: directions }, () => defaults).flat()
  const wanted = defaults.length * directions
  const isNames = Array.isArray(names) && names.length === wanted && names.every((name) => typeof name === 'string')
  if (!isNames) {
    throw new LstmError('VALUE', `${label(node)}: expected ${wanted} names for 'activations' (${meaning} of each direction), got ${JSON.stringify(names)}`)
  }
  const [alphas, betas] = (['activationAlpha', 'activationBeta'] as const).map((attribute) => {
    const values = node.attributes[attribute]
    if (values === undefined) return undefined
    if (!Array.isArray(values) || values.length !== wanted || !values.every((value) => typeof value === 'number')) {
      throw new LstmError('VALUE', `${label(node)}: expected ${wanted} numbers for '${attribute}', one for each of 'activations', got ${JSON.stringify(values)}`)
    }
    return values
  })
  return Array.from({ length: directions }, (_, index) => defaults.map((_name, position) => {
    const at = defaults.length * index + position
    return bindFunction(names[at] as string, alphas?.[at], betas?.[at], label(node))
  }))
}

/** Weights that every cell has: the biases are optional. */
export type LayerWeight = 'inputWeights' | 'recurrentWeights' | 'inputBias' | 'recurrentBias'

/** The operator's name for a weight of one layer and direction. */
export function roleOf(layer: number, direction: Direction, weight: string): string {
  return `${layer}.${direction}.${weight}`
}
