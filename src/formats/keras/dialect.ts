// In what the systems that write this model format differ, though their files look alike; and whose a file is.
import type { KerasDialect } from '../reader.ts'

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
  /**
   * Mask of what is made of a list of inputs: steps that are valid in all, or in any (one input without a mask then means
   * no mask), or no mask. With `any`, Multiply, Maximum and Minimum leave masked steps out of their results, too.
   */
  readonly mergedMask: 'all' | 'any' | 'none'
  /** A mask that a layer is called with is that of its output, too. */
  readonly givenMaskSpreads: boolean
  /** A recurrent layer that is called with initial states takes no mask from its input; one that is an argument it takes. */
  readonly statesHideMask: boolean
  /** Attention of several heads takes the masks of its inputs away, and has no use for a `query_mask` that is an argument. */
  readonly headsTakeMasks: boolean
  /** Softmax layers put out zeros where they are masked: rows without a valid element would have the same number everywhere. */
  readonly softmaxZeros: boolean
  /** Means over time leave masked steps out. */
  readonly averagesMasked: boolean
  /**
   * A recurrent layer whose input has no mask takes the one that a layer before it was given, whatever lies between; and inputs are
   * computed last one first.
   */
  readonly masksLinger: boolean
  /** What a DepthwiseConv1D calls its kernel. */
  readonly depthwiseKernel: string
  /** Slope of the LeakyReLU layer below 0, and of the activation of that name. */
  readonly leakySlope: number
}

/** Keras 1 and 2, standalone and in TensorFlow (tf_keras 2.15). */
export const KERAS_2: Dialect = {
  name: 'Keras 2', hardSigmoidAlpha: 0.2, recurrentActivation: 'sigmoid', maskRule: 'hold', bidirectionalZeros: true,
  stackedStatesReversed: false, mergedMask: 'all', givenMaskSpreads: true, statesHideMask: false, headsTakeMasks: false,
  averagesMasked: true, masksLinger: false, softmaxZeros: false, depthwiseKernel: 'depthwise_kernel', leakySlope: 0.3,
}

/** Keras 3.0 to 3.3. */
const KERAS_3_0: Dialect = {
  ...KERAS_2, name: 'Keras 3.0', hardSigmoidAlpha: 1 / 6, mergedMask: 'none', givenMaskSpreads: false,
  statesHideMask: true, depthwiseKernel: 'kernel',
}

/** Keras 3.4 to 3.10: merges have masks. */
const KERAS_3_4: Dialect = { ...KERAS_3_0, name: 'Keras 3.4', mergedMask: 'any' }

/** Keras 3.8 and 3.9. */
const KERAS_3_8: Dialect = { ...KERAS_3_4, headsTakeMasks: true }

/** Keras 3.10. */
const KERAS_3_10: Dialect = { ...KERAS_3_8, softmaxZeros: true }

/** Keras 3.11 to 3.15: a mask that is an argument is passed on. */
export const KERAS_3: Dialect = { ...KERAS_3_10, name: 'Keras 3', givenMaskSpreads: true }

/** TensorFlow.js (tfjs-layers 4.22). */
export const TFJS: Dialect = {
  ...KERAS_2, name: 'TensorFlow.js', recurrentActivation: 'hard_sigmoid', maskRule: 'multiply', bidirectionalZeros: false,
  stackedStatesReversed: true, averagesMasked: false, masksLinger: true,
}

const DIALECTS: Readonly<Record<KerasDialect, Dialect>> = { 'keras2': KERAS_2, 'keras3.0': KERAS_3_0, 'keras3.4': KERAS_3_4, 'keras3': KERAS_3, 'tfjs': TFJS }

/** Major and minor of `2.2.4-tf`, `3.15.1`. */
function numbersOf(version: string): [number, number] {
  const [major = Number.NaN, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10))
  return [major, minor]
}

/** LSTMs of Keras before 2.3 have hard_sigmoid for their gates unless told otherwise; `2.2.4-tf` is both TensorFlow 1 and 2. */
export function gatesWereHard(version: string): boolean {
  const [major, minor] = numbersOf(version)
  return major < 2 || (major === 2 && minor < 3 && !version.startsWith('2.2.4-tf'))
}

/** The dialect of a version of Keras as files give it: `2.2.4-tf`, `3.15.1`. */
export function dialectOf(version: string): Dialect {
  const [major, minor] = numbersOf(version)
  if (major >= 3) return major > 3 || minor >= 11 ? KERAS_3 : minor >= 10 ? KERAS_3_10 : minor >= 8 ? KERAS_3_8 : minor >= 4 ? KERAS_3_4 : KERAS_3_0
  return gatesWereHard(version) ? { ...KERAS_2, recurrentActivation: 'hard_sigmoid' } : KERAS_2
}

/** Whose numbers a file wants, and a line about it for `summary()`. */
export interface Origin {
  readonly dialect: Dialect
  readonly note: string
}

/**
 * @param option what the caller says
 * @param said who wrote the file, in words; undefined where it does not say
 * @param found the dialect that follows from that
 */
export function originOf(option: KerasDialect | undefined, said: string | undefined, found: Dialect): Origin {
  const file = said === undefined ? 'the file does not say who wrote it' : `the file is of ${said}`
  if (option === undefined) return { dialect: found, note: describe(found, file) }
  return { dialect: DIALECTS[option], note: describe(DIALECTS[option], `as the option says; ${file}`) }
}

function describe({ name }: Dialect, reason: string): string {
  const [key] = Object.entries(DIALECTS).find(([, dialect]) => dialect.name === name) as [string, Dialect]
  return `dialect ${key}, the numbers of ${name}: ${reason}`
}
