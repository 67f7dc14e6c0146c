import { Coupling } from '../../contract/recurrent/lstm-general.ts'
import { finiteOf, integerOf, switchOf, wordOf } from '../node/attributes.ts'
import type { BoundFunction } from '../elementwise/functions.ts'
import type { GraphNode } from '../graph-data.ts'
import { LAYER_ATTRIBUTES, readFunctions, readLayerSettings, roleOf, type Direction, type LayerSettings, type LayerWeight } from './layer-settings.ts'

export type { Direction } from './layer-settings.ts'

/**
 * Weights of one layer and direction. Gates are stacked in the order i, f, g, o:
 * - `inputWeights` [4 hiddenSize, features], `recurrentWeights` [4 hiddenSize, outputSize];
 * - `inputBias`, `recurrentBias` [4 hiddenSize]: optional, added to each other;
 * - `peepholes` [3 hiddenSize]: i, f, o; optional;
 * - `projection` [projSize, hiddenSize]: where there is a projSize;
 * - `normGain`, `normShift` [5, hiddenSize]: i, f, g, o, c; with `layerNorm`.
 */
export type LstmWeight = LayerWeight | 'peepholes' | 'projection' | 'normGain' | 'normShift'

/** The operator's name for a weight of one layer and direction. */
export function lstmRole(layer: number, direction: Direction, weight: LstmWeight): string {
  return roleOf(layer, direction, weight)
}

/** What a cell computes with: gates i, f, o; candidate g; and c on its way out. */
export interface CellFunctions {
  readonly gate: BoundFunction
  readonly candidate: BoundFunction
  readonly output: BoundFunction
}

type CouplingName = keyof typeof Coupling

const COUPLINGS = Object.keys(Coupling) as [CouplingName, ...CouplingName[]]

/** The attributes of an lstm node, checked. Its `outputSize` is PyTorch's `proj_size`, TensorFlow 1's `num_proj`, where there is one. */
export interface LstmSettings extends LayerSettings {
  /** Whether h is projected to fewer elements than there are units. */
  readonly hasProjection: boolean
  /** Added to the forget gate at run time (TensorFlow 1). */
  readonly forgetBias: number
  /** TensorFlow 1 `cell_clip`: c is clamped. 0: not. */
  readonly cellClip: number
  /** TensorFlow 1 `proj_clip`: h is clamped after the projection. 0: not. */
  readonly projClip: number
  readonly coupling: CouplingName
  readonly layerNorm: boolean
  readonly normEpsilon: number
  /** For each direction. */
  readonly functions: readonly CellFunctions[]
}

/** Names of all attributes. */
export const LSTM_ATTRIBUTES: readonly string[] = [
  ...LAYER_ATTRIBUTES, 'projSize', 'forgetBias', 'cellClip', 'projClip', 'coupling', 'layerNorm', 'normEpsilon', 'delaySamples',
]

/** @throws LstmError `VALUE` or `UNSUPPORTED` for attributes that are not accepted */
export function readSettings(node: GraphNode): LstmSettings {
  const layer = readLayerSettings(node)
  const hasProjection = node.attributes.projSize !== undefined
  return {
    ...layer,
    outputSize: hasProjection ? integerOf(node, 'projSize', undefined, 1) : layer.hiddenSize,
    hasProjection,
    forgetBias: finiteOf(node, 'forgetBias', -Infinity),
    cellClip: finiteOf(node, 'cellClip', 0),
    projClip: finiteOf(node, 'projClip', 0),
    coupling: wordOf(node, 'coupling', COUPLINGS),
    layerNorm: switchOf(node, 'layerNorm'),
    normEpsilon: finiteOf(node, 'normEpsilon', 0, 1e-12),
    functions: readFunctions(node, layer.directions.length, ['sigmoid', 'tanh', 'tanh'], 'gates, candidate and output').map(([gate, candidate, output]) => (
      { gate, candidate, output } as CellFunctions
    )),
    delaySamples: finiteOf(node, 'delaySamples', 1, 1),
  }
}

/** Whether the update of the plain cell does it, with or without clips, peepholes and a projection: sigmoid and tanh, nothing coupled or normalised. */
export function hasPlainUpdate({ coupling, layerNorm }: LstmSettings, { gate, candidate, output }: CellFunctions): boolean {
  return !layerNorm && coupling === 'none' && gate.name === 'sigmoid' && candidate.name === 'tanh' && output.name === 'tanh'
}
