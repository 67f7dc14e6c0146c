import { LstmError } from '../errors.ts'
import { joinName } from '../formats/pytorch-names.ts'
import { checkKind, count, FLAG, type Kind, type OptionTable } from '../options.ts'
import type { Dimension } from '../values/shape.ts'
import { ACTIVATION, activated, bindActivation, type Activation } from './activations.ts'
import { axesOf, type Layer } from './layer.ts'
import { NAME, readWords, type LayerOptions, type Spelled } from './options.ts'

/** Options of `conv1d`. */
export interface Conv1dOptions extends LayerOptions {
  /** Name of the layer, and of its tensors in a state dict (`name.weight`, `name.bias`). Default `conv1d`, `conv1d_1`, ... */
  readonly name?: string | undefined
  /** Features of the input (PyTorch `in_channels`). Default: told by the layer before, or by the weights. */
  readonly inputSize?: number | undefined
  /** Timesteps from one window to the next. Default 1. */
  readonly stride?: number | undefined
  /**
   * Zeros before and after the sequence: so many at both ends (PyTorch), none (`'valid'`), as many as keep the length (`'same'`), or
   * all of these in front (`'causal'`), so that no output needs a later timestep: streams take such convolutions. Default 0.
   */
  readonly padding?: number | 'valid' | 'same' | 'causal' | undefined
  /** Timesteps from one element of a window to the next. Default 1. */
  readonly dilation?: number | undefined
  /** Into how many groups features and filters are divided, each convolved by itself. Default 1. */
  readonly groups?: number | undefined
  /** Whether there is a bias. Default true. */
  readonly bias?: boolean | undefined
  /** Applied to the output. Default `'linear'`: nothing. */
  readonly activation?: Activation | undefined
}

const COUNT = count(1)
const NUMBER_OF_ZEROS = count(0)
const PADDINGS: readonly unknown[] = ['valid', 'same', 'causal']
const PADDING: Kind = {
  expected: "a whole number >= 0, 'valid', 'same' or 'causal'", test: (value) => NUMBER_OF_ZEROS.test(value) || PADDINGS.includes(value),
}
const OPTIONS: OptionTable<Conv1dOptions> = {
  ...NAME, inputSize: COUNT, stride: COUNT, padding: PADDING, dilation: COUNT, groups: COUNT, bias: FLAG, activation: ACTIVATION,
}
const ALIASES = { useBias: 'bias', inChannels: 'inputSize', inputDim: 'inputSize', strides: 'stride', dilationRate: 'dilation' } as const

/**
 * A convolution over the timesteps: Keras's Conv1D, PyTorch's Conv1d. Input and output are [batch, timesteps, features], as those of all
 * layers here; a model of PyTorch turns its sequences before and after (`x.transpose(1, 2)`), which is left out here. Weights are
 * PyTorch's: `weight` [filters, features / groups, kernelSize], `bias` [filters].
 *
 *     conv1d(64, 3, { padding: 1 })              // PyTorch: Conv1d(features, 64, 3, padding=1)
 *     conv1d(64, 3, { padding: 'causal' })       // Keras: Conv1D(64, 3, padding='causal')
 *
 * @param filters features of the output (PyTorch `out_channels`)
 * @param kernelSize timesteps of a window
 * @throws LstmError `VALUE` for options that are unknown, out of range or contradict each other
 */
export function conv1d(filters: number, kernelSize: number, options: Spelled<Conv1dOptions, typeof ALIASES> = {}): Layer {
  checkKind(filters, COUNT, 'conv1d', 'filters')
  checkKind(kernelSize, COUNT, 'conv1d', 'kernelSize')
  const read = readWords<Conv1dOptions>(options, OPTIONS, 'conv1d', ALIASES)
  const { name: given, inputSize, stride = 1, padding = 0, dilation = 1, groups = 1, bias = true } = read
  if (filters % groups !== 0) throw new LstmError('VALUE', `conv1d: expected filters that are a multiple of groups, got ${filters} filters and ${groups} groups`)
  const activation = bindActivation(read.activation ?? 'linear', 'conv1d: activation')
  const reach = (kernelSize - 1) * dilation + 1
  const pads = padding === 'causal' ? [reach - 1, 0] as const : typeof padding === 'number' ? [padding, padding] as const : [0, 0] as const

  const timestepsOf = (timesteps: Dimension, name: string): Dimension => {
    if (stride === 1 && (padding === 'same' || pads[0] + pads[1] === reach - 1)) return timesteps
    if (typeof timesteps === 'string') return `${name}_timesteps`
    if (padding === 'same') return Math.ceil(timesteps / stride)
    const length = timesteps + pads[0] + pads[1]
    if (length < reach) throw new LstmError('SHAPE', `conv1d '${name}': a window of ${reach} timesteps does not fit ${timesteps} with padding ${pads[0]} and ${pads[1]}`)
    return Math.floor((length - reach) / stride) + 1
  }
  return {
    kind: 'conv1d',
    name: given,
    inputDtype: 'float32',
    inputRank: 3,
    inputFeatures(stateDict, prefix) {
      const channels = stateDict.get(joinName(prefix, 'weight'))?.shape[1]
      return inputSize ?? (channels === undefined ? undefined : channels * groups)
    },
    tensors(features) {
      if (features % groups !== 0) throw new LstmError('SHAPE', `conv1d: expected features that are a multiple of groups, got ${features} features and ${groups} groups`)
      return [
        { name: 'weight', role: 'weight', shape: [filters, features / groups, kernelSize] },
        ...(bias ? [{ name: 'bias', role: 'bias', shape: [filters] }] : []),
      ]
    },
    outputShape(input, name) {
      const [batch, timesteps] = axesOf(input, 3, `conv1d '${name}'`)
      return [batch as Dimension, timestepsOf(timesteps as Dimension, name), filters]
    },
    build: (name, input, output, parameters) => activated(name, activation, output, (convolved) => ({
      name,
      op: 'conv',
      inputs: [input, parameters.weight as string, ...(bias ? [parameters.bias as string] : [])],
      outputs: [convolved],
      parameters: {},
      attributes: {
        channelsLast: true, kernelShape: [kernelSize],
        ...(stride > 1 && { strides: [stride] }),
        ...(dilation > 1 && { dilations: [dilation] }),
        ...(groups > 1 && { group: groups }),
        ...(padding === 'same' ? { autoPad: 'SAME_UPPER' } : pads.some((pad) => pad > 0) && { pads }),
      },
    })),
  }
}
