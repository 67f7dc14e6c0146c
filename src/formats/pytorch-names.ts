// PyTorch's names for the tensors of torch.nn modules.
// https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html
import { RECURRENT, type RecurrentOp } from '../ops/recurrent/kinds.ts'
import { lstmRole, type Direction } from '../ops/recurrent/settings.ts'
import type { ArrayLike } from '../values/ndarray.ts'

/** A module's trained tensors by name, as `module.state_dict()` gives them. */
export type StateDict = ReadonlyMap<string, ArrayLike>

const LSTM_NAMES = {
  inputWeights: 'weight_ih', recurrentWeights: 'weight_hh', inputBias: 'bias_ih', recurrentBias: 'bias_hh', projection: 'weight_hr',
  // PyTorch has none: our own.
  peepholes: 'peepholes', normGain: 'norm_gain', normShift: 'norm_shift',
} as const

export interface LstmShape {
  readonly inputSize: number
  readonly hiddenSize: number
  readonly numLayers: number
  readonly bidirectional: boolean
  readonly bias: boolean
  /** Length of h where it is projected (`proj_size`). */
  readonly projSize?: number | undefined
  /** Weights from c to the gates i, f, o (TensorFlow 1, ONNX): `peepholes_l0` [3 hiddenSize]. Default false. */
  readonly peepholes?: boolean
  /** Gain and shift of each gate and of c (TensorFlow 1): `norm_gain_l0`, `norm_shift_l0` [5, hiddenSize], i, f, g, o, c. Default false. */
  readonly layerNorm?: boolean
}

/** A tensor that a module has: its name after the module's prefix, the role it plays, and its shape. */
export interface TensorSpec {
  readonly name: string
  readonly role: string
  readonly shape: readonly number[]
  /** Its name where the module is a cell: a `torch.nn.LSTMCell`. */
  readonly cellName?: string | undefined
}

/** All tensors of `torch.nn.LSTM`. Gates are stacked in the order i, f, g, o. */
export function lstmTensors(shape: LstmShape): TensorSpec[] {
  return recurrentTensors('lstm', shape)
}

/** All tensors of `torch.nn.LSTM`, `GRU` (gates r, z, n) or `RNN`; the last two have no projection, peepholes and normalisation. */
export function recurrentTensors(op: RecurrentOp, shape: LstmShape): TensorSpec[] {
  const { inputSize, hiddenSize, numLayers, bidirectional, bias, projSize, peepholes = false, layerNorm = false } = shape
  const directions: Direction[] = bidirectional ? ['forward', 'reverse'] : ['forward']
  const gates = RECURRENT[op].gates * hiddenSize
  const outputSize = projSize ?? hiddenSize
  const tensors: TensorSpec[] = []
  for (let layer = 0; layer < numLayers; layer++) {
    const features = layer === 0 ? inputSize : outputSize * directions.length
    for (const direction of directions) {
      const add = (weight: keyof typeof LSTM_NAMES, shape: readonly number[]): void => {
        const name = `${LSTM_NAMES[weight]}_l${layer}${direction === 'reverse' ? '_reverse' : ''}`
        const cellName = numLayers === 1 && !bidirectional ? LSTM_NAMES[weight] : undefined
        tensors.push({ name, role: lstmRole(layer, direction, weight), shape, cellName })
      }
      add('inputWeights', [gates, features])
      add('recurrentWeights', [gates, outputSize])
      if (bias) add('inputBias', [gates])
      if (bias) add('recurrentBias', [gates])
      if (projSize !== undefined) add('projection', [projSize, hiddenSize])
      if (peepholes) add('peepholes', [3 * hiddenSize])
      if (layerNorm) add('normGain', [5, hiddenSize])
      if (layerNorm) add('normShift', [5, hiddenSize])
    }
  }
  return tensors
}

export function joinName(prefix: string, name: string): string {
  return prefix === '' ? name : `${prefix}.${name}`
}
