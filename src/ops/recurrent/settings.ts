import { LstmError } from '../../errors.ts'
import { finiteOf, integerOf, switchOf, wordOf } from '../node/attributes.ts'
import { label } from '../node/checks.ts'
import { bindFunction, type BoundFunction } from '../elementwise/functions.ts'
import type { GraphNode } from '../operator.ts'

/** `forward` walks from the first step to the last, `reverse` from the last to the first. */
export type Direction = 'forward' | 'reverse'

/**
 * Weights of one layer and direction. Gates are stacked in the order i, f, g, o:
 * - `inputWeights` [4 hiddenSize, features], `recurrentWeights` [4 hiddenSize, outputSize];
 * - `inputBias`, `recurrentBias` [4 hiddenSize]: optional, added to each other;
 * - `peepholes` [3 hiddenSize]: i, f, o; optional;
 * - `projection` [projSize, hiddenSize]: where there is a projSize;
 * - `normGain`, `normShift` [5, hiddenSize]: i, f, g, o, c; with `layerNorm`.
 */
export type LstmWeight =
  | 'inputWeights' | 'recurrentWeights' | 'inputBias' | 'recurrentBias' | 'peepholes' | 'projection' | 'normGain' | 'normShift'

/** The operator's name for a weight of one layer and direction. */
export function lstmRole(layer: number, direction: Direction, weight: LstmWeight): string {
  return `${layer}.${direction}.${weight}`
}

/** What a cell computes with: gates i, f, o; candidate g; and c on its way out. */
export interface CellFunctions {
  readonly gate: BoundFunction
  readonly candidate: BoundFunction
  readonly output: BoundFunction
}

const COUPLINGS = ['none', 'forgetIsOneMinusInput', 'inputIsOneMinusForget'] as const
const MASK_RULES = ['zero', 'hold', 'multiply'] as const

/** The attributes of an lstm node, checked. */
export interface LstmSettings {
  /** Units: length of c. Keras `units`, TensorFlow 1 `num_units`. */
  readonly hiddenSize: number
  /** Length of h: the units, or PyTorch's `proj_size`, TensorFlow 1's `num_proj`. */
  readonly outputSize: number
  readonly hasProjection: boolean
  readonly numLayers: number
  readonly directions: readonly Direction[]
  readonly timeMajor: boolean
  readonly returnSequences: boolean
  /** Keras `go_backwards`: outputs stay in the order they are made. */
  readonly reversedOutput: boolean
  /** Added to the forget gate at run time (TensorFlow 1). */
  readonly forgetBias: number
  /** ONNX `clip`: gates are clamped before activation. 0: not. */
  readonly clip: number
  /** TensorFlow 1 `cell_clip`: c is clamped. 0: not. */
  readonly cellClip: number
  /** TensorFlow 1 `proj_clip`: h is clamped after the projection. 0: not. */
  readonly projClip: number
  readonly coupling: typeof COUPLINGS[number]
  readonly layerNorm: boolean
  readonly normEpsilon: number
  /** For each direction. */
  readonly functions: readonly CellFunctions[]
  /** What masked steps output: `zero` (PyTorch, TensorFlow 1, ONNX), `hold` (Keras), `multiply` (TensorFlow.js). */
  readonly maskRule: typeof MASK_RULES[number]
  /** State of a row without a valid step: the initial one, or zeros (onnxruntime). */
  readonly zeroEmptyState: boolean
  /** The state is kept from run to run. */
  readonly stateful: boolean
  /** RTNeural: each step begins from h and c of so many steps before, 1 or more, between steps if it is not whole; outputs are as late. */
  readonly delaySamples: number
}

/** Names of all attributes. */
export const LSTM_ATTRIBUTES: readonly string[] = [
  'hiddenSize', 'projSize', 'numLayers', 'direction', 'timeMajor', 'returnSequences', 'reversedOutput', 'forgetBias',
  'clip', 'cellClip', 'projClip', 'coupling', 'layerNorm', 'normEpsilon', 'activations', 'activationAlpha',
  'activationBeta', 'maskRule', 'zeroEmptyState', 'stateful', 'delaySamples',
]

/** @throws LstmError `VALUE` or `UNSUPPORTED` for attributes that are not accepted */
export function readSettings(node: GraphNode): LstmSettings {
  const direction = wordOf(node, 'direction', ['forward', 'reverse', 'bidirectional'])
  const directions: Direction[] = direction === 'bidirectional' ? ['forward', 'reverse'] : [direction]
  const hiddenSize = integerOf(node, 'hiddenSize', undefined, 1)
  const hasProjection = node.attributes.projSize !== undefined
  const settings: LstmSettings = {
    hiddenSize,
    outputSize: hasProjection ? integerOf(node, 'projSize', undefined, 1) : hiddenSize,
    hasProjection,
    numLayers: integerOf(node, 'numLayers', undefined, 1),
    directions,
    timeMajor: switchOf(node, 'timeMajor'),
    returnSequences: switchOf(node, 'returnSequences'),
    reversedOutput: switchOf(node, 'reversedOutput'),
    forgetBias: finiteOf(node, 'forgetBias', -Infinity),
    clip: finiteOf(node, 'clip', 0),
    cellClip: finiteOf(node, 'cellClip', 0),
    projClip: finiteOf(node, 'projClip', 0),
    coupling: wordOf(node, 'coupling', COUPLINGS),
    layerNorm: switchOf(node, 'layerNorm'),
    normEpsilon: finiteOf(node, 'normEpsilon', 0, 1e-12),
    functions: directions.map((_, index) => readFunctions(node, directions.length, index)),
    maskRule: wordOf(node, 'maskRule', MASK_RULES),
    zeroEmptyState: switchOf(node, 'zeroEmptyState'),
    stateful: switchOf(node, 'stateful'),
    delaySamples: finiteOf(node, 'delaySamples', 1, 1),
  }
  if (settings.reversedOutput && (direction !== 'reverse' || settings.numLayers > 1)) {
    throw new LstmError('UNSUPPORTED', `${label(node)}: 'reversedOutput' (Keras's go_backwards) works for one layer with direction 'reverse', got ${settings.numLayers} layers and '${direction}'`)
  }
  return settings
}

/** Whether the fused kernel does it: everything else goes through the general one. */
export function isPlain(settings: LstmSettings, functions: CellFunctions, hasPeepholes: boolean, hasMask: boolean): boolean {
  const { clip, cellClip, hasProjection, coupling, layerNorm, delaySamples } = settings
  return delaySamples === 1 && !hasMask && !hasPeepholes && !hasProjection && !layerNorm && coupling === 'none' && clip === 0 && cellClip === 0
    && functions.gate.name === 'sigmoid' && functions.candidate.name === 'tanh' && functions.output.name === 'tanh'
}

/** `activations` names three functions a direction: gates, candidate, output. Absent: sigmoid, tanh, tanh. */
function readFunctions(node: GraphNode, directions: number, index: number): CellFunctions {
  const names = node.attributes.activations ?? Array.from({ length: directions }, () => ['sigmoid', 'tanh', 'tanh']).flat()
  const wanted = 3 * directions
  const isNames = Array.isArray(names) && names.length === wanted && names.every((name) => typeof name === 'string')
  if (!isNames) {
    throw new LstmError('VALUE', `${label(node)}: expected ${wanted} names for 'activations' (gates, candidate and output of each direction), got ${JSON.stringify(names)}`)
  }
  const constants = (['activationAlpha', 'activationBeta'] as const).map((attribute) => {
    const values = node.attributes[attribute]
    if (values === undefined) return undefined
    if (!Array.isArray(values) || values.length !== wanted || !values.every((value) => typeof value === 'number')) {
      throw new LstmError('VALUE', `${label(node)}: expected ${wanted} numbers for '${attribute}', one for each of 'activations', got ${JSON.stringify(values)}`)
    }
    return values
  })
  const bind = (position: number): BoundFunction => {
    const at = 3 * index + position
    return bindFunction(names[at] as string, constants[0]?.[at], constants[1]?.[at], label(node))
  }
  return { gate: bind(0), candidate: bind(1), output: bind(2) }
}
