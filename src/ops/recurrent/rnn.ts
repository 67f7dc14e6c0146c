import { RnnCell } from '../../contract/recurrent/rnn.ts'
import type { BoundFunction } from '../elementwise/functions.ts'
import { encodeRecord } from '../../values/record.ts'
import type { Operator } from '../operator.ts'
import { LAYER_ATTRIBUTES, readFunctions, readLayerSettings, type LayerSettings } from './layer-settings.ts'
import { describeFunctions, describeRun, describeStack, recurrentOperator } from './operator.ts'
import type { PackedCell } from './plan.ts'

/** The attributes of an rnn node, checked. */
export interface RnnSettings extends LayerSettings {
  /** For each direction. */
  readonly functions: readonly (readonly BoundFunction[])[]
}

/** Names of all attributes. */
export const RNN_ATTRIBUTES: readonly string[] = LAYER_ATTRIBUTES

const FUNCTIONS = ['tanh'] as const

/**
 * A stack of simple recurrent layers (Elman 1990): PyTorch's RNN, Keras's SimpleRNN. Inputs, outputs: see `recurrentOperator`; one state,
 * h. Weights: the two biases are added to each other.
 */
export const rnn: Operator<RnnSettings, readonly (readonly PackedCell[])[]> = recurrentOperator<RnnSettings>({
  name: 'rnn',
  onnx: 'RNN',
  attributes: RNN_ATTRIBUTES,
  gates: 'A simple recurrent layer has no gates.',
  parse(node) {
    const layer = readLayerSettings(node)
    return { ...layer, functions: readFunctions(node, layer.directions.length, FUNCTIONS, 'one') }
  },
  describe: (_node, settings) => [
    ...describeStack(settings), settings.clip !== 0 && `clip ${settings.clip}`, describeFunctions(settings.functions, FUNCTIONS), ...describeRun(settings),
  ],
  pack(packer, { hiddenSize, clip, functions }) {
    const [candidate] = functions[packer.index] as [BoundFunction]
    const cellPtr = packer.place(encodeRecord(RnnCell, {
      inputWeights: packer.pack('inputWeights', ['inputBias', 'recurrentBias'], 1),
      recurrentWeights: packer.pack('recurrentWeights', [], 1),
      hiddenSize, clip, candidateFunction: candidate.code, candidateAlpha: candidate.alpha, candidateBeta: candidate.beta,
    }))
    return { cellPtr, kernel: 'rnnF32' }
  },
})
