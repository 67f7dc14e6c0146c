/** In what the systems that write this model format differ, though their files look alike. */
export interface Dialect {
  readonly name: string
  /** hard_sigmoid(x) = clip(alpha x + 0.5, 0, 1). */
  readonly hardSigmoidAlpha: number
  /** What an LSTM has for its gates where the file does not say. */
  readonly recurrentActivation: string
  /** What masked steps put out: the output before, or a product, in which a NaN of the padding spreads. */
  readonly maskRule: 'hold' | 'multiply'
  /** Bidirectional layers that return sequences put out zeros at masked steps. */
  readonly bidirectionalZeros: boolean
  /** Final states of stacked cells: those of the last cell come first. */
  readonly stackedStatesReversed: boolean
  /** Mask of a merge of several: steps that are in all, or in any. With `any`, one input without a mask means no mask. */
  readonly mergedMask: 'all' | 'any'
  /** Slope of the LeakyReLU layer below 0, and of the activation of that name. */
  readonly leakySlope: number
}

/** Keras 1 and 2, standalone and in TensorFlow (tf_keras 2.15). */
export const KERAS_2: Dialect = {
  name: 'Keras 2', hardSigmoidAlpha: 0.2, recurrentActivation: 'sigmoid', maskRule: 'hold', bidirectionalZeros: true,
  stackedStatesReversed: false, mergedMask: 'all', leakySlope: 0.3,
}

/** Keras 3 (3.15). */
export const KERAS_3: Dialect = { ...KERAS_2, name: 'Keras 3', hardSigmoidAlpha: 1 / 6, mergedMask: 'any' }

/** TensorFlow.js (tfjs-layers 4.22). */
export const TFJS: Dialect = {
  ...KERAS_2, name: 'TensorFlow.js', recurrentActivation: 'hard_sigmoid', maskRule: 'multiply', bidirectionalZeros: false,
  stackedStatesReversed: true,
}

/** The dialect of a version of Keras as files give it: `2.2.4-tf`, `3.15.1`; without one, files are old. */
export function dialectOf(kerasVersion: string | undefined): Dialect {
  return Number.parseInt(kerasVersion ?? '2', 10) >= 3 ? KERAS_3 : KERAS_2
}
