import { atLeast, FLAG, NUMBER, oneOf, type OptionTable } from '../options.ts'
import { ACTIVATION, type Activation } from './activations.ts'
import type { Spelled } from './options.ts'
import { COUNT, functionLists, RECURRENT_ALIASES, RECURRENT_OPTIONS, type RecurrentOptions, type Units, type UnitsWords } from './recurrent-options.ts'

/** Options of `lstm`, in camelCase; each may be written in snake_case too, and by the words of `LSTM_ALIASES`. */
export interface LstmOptions extends RecurrentOptions {
  /** h is projected to this length (PyTorch `proj_size`, TensorFlow 1 `num_proj`). Default: it is as long as the units. */
  readonly projSize?: number | undefined
  /** Of the gates i, f and o (Keras `recurrent_activation`). Default `'sigmoid'`; tfjs's and old Keras's is `{ name: 'hardSigmoid', keras: 2 }`. */
  readonly recurrentActivation?: Activation | undefined
  /** Of c on its way out, where it is another one (ONNX's third). Default: `activation`. */
  readonly outputActivation?: Activation | undefined
  /**
   * All at once, instead of the three above: gates, candidate and output (ONNX f, g, h), three or, with other ones backwards, six. Default: what the three
   * say.
   */
  readonly activations?: readonly Activation[] | undefined
  /** Added to the forget gate at run time (TensorFlow 1, whose default is 1). Default 0: frameworks else have it in the bias. */
  readonly forgetBias?: number | undefined
  /** Gates see c through weights of their own (TensorFlow 1 `use_peepholes`): tensors `peepholes_l0` [3 units], i, f, o. Default false. */
  readonly peepholes?: boolean | undefined
  /** c is clamped to [-cellClip, cellClip] (TensorFlow 1 `cell_clip`). Default: not. */
  readonly cellClip?: number | undefined
  /** h is clamped after the projection (TensorFlow 1 `proj_clip`). Default: not. */
  readonly projClip?: number | undefined
  /**
   * Forget and input gate are one: f = 1 - i (ONNX `input_forget`), or i = 1 - f (TensorFlow 1's CoupledInputForgetGateLSTMCell).
   * Tensors are those of four gates; what belongs to the other one is not looked at. Default `'none'`.
   */
  readonly coupling?: 'none' | 'forgetIsOneMinusInput' | 'inputIsOneMinusForget' | undefined
  /**
   * Each gate and c are normalised over the units (TensorFlow 1's LayerNormBasicLSTMCell): tensors `norm_gain_l0` and `norm_shift_l0`
   * [5, units]: i, f, g, o, c. Default false.
   */
  readonly layerNorm?: boolean | undefined
  /** Added to the variance. Default 1e-12, TensorFlow's. */
  readonly normEpsilon?: number | undefined
  /**
   * RTNeural's correction for a higher sample rate: each step begins from the state of so many steps before, a mixture of two
   * where it is not a whole number, and outputs are as late. At least 1, the default. Goes without initial states and masks.
   */
  readonly delaySamples?: number | undefined
}

/** With the number of units, which may be an argument of its own. */
export type AllLstmOptions = LstmOptions & Units

/** What each may be. */
export const LSTM_OPTIONS: OptionTable<AllLstmOptions> = {
  ...RECURRENT_OPTIONS, projSize: COUNT, recurrentActivation: ACTIVATION, outputActivation: ACTIVATION, activations: functionLists(3, 'three or six'),
  forgetBias: NUMBER, peepholes: FLAG, cellClip: atLeast(0), projClip: atLeast(0),
  coupling: oneOf(['none', 'forgetIsOneMinusInput', 'inputIsOneMinusForget']), layerNorm: FLAG, normEpsilon: atLeast(0), delaySamples: atLeast(1),
}

/** Other words for them. */
export const LSTM_ALIASES: typeof RECURRENT_ALIASES & {
  readonly numProj: 'projSize'
  readonly usePeepholes: 'peepholes'
  readonly innerActivation: 'recurrentActivation'
} = { ...RECURRENT_ALIASES, numProj: 'projSize', usePeepholes: 'peepholes', innerActivation: 'recurrentActivation' }

/** Options with the number of units among them, in every spelling. */
export type SpelledLstmOptions = Spelled<AllLstmOptions, typeof LSTM_ALIASES>
/** Options beside the number of units, in every spelling. */
export type MoreLstmOptions = Spelled<LstmOptions, Omit<typeof LSTM_ALIASES, UnitsWords>>
