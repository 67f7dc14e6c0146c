// Normalisations over the features: the last axis.
import { joinName } from '../formats/pytorch-names.ts'
import { atLeast, count, FLAG, type OptionTable } from '../options.ts'
import { NdArray } from '../values/ndarray.ts'
import { axesOf, type Layer } from './layer.ts'
import { NAME, readWords, type LayerOptions, type Spelled } from './options.ts'

/** Options of `batchNorm` and `layerNorm`. */
export interface NormOptions extends LayerOptions {
  /** Name of the layer, and of its tensors in a state dict. Default `batch_norm`, `layer_norm`, ... */
  readonly name?: string | undefined
  /** Features of the input (PyTorch `num_features`, `normalized_shape`). Default: told by the layer before, or by the weights. */
  readonly inputSize?: number | undefined
  /** Added to the variance. Default 1e-5, PyTorch's; Keras's is 1e-3. */
  readonly epsilon?: number | undefined
  /** Whether the result is multiplied by `weight` [features]; without it, there is no bias either (PyTorch `affine`, `elementwise_affine`). Default true. */
  readonly affine?: boolean | undefined
  /** Whether `bias` [features] is added. Default: as `affine`. */
  readonly bias?: boolean | undefined
}

const OPTIONS: OptionTable<NormOptions> = { ...NAME, inputSize: count(1), epsilon: atLeast(0), affine: FLAG, bias: FLAG }
const ALIASES = {
  eps: 'epsilon', numFeatures: 'inputSize', normalizedShape: 'inputSize', inputDim: 'inputSize', elementwiseAffine: 'affine', scale: 'affine', center: 'bias',
} as const

/** Options in every spelling. */
type SpelledNormOptions = Spelled<NormOptions, typeof ALIASES>

/** A tensor: its name in PyTorch, and the value that stands for it where there is none. */
type Part = readonly [name: string, isThere: boolean, otherwise: number]

/** What tells one normalisation from the other. */
interface NormKind {
  /** Tensors after weight and bias. */
  readonly more?: readonly string[]
  readonly trainingOnly?: readonly string[]
  readonly attributes?: Readonly<Record<string, boolean>>
}

function normLayer(
  what: string, kind: string, op: string, options: SpelledNormOptions, { more = [], trainingOnly = [], attributes = {} }: NormKind,
): Layer {
  const read = readWords<NormOptions>(options, OPTIONS, what, ALIASES)
  const { name: given, inputSize, epsilon = 1e-5, affine = true, bias = affine } = read
  const parts: readonly Part[] = [['weight', affine, 1], ['bias', bias, 0], ...more.map((name): Part => [name, true, 0])]
  return {
    kind,
    name: given,
    inputDtype: 'float32',
    inputRank: undefined,
    trainingOnly,
    inputFeatures: (stateDict, prefix) => inputSize
      ?? parts.map(([name]) => stateDict.get(joinName(prefix, name))?.shape[0]).find((size) => size !== undefined),
    tensors: (features) => parts.flatMap(([name, isThere]) => (isThere ? [{ name, role: name, shape: [features] }] : [])),
    outputShape: (input) => input,
    build(name, input, output, parameters, shape) {
      const features = axesOf(shape, undefined, `${what} '${name}'`).at(-1)
      const made = parts.filter(([, isThere]) => !isThere).map(([part, , value]) => (
        [part, `${name}/${part}`, new NdArray(new Float32Array(Number(features)).fill(value), [Number(features)])] as const
      ))
      const names: Readonly<Record<string, string>> = { ...parameters, ...Object.fromEntries(made.map(([part, constant]) => [part, constant])) }
      return {
        nodes: [{
          name, op, inputs: [input, ...parts.map(([part]) => names[part] as string)], outputs: [output], parameters: {}, attributes: { epsilon, ...attributes },
        }],
        output,
        constants: Object.fromEntries(made.map(([, constant, array]) => [constant, array])),
      }
    },
  }
}

/**
 * Every feature by the mean and variance of the training data: PyTorch's BatchNorm1d, Keras's BatchNormalization. Input and output are
 * [batch, features] or [batch, timesteps, features]. Tensors: `weight`, `bias`, `running_mean` and `running_var` [features];
 * `num_batches_tracked` may be there, and is not read.
 *
 * @throws LstmError `VALUE` for options that are unknown or out of range
 */
export function batchNorm(options: SpelledNormOptions = {}): Layer {
  return normLayer('batchNorm', 'batch_norm', 'batchNormalization', options, {
    more: ['running_mean', 'running_var'], trainingOnly: ['num_batches_tracked'], attributes: { channelsLast: true },
  })
}

/**
 * The features of every timestep by their own mean and variance: PyTorch's LayerNorm(features), Keras's LayerNormalization. Tensors:
 * `weight`, `bias` [features].
 *
 * @throws LstmError `VALUE` for options that are unknown or out of range
 */
export function layerNorm(options: SpelledNormOptions = {}): Layer {
  return normLayer('layerNorm', 'layer_norm', 'layerNormalization', options, {})
}
