import { LstmError } from '../errors.ts'
import { checkKind, count, FLAG, oneOf, readOptions, type Kind, type OptionTable } from '../options.ts'
import { joinName } from '../formats/pytorch-names.ts'
import { ARRAYS, describeValue, type DType } from '../values/dtype.ts'
import type { Dimension } from '../values/shape.ts'
import { NdArray } from '../values/ndarray.ts'
import { ACTIVATION, activated, bindActivation, constantsOf, knowOperator, type Activation } from './activations.ts'
import { axesOf, simpleNode, type Layer } from './layer.ts'
import { NAME, readWords, type LayerOptions, type Spelled } from './options.ts'

/** Options of `dense`. */
export interface DenseOptions {
  /** Name of the layer, and of its tensors in a state dict (`name.weight`, `name.bias`). Default `dense`, `dense_1`, ... */
  readonly name?: string | undefined
  /** Features of the input. Default: told by the layer before, or by the weights. */
  readonly inputSize?: number | undefined
  /** Whether there is a bias. Default true. */
  readonly bias?: boolean | undefined
  /** Applied to the output. Default `'linear'`: nothing. */
  readonly activation?: Activation | undefined
}

interface AllDenseOptions extends DenseOptions {
  /** Features of the output. */
  readonly units?: number | undefined
}

const COUNT = count(1)
const DENSE_OPTIONS: OptionTable<AllDenseOptions> = { units: COUNT, ...NAME, inputSize: COUNT, bias: FLAG, activation: ACTIVATION }
const DENSE_ALIASES = { useBias: 'bias', inputDim: 'inputSize', inFeatures: 'inputSize', outFeatures: 'units' } as const

/**
 * y = x W^T + b along the last axis, at every timestep alike: Keras's Dense, PyTorch's Linear.
 * @throws LstmError `VALUE` for options that are unknown or out of range
 */
export function dense(
  units: number | Spelled<AllDenseOptions, typeof DENSE_ALIASES>, options: Spelled<DenseOptions, Omit<typeof DENSE_ALIASES, 'outFeatures'>> = {},
): Layer {
  const positional = typeof units === 'object' && units !== null ? units : { units }
  const read = readWords(options, DENSE_OPTIONS, 'dense', DENSE_ALIASES, positional)
  checkKind(read.units, COUNT, 'dense', 'units')
  const { units: size = 0, name: given, inputSize, bias = true } = read
  const activation = bindActivation(read.activation ?? 'linear', 'dense: activation')
  return {
    kind: 'dense',
    name: given,
    inputDtype: 'float32',
    inputRank: undefined,
    inputFeatures: (stateDict, prefix) => inputSize ?? stateDict.get(joinName(prefix, 'weight'))?.shape[1],
    tensors: (features) => [
      { name: 'weight', role: 'weight', shape: [size, features] },
      ...(bias ? [{ name: 'bias', role: 'bias', shape: [size] }] : []),
    ],
    outputShape: (input) => [...input.slice(0, -1), size],
    build: (name, input, output, parameters) => activated(name, activation, output, (before) => simpleNode(name, 'linear', input, before, parameters)),
  }
}

/**
 * Rows of a trained table: token ids (int32) -> vectors. Keras's Embedding, PyTorch's Embedding.
 *
 * @param vocabulary number of rows (Keras `input_dim`, PyTorch `num_embeddings`)
 * @param width length of each row (Keras `output_dim`, PyTorch `embedding_dim`)
 * @throws LstmError `VALUE` for sizes and options that are unknown or out of range
 */
export function embedding(vocabulary: number, width: number, options: LayerOptions = {}): Layer {
  checkKind(vocabulary, COUNT, 'embedding', 'vocabulary')
  checkKind(width, COUNT, 'embedding', 'width')
  const { name } = readOptions(options, NAME, 'embedding')
  return {
    kind: 'embedding',
    name,
    inputDtype: 'int32',
    inputRank: undefined,
    inputFeatures: () => undefined,
    tensors: () => [{ name: 'weight', role: 'weight', shape: [vocabulary, width] }],
    outputShape: (input) => [...input, width],
    build: (layerName, input, output, parameters) => ({
      nodes: [simpleNode(layerName, 'embedding', input, output, parameters)], output,
    }),
  }
}

/** A layer without weights whose output has the shape of its input. */
function shapeless(kind: string, op: string, given: string | undefined, attributes: Readonly<Record<string, number>> = {}): Layer {
  return {
    kind,
    name: given,
    inputDtype: 'float32',
    inputRank: undefined,
    inputFeatures: () => undefined,
    tensors: () => [],
    outputShape: (input) => input,
    build: (name, input, output) => ({ nodes: [simpleNode(name, op, input, output, {}, attributes)], output }),
  }
}

/** An activation as a layer of its own. @throws LstmError `VALUE` for a name that is none, or options that are unknown */
export function activation(name: Activation, options: LayerOptions = {}): Layer {
  checkKind(name, ACTIVATION, 'activation', 'name')
  const bound = bindActivation(name, 'activation')
  if (bound.name === 'linear') return dropout(0, options)
  knowOperator(bound)
  return shapeless(bound.name, bound.name, readOptions(options, NAME, 'activation').name, constantsOf(bound))
}

const RATE: Kind = { expected: 'a number from 0 to 1', test: (value) => typeof value === 'number' && value >= 0 && value <= 1 }

/**
 * Dropout acts in training only: here it passes its input on. It may stand where the trained model has it.
 * @throws LstmError `VALUE` for a rate that is none, or options that are unknown
 */
export function dropout(rate: number, options: LayerOptions = {}): Layer {
  checkKind(rate, RATE, 'dropout', 'rate')
  return shapeless('dropout', 'dropout', readOptions(options, NAME, 'dropout').name, { rate })
}

/**
 * The last timestep of a sequence: [batch, timesteps, features] -> [batch, features]. What `x[:, -1]` is in Python; of a bidirectional layer it is
 * not what `returnSequences: false` gives.
 * @throws LstmError `VALUE` for options that are unknown
 */
export function lastStep(options: LayerOptions = {}): Layer {
  const { name: given } = readOptions(options, NAME, 'lastStep')
  return {
    kind: 'last_step',
    name: given,
    inputDtype: 'float32',
    inputRank: 3,
    inputFeatures: () => undefined,
    tensors: () => [],
    outputShape(input, name) {
      const [batch, , features] = axesOf(input, 3, `lastStep '${name}'`)
      return [batch as Dimension, features as Dimension]
    },
    build(name, input, output) {
      const index = `${name}/index`
      return {
        nodes: [{ name, op: 'gather', inputs: [input, index], outputs: [output], parameters: {}, attributes: { axis: 1 } }], output,
        constants: { [index]: new NdArray(Int32Array.of(-1), []) },
      }
    },
  }
}

/** Options of `input`. */
export interface InputOptions extends LayerOptions {
  /** Type of its elements. Default: what the first layer takes. */
  readonly dtype?: DType | undefined
}

const INPUT_OPTIONS: OptionTable<InputOptions> = { ...NAME, dtype: oneOf(Object.keys(ARRAYS)) }

/** What `input` describes. */
export interface InputDescription {
  /** What tells it from a layer. */
  readonly kind: 'input'
  /** Sizes of the input, the batch among them. */
  readonly shape: readonly Dimension[]
  /** Default: what the first layer takes. */
  readonly dtype: DType | undefined
  /** Default: `input`. */
  readonly name: string | undefined
}

/**
 * The shape of one element of the batch, as the first entry of `sequential`: Keras's Input.
 * `input([28, 28])` is 28 timesteps of 28 features, `input(['timesteps', 28])` any number of them.
 * @throws LstmError `VALUE` for sizes that are none, and for unknown options
 */
export function input(shape: readonly Dimension[], options: InputOptions = {}): InputDescription {
  const { name, dtype } = readOptions(options, INPUT_OPTIONS, 'input')
  const valid = Array.isArray(shape) && shape.every((size: unknown) =>
    (typeof size === 'string' && size !== '') || (typeof size === 'number' && Number.isInteger(size) && size >= 1))
  if (!valid) throw new LstmError('VALUE', `input: expected sizes >= 1 or names, got ${Array.isArray(shape) ? `[${shape.map(describeValue).join(', ')}]` : describeValue(shape)}`)
  return { kind: 'input', shape, dtype, name }
}
