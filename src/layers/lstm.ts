import { LstmError } from '../errors.ts'
import { joinName, lstmTensors } from '../formats/pytorch-names.ts'
import type { GraphInput } from '../graph/graph.ts'
import { atLeast, checkKind, count, FLAG, type OptionTable } from '../options.ts'
import { formatShape, type Dimension } from '../values/shape.ts'
import type { Layer } from './layer.ts'
import { NAME, readWords, type Spelled } from './options.ts'

export interface LstmOptions {
  /** Name of the layer, and of its tensors in a state dict (`name.weight_ih_l0`). Default `lstm`, `lstm_1`, ... */
  readonly name?: string
  /** Features of each timestep. Default: told by the layer before, or by the weights. */
  readonly inputSize?: number
  /** LSTM layers stacked in this one, as PyTorch's `num_layers`. Default 1. */
  readonly numLayers?: number
  /** A second pass from the last step to the first; the outputs are concatenated. Default false. */
  readonly bidirectional?: boolean
  /** Whether there are biases (PyTorch's `bias`, Keras's `use_bias`). Default true. */
  readonly bias?: boolean
  /** h is projected to this length (PyTorch `proj_size`, TensorFlow 1 `num_proj`). Default: it is as long as the units. */
  readonly projSize?: number
  /** Whether the gates see c through weights of their own (TensorFlow 1 `use_peepholes`): `NAME.peepholes_l0` [3 units], i, f, o. Default false. */
  readonly peepholes?: boolean
  /** Output every timestep (true) or only the last one each direction processed (false, as in Keras). Default false. */
  readonly returnSequences?: boolean
  /** Also give the final states, as outputs `NAME_h` and `NAME_c` [layers x directions, batch, units]. Default false. */
  readonly returnState?: boolean
  /** Take initial states, as inputs `NAME_h0` and `NAME_c0` [layers x directions, batch, units]; left out, they are zeros. Default false. */
  readonly initialState?: boolean
  /** Walk from the last step to the first; with `returnSequences`, outputs stay in that order (Keras). Default false. */
  readonly goBackwards?: boolean
  /** Sequences are [timesteps, batch, features] instead of [batch, timesteps, features]. Default false. */
  readonly timeMajor?: boolean
  /**
   * RTNeural's correction for a higher sample rate: each step begins from the state of so many steps before, a mixture of two
   * where it is not a whole number, and outputs are as late. At least 1, the default. Goes without initial states.
   */
  readonly delaySamples?: number
}

/** With the number of units, which may be an argument of its own. */
interface AllOptions extends LstmOptions {
  /** Units, the length of c. */
  readonly hiddenSize?: number
}

const COUNT = count(1)
const LSTM_OPTIONS: OptionTable<AllOptions> = {
  hiddenSize: COUNT, ...NAME, inputSize: COUNT, numLayers: COUNT, bidirectional: FLAG, bias: FLAG, projSize: COUNT, peepholes: FLAG,
  returnSequences: FLAG, returnState: FLAG, initialState: FLAG, goBackwards: FLAG, timeMajor: FLAG, delaySamples: atLeast(1),
}

/** The hidden size goes by many names; so do a few other settings. */
const ALIASES = {
  units: 'hiddenSize', numUnits: 'hiddenSize', nHidden: 'hiddenSize', hidden: 'hiddenSize', hiddenUnits: 'hiddenSize',
  useBias: 'bias', numProj: 'projSize', usePeepholes: 'peepholes', inputDim: 'inputSize', nInput: 'inputSize', layers: 'numLayers',
} as const

/** Words for the number of units. */
type HiddenSizeWords = { [Word in keyof typeof ALIASES]: (typeof ALIASES)[Word] extends 'hiddenSize' ? Word : never }[keyof typeof ALIASES]

/**
 * An LSTM layer, or a stack of them.
 *
 *     lstm(128)                              // Keras: LSTM(128)
 *     lstm(128, { returnSequences: true })   // Keras: LSTM(128, return_sequences=True); PyTorch always does
 *     lstm({ hiddenSize: 128, numLayers: 2, bidirectional: true })
 *
 * The number of units is also known as hidden size, `num_units` and `n_hidden`; all these words are accepted.
 *
 * @throws LstmError `VALUE` for options that are unknown or out of range
 */
export function lstm(
  units: number | Spelled<AllOptions, typeof ALIASES>, options: Spelled<LstmOptions, Omit<typeof ALIASES, HiddenSizeWords>> = {},
): Layer {
  const positional = typeof units === 'object' && units !== null ? units : { units }
  const read = readWords(options, LSTM_OPTIONS, 'lstm', ALIASES, positional)
  checkKind(read.hiddenSize, COUNT, 'units', 'lstm')
  const {
    hiddenSize = 0, name, inputSize, numLayers = 1, bidirectional = false, bias = true, projSize, peepholes = false, returnSequences = false,
    returnState = false, initialState = false, goBackwards = false, timeMajor = false, delaySamples = 1,
  } = read
  if (goBackwards && (bidirectional || numLayers > 1)) {
    throw new LstmError('VALUE', 'lstm: goBackwards goes with one layer and one direction; a bidirectional layer goes both ways')
  }
  if (delaySamples > 1 && initialState) throw new LstmError('VALUE', 'lstm: delaySamples goes without initialState: a delayed state has a history')
  const directions = bidirectional ? 2 : 1
  const outputSize = projSize ?? hiddenSize

  return {
    kind: 'lstm',
    name,
    inputDtype: 'float32',
    inputRank: 3,
    inputFeatures: (stateDict, prefix) => inputSize ?? (stateDict.get(joinName(prefix, 'weight_ih_l0')) ?? stateDict.get(joinName(prefix, 'weight_ih')))?.shape[1],
    tensors: (features) => lstmTensors({ inputSize: features, hiddenSize, numLayers, bidirectional, bias, projSize, peepholes })
      .map((spec) => (goBackwards ? { ...spec, role: spec.role.replace('forward', 'reverse') } : spec)),
    outputShape(input, layerName) {
      if (input.length !== 3) {
        throw new LstmError('SHAPE', `lstm '${layerName}': expected [batch, timesteps, features], got ${formatShape(input)}; does the layer before it need returnSequences: true?`)
      }
      const [first, second] = input as [Dimension, Dimension, Dimension]
      const width = outputSize * directions
      return returnSequences ? [first, second, width] : [timeMajor ? second : first, width]
    },
    build(layerName, input, output, parameters) {
      const initial = [`${layerName}_h0`, `${layerName}_c0`]
      const final = [`${layerName}_h`, `${layerName}_c`]
      const inputs: GraphInput[] = initial.map((stateName, index) => ({
        name: stateName, dtype: 'float32', shape: [numLayers * directions, 'batch', index === 0 ? outputSize : hiddenSize], optional: true,
      }))
      return {
        nodes: [{
          name: layerName,
          op: 'lstm',
          inputs: initialState ? [input, ...initial] : [input],
          outputs: returnState ? [output, ...final] : [output],
          parameters,
          attributes: {
            hiddenSize,
            numLayers,
            direction: bidirectional ? 'bidirectional' : goBackwards ? 'reverse' : 'forward',
            timeMajor,
            returnSequences,
            reversedOutput: goBackwards,
            ...(projSize !== undefined && { projSize }),
            ...(delaySamples > 1 && { delaySamples }),
          },
        }],
        output,
        ...(initialState && { inputs }),
        ...(returnState && { outputs: final }),
      }
    },
  }
}
