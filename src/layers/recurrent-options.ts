// What the layers of all recurrent operators may be told.
import { atLeast, count, FLAG, oneOf, TEXT, type Kind, type OptionTable } from '../options.ts'
import { ACTIVATION, type Activation } from './activations.ts'
import { NAME, type LayerOptions } from './options.ts'

/** Options of `lstm`, `gru` and `simpleRnn`. */
export interface RecurrentOptions extends LayerOptions {
  /** Name of the layer, and of its tensors in a state dict (`name.weight_ih_l0`). Default: its kind, with a number from the second on: `lstm`, `lstm_1`. */
  readonly name?: string | undefined
  /** Features of each timestep. Default: told by the layer before, or by the weights. */
  readonly inputSize?: number | undefined
  /** Layers stacked in this one, as PyTorch's `num_layers`. Default 1. */
  readonly numLayers?: number | undefined
  /** A second pass from the last step to the first; the outputs are concatenated. Default false. */
  readonly bidirectional?: boolean | undefined
  /** Whether there are biases (PyTorch's `bias`, Keras's `use_bias`). Default true. */
  readonly bias?: boolean | undefined
  /** Output every timestep (true) or only the last one each direction processed (false, as in Keras). Default false. */
  readonly returnSequences?: boolean | undefined
  /** Also give the final states, as outputs `NAME_h` and, of an LSTM, `NAME_c` [layers x directions, batch, units]. Default false. */
  readonly returnState?: boolean | undefined
  /** Take initial states, as inputs `NAME_h0` and, of an LSTM, `NAME_c0` [layers x directions, batch, units]; left out, they are zeros. Default false. */
  readonly initialState?: boolean | undefined
  /** The state is kept from run to run, until `model.resetStates()` (Keras `stateful`). Default false. */
  readonly stateful?: boolean | undefined
  /** Walk from the last step to the first; with `returnSequences`, outputs stay in that order (Keras). Default false. */
  readonly goBackwards?: boolean | undefined
  /** With `goBackwards`: whether outputs stay in the order in which they are made (Keras), or are put in that of the input (ONNX `reverse`). Default true. */
  readonly reversedOutput?: boolean | undefined
  /** Sequences are [timesteps, batch, features] instead of [batch, timesteps, features]. Default false. */
  readonly timeMajor?: boolean | undefined
  /** Of the candidate; of an LSTM, also of c on its way out; of a plain RNN, of h (Keras, TensorFlow 1 `activation`). Default `'tanh'`. */
  readonly activation?: Activation | undefined
  /** Gates are clamped to [-clip, clip] before their activations (ONNX `clip`). Default: not. */
  readonly clip?: number | undefined
  /** Take a uint8 input [batch, timesteps], 0 at steps that are left out: true for an input `NAME_mask`, or its name. Layers may share one. Default false. */
  readonly mask?: boolean | string | undefined
  /** Take an int32 input [batch], how many steps of each sequence count: true for an input `NAME_lengths`, or its name. Default false. */
  readonly lengths?: boolean | string | undefined
  /**
   * What is put out at steps that are left out: `'zero'` (PyTorch, TensorFlow 1, ONNX), `'hold'`, the output before (Keras), or
   * `'multiply'` (TensorFlow.js). Default: that of Keras with a mask (zeros if bidirectional with `returnSequences`), `'zero'` with lengths.
   */
  readonly maskRule?: 'zero' | 'hold' | 'multiply' | undefined
  /** Keras's words for `maskRule`: true is `'zero'`, false is `'hold'`. Default: as `maskRule`. */
  readonly zeroOutputForMask?: boolean | undefined
  /** The state of a sequence without a step that counts: zeros (onnxruntime), or the initial one. Default false. */
  readonly zeroEmptyState?: boolean | undefined
  /**
   * In training, how many of the features of a sequence are dropped, the same ones at every timestep; the others are divided by 1 - `dropout`
   * (Keras `dropout`). With `numLayers`, of each layer's. From 0 to below 1. Default 0. PyTorch's `dropout` is another one: a layer `dropout()`
   * between two layers.
   */
  readonly dropout?: number | undefined
  /** The same of h on its way into the gates: one mask for all gates and timesteps (Gal and Ghahramani 2016; Keras `recurrent_dropout`). Default 0. */
  readonly recurrentDropout?: number | undefined
}

/** The number of units, which may be an argument of its own. */
export interface Units {
  /** Units: the length of the state. */
  readonly hiddenSize?: number | undefined
}

export const COUNT: Kind = count(1)
/** Each has tensors of its own, which are listed. */
const LAYERS: Kind = count(1, 10_000)
const RATE: Kind = { expected: 'a number from 0 to below 1', test: (value) => typeof value === 'number' && value >= 0 && value < 1 }
const PORT: Kind = { expected: 'true, false or the name of an input', test: (value) => FLAG.test(value) || (TEXT.test(value) && value !== '') }

/** What each may be. */
export const RECURRENT_OPTIONS: OptionTable<RecurrentOptions & Units> = {
  hiddenSize: COUNT, ...NAME, inputSize: COUNT, numLayers: LAYERS, bidirectional: FLAG, bias: FLAG, returnSequences: FLAG,
  returnState: FLAG, initialState: FLAG, stateful: FLAG, goBackwards: FLAG, reversedOutput: FLAG, timeMajor: FLAG, activation: ACTIVATION, clip: atLeast(0),
  mask: PORT, lengths: PORT, maskRule: oneOf(['zero', 'hold', 'multiply']), zeroOutputForMask: FLAG, zeroEmptyState: FLAG,
  dropout: RATE, recurrentDropout: RATE,
}

/** The hidden size goes by many names; so do a few other settings. */
export const RECURRENT_ALIASES = {
  units: 'hiddenSize', numUnits: 'hiddenSize', nHidden: 'hiddenSize', hidden: 'hiddenSize', hiddenUnits: 'hiddenSize',
  useBias: 'bias', inputDim: 'inputSize', nInput: 'inputSize', layers: 'numLayers', sequenceLength: 'lengths', sequenceLens: 'lengths',
} as const

/** Words for the number of units. */
export type UnitsWords = { [Word in keyof typeof RECURRENT_ALIASES]: (typeof RECURRENT_ALIASES)[Word] extends 'hiddenSize' ? Word : never }[keyof typeof RECURRENT_ALIASES]

/** A list of so many functions, or twice as many with other ones backwards. @param numbers in words */
export function functionLists(each: number, numbers: string): Kind {
  return {
    expected: `a list of ${numbers} functions`,
    test: (value) => Array.isArray(value) && [each, 2 * each].includes(value.length) && value.every(ACTIVATION.test),
  }
}
