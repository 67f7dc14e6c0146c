import { GruCell } from '../../contract/recurrent/gru.ts'
import type { BoundFunction } from '../elementwise/functions.ts'
import { switchOf } from '../node/attributes.ts'
import { encodeRecord } from '../../values/record.ts'
import type { Operator } from '../operator.ts'
import { LAYER_ATTRIBUTES, readFunctions, readLayerSettings, type LayerSettings } from './layer-settings.ts'
import { describeFunctions, describeRun, describeStack, recurrentOperator } from './operator.ts'
import type { PackedCell } from './plan.ts'

/** The attributes of a gru node, checked. */
export interface GruSettings extends LayerSettings {
  /** Whether the reset gate works on the product of h with the candidate's weights, or on h before it. */
  readonly resetAfter: boolean
  /** For each direction: of the gates r and z, and of the candidate n. */
  readonly functions: readonly (readonly BoundFunction[])[]
}

/** Names of all attributes. */
export const GRU_ATTRIBUTES: readonly string[] = [...LAYER_ATTRIBUTES, 'resetAfter']

const FUNCTIONS = ['sigmoid', 'tanh'] as const

/**
 * A stack of GRU layers (Cho et al. 2014): the equations of PyTorch's GRU and Keras's GRU, and those with the reset before the product.
 * Inputs, outputs: see `recurrentOperator`; one state, h. Weights: gates stacked in the order r, z, n; the recurrent biases stand apart,
 * since the reset gate works on that of n.
 */
export const gru: Operator<GruSettings, readonly (readonly PackedCell[])[]> = recurrentOperator<GruSettings>({
  name: 'gru',
  onnx: 'GRU',
  attributes: GRU_ATTRIBUTES,
  gates: 'A GRU has three gates (reset, update, candidate), each as wide as its units: hence the 3.',
  parse(node) {
    const layer = readLayerSettings(node)
    return {
      ...layer,
      resetAfter: switchOf(node, 'resetAfter', true),
      functions: readFunctions(node, layer.directions.length, FUNCTIONS, 'gates and candidate'),
    }
  },
  describe: (_node, settings) => [
    ...describeStack(settings), !settings.resetAfter && 'reset before the product', settings.clip !== 0 && `clip ${settings.clip}`,
    describeFunctions(settings.functions, FUNCTIONS), ...describeRun(settings),
  ],
  pack(packer, { hiddenSize, clip, functions, resetAfter }) {
    const [gate, candidate] = functions[packer.index] as [BoundFunction, BoundFunction]
    const cellPtr = packer.place(encodeRecord(GruCell, {
      inputWeights: packer.pack('inputWeights', ['inputBias'], 3),
      recurrentWeights: packer.pack('recurrentWeights', ['recurrentBias'], resetAfter ? 3 : 2),
      candidateWeights: resetAfter ? 0 : packer.pack('recurrentWeights', ['recurrentBias'], 1, 2),
      hiddenSize, isPlain: Number(gate.name === 'sigmoid' && candidate.name === 'tanh'), clip,
      gateFunction: gate.code, gateAlpha: gate.alpha, gateBeta: gate.beta,
      candidateFunction: candidate.code, candidateAlpha: candidate.alpha, candidateBeta: candidate.beta,
    }))
    return { cellPtr, kernel: 'gruF32' }
  },
})
