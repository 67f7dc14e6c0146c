import { atLeast, count, FLAG, NUMBER, oneOf, TEXT, type Kind, type OptionTable } from '../options.ts'
import { ACTIVATION, type Activation } from './activations.ts'
import { NAME, type LayerOptions, type Spelled } from './options.ts'

/** Options of `lstm`, in camelCase; each may be written in snake_case too, and by the words of `LSTM_ALIASES`. */
export interface LstmOptions extends LayerOptions {
  /** Name of the layer, and of its tensors in a state dict (`name.weight_ih_l0`). Default `lstm`, `lstm_1`, ... */
  readonly name?: string | undefined
  /** Features of each timestep. Default: told by the layer before, or by the weights. */
  readonly inputSize?: number | undefined
  /** LSTM layers stacked in this one, as PyTorch's `num_layers`. Default 1. */
  readonly numLayers?: number | undefined
  /** A second pass from the last step to the first; the outputs are concatenated. Default false. */
  readonly bidirectional?: boolean | undefined
  /** Whether there are biases (PyTorch's `bias`, Keras's `use_bias`). Default true. */
  readonly bias?: boolean | undefined
  /** h is projected to this length (PyTorch `proj_size`, TensorFlow 1 `num_proj`). Default: it is as long as the units. */
  readonly projSize?: number | undefined
  /** Output every timestep (true) or only the last one each direction processed (false, as in Keras). Default false. */
  readonly returnSequences?: boolean | undefined
  /** Also give the final states, as outputs `NAME_h` and `NAME_c` [layers x directions, batch, units]. Default false. */
  readonly returnState?: boolean | undefined
  /** Take initial states, as inputs `NAME_h0` and `NAME_c0` [layers x directions, batch, units]; left out, they are zeros. Default false. */
  readonly initialState?: boolean | undefined
  /** The state is kept from run to run, until `model.resetStates()` (Keras `stateful`). Default false. */
  readonly stateful?: boolean | undefined
  /** Walk from the last step to the first; with `returnSequences`, outputs stay in that order (Keras). Default false. */
  readonly goBackwards?: boolean | undefined
  /** With `goBackwards`: whether outputs stay in the order in which they are made (Keras), or are put in that of the input (ONNX `reverse`). Default true. */
  readonly reversedOutput?: boolean | undefined
  /** Sequences are [timesteps, batch, features] instead of [batch, timesteps, features]. Default false. */
  readonly timeMajor?: boolean | undefined
  /** Of the candidate, and of c on its way out (Keras, TensorFlow 1 `activation`). Default `'tanh'`. */
  readonly activation?: Activation | undefined
  /** Of the gates i, f and o (Keras `recurrent_activation`). Default `'sigmoid'`; tfjs's and old Keras's is `{ name: 'hardSigmoid', keras: 2 }`. */
  readonly recurrentActivation?: Activation | undefined
  /** Of c on its way out, where it is another one (ONNX's third). Default: `activation`. */
  readonly outputActivation?: Activation | undefined
  /** All at once, instead of the three above: gates, candidate and output (ONNX f, g, h), three or, with other ones backwards, six. */
  readonly activations?: readonly Activation[] | undefined
  /** Added to the forget gate at run time (TensorFlow 1, whose default is 1). Default 0: frameworks else have it in the bias. */
  readonly forgetBias?: number | undefined
  /** Gates see c through weights of their own (TensorFlow 1 `use_peepholes`): tensors `peepholes_l0` [3 units], i, f, o. Default false. */
  readonly peepholes?: boolean | undefined
  /** Gates are clamped to [-clip, clip] before their activations (ONNX `clip`). Default: not. */
  readonly clip?: number | undefined
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
  /** Take a uint8 input [batch, timesteps], 0 at steps that are left out: true for an input `NAME_mask`, or its name. Layers may share one. Default false. */
  readonly mask?: boolean | string | undefined
  /** Take an int32 input [batch], how many steps of each sequence count: true for an input `NAME_lengths`, or its name. Default false. */
  readonly lengths?: boolean | string | undefined
  /**
   * What is put out at steps that are left out: `'zero'` (PyTorch, TensorFlow 1, ONNX), `'hold'`, the output before (Keras), or
   * `'multiply'` (TensorFlow.js). Default: that of Keras with a mask (zeros if bidirectional with `returnSequences`), `'zero'` with lengths.
   */
  readonly maskRule?: 'zero' | 'hold' | 'multiply' | undefined
  /** Keras's words for `maskRule`: true is `'zero'`, false is `'hold'`. */
  readonly zeroOutputForMask?: boolean | undefined
  /** The state of a sequence without a step that counts: zeros (onnxruntime), or the initial one. Default false. */
  readonly zeroEmptyState?: boolean | undefined
  /**
   * RTNeural's correction for a higher sample rate: each step begins from the state of so many steps before, a mixture of two
   * where it is not a whole number, and outputs are as late. At least 1, the default. Goes without initial states and masks.
   */
  readonly delaySamples?: number | undefined
}

/** With the number of units, which may be an argument of its own. */
export interface AllLstmOptions extends LstmOptions {
  /** Units, the length of c. */
  readonly hiddenSize?: number | undefined
}

export const COUNT: Kind = count(1)
const PORT: Kind = { expected: 'true, false or the name of an input', test: (value) => FLAG.test(value) || (TEXT.test(value) && value !== '') }

/** What each may be. */
export const LSTM_OPTIONS: OptionTable<AllLstmOptions> = {
  hiddenSize: COUNT, ...NAME, inputSize: COUNT, numLayers: COUNT, bidirectional: FLAG, bias: FLAG, projSize: COUNT, returnSequences: FLAG,
  returnState: FLAG, initialState: FLAG, stateful: FLAG, goBackwards: FLAG, reversedOutput: FLAG, timeMajor: FLAG,
  activation: ACTIVATION, recurrentActivation: ACTIVATION, outputActivation: ACTIVATION,
  activations: { expected: 'a list of three or six functions', test: (value) => Array.isArray(value) && [3, 6].includes(value.length) && value.every(ACTIVATION.test) },
  forgetBias: NUMBER, peepholes: FLAG, clip: atLeast(0), cellClip: atLeast(0), projClip: atLeast(0),
  coupling: oneOf(['none', 'forgetIsOneMinusInput', 'inputIsOneMinusForget']), layerNorm: FLAG, normEpsilon: atLeast(0),
  mask: PORT, lengths: PORT, maskRule: oneOf(['zero', 'hold', 'multiply']), zeroOutputForMask: FLAG, zeroEmptyState: FLAG, delaySamples: atLeast(1),
}

/** The hidden size goes by many names; so do a few other settings. */
export const LSTM_ALIASES = {
  units: 'hiddenSize', numUnits: 'hiddenSize', nHidden: 'hiddenSize', hidden: 'hiddenSize', hiddenUnits: 'hiddenSize',
  useBias: 'bias', numProj: 'projSize', inputDim: 'inputSize', nInput: 'inputSize', layers: 'numLayers',
  usePeepholes: 'peepholes', innerActivation: 'recurrentActivation', sequenceLength: 'lengths', sequenceLens: 'lengths',
} as const

/** Words for the number of units. */
type HiddenSizeWords = { [Word in keyof typeof LSTM_ALIASES]: (typeof LSTM_ALIASES)[Word] extends 'hiddenSize' ? Word : never }[keyof typeof LSTM_ALIASES]

/** Options with the number of units among them, in every spelling. */
export type SpelledLstmOptions = Spelled<AllLstmOptions, typeof LSTM_ALIASES>
/** Options beside the number of units, in every spelling. */
export type MoreLstmOptions = Spelled<LstmOptions, Omit<typeof LSTM_ALIASES, HiddenSizeWords>>
