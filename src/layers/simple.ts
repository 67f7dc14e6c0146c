import { LstmError } from '../errors.ts'
import { joinName } from '../formats/pytorch-names.ts'
import { describeValue, isDType, type DType } from '../values/dtype.ts'
import { formatShape, type Dimension } from '../values/shape.ts'
import { simpleNode, type Layer } from './layer.ts'
import { checkName } from './lstm.ts'
import { checkCount, checkFlag, readOptions, type Aliases } from './options.ts'

/** Activation functions, by Keras's names; `linear` is none. */
export type Activation = 'linear' | 'sigmoid' | 'tanh' | 'relu' | 'softmax'

const ACTIVATIONS: readonly Activation[] = ['linear', 'sigmoid', 'tanh', 'relu', 'softmax']

export interface DenseOptions {
  /** Name of the layer, and of its tensors in a state dict (`name.weight`, `name.bias`). Default `dense`, `dense_1`, ... */
  readonly name?: string
  /** Features of the input. Default: told by the layer before, or by the weights. */
  readonly inputSize?: number
  /** Whether there is a bias. Default true. */
  readonly bias?: boolean
  /** Applied to the output. Default `'linear'`: nothing. */
  readonly activation?: Activation
}

const DENSE_ALIASES: Aliases = { useBias: 'bias', inputDim: 'inputSize', inFeatures: 'inputSize', outFeatures: 'units' }

function checkActivation(value: unknown, what: string): Activation {
  if (!ACTIVATIONS.includes(value as Activation)) {
    throw new LstmError('VALUE', `${what}: expected one of ${ACTIVATIONS.join(', ')}, got ${describeValue(value)}`)
  }
  return value as Activation
}

/**
 * y = x W^T + b along the last axis, at every timestep alike: Keras's Dense, PyTorch's Linear.
 * @throws LstmError `VALUE` for options that are unknown or out of range
 */
export function dense(
  units: number | (DenseOptions & Readonly<Record<string, unknown>>),
  options: DenseOptions & Readonly<Record<string, unknown>> = {},
): Layer {
  const positional = typeof units === 'object' && units !== null ? units : { units }
  const read = readOptions<DenseOptions & { units?: number }>(
    options, ['units', 'name', 'inputSize', 'bias', 'activation'], DENSE_ALIASES, 'dense', positional,
  )
  const size = checkCount(read.units, 'dense: units')
  const inputSize = read.inputSize === undefined ? undefined : checkCount(read.inputSize, 'dense: inputSize')
  const bias = checkFlag(read.bias, true, 'dense: bias')
  const activation = checkActivation(read.activation ?? 'linear', 'dense: activation')
  return {
    kind: 'dense',
    name: checkName(read.name, 'dense'),
    inputDtype: 'float32',
    inputRank: undefined,
    inputFeatures: (stateDict, prefix) => inputSize ?? stateDict.get(joinName(prefix, 'weight'))?.shape[1],
    tensors: (features) => [
      { name: 'weight', role: 'weight', shape: [size, features] },
      ...(bias ? [{ name: 'bias', role: 'bias', shape: [size] }] : []),
    ],
    outputShape: (input) => [...input.slice(0, -1), size],
    build(name, input, output, parameters) {
      if (activation === 'linear') return { nodes: [simpleNode(name, 'linear', input, output, parameters)], output }
      const before = `${name}/linear`
      return {
        nodes: [
          simpleNode(name, 'linear', input, before, parameters),
          simpleNode(`${name}/${activation}`, activation, before, output),
        ],
        output,
      }
    },
  }
}

/**
 * Rows of a trained table: token ids (int32) -> vectors. Keras's Embedding, PyTorch's Embedding.
 *
 * @param vocabulary number of rows (Keras `input_dim`, PyTorch `num_embeddings`)
 * @param width length of each row (Keras `output_dim`, PyTorch `embedding_dim`)
 */
export function embedding(vocabulary: number, width: number, options: { readonly name?: string } = {}): Layer {
  checkCount(vocabulary, 'embedding: vocabulary')
  checkCount(width, 'embedding: width')
  const { name } = readOptions<{ name?: string }>(options, ['name'], {}, 'embedding')
  return {
    kind: 'embedding',
    name: checkName(name, 'embedding'),
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
function shapeless(kind: string, op: string, attributes: Readonly<Record<string, number>> = {}): Layer {
  return {
    kind,
    name: undefined,
    inputDtype: 'float32',
    inputRank: undefined,
    inputFeatures: () => undefined,
    tensors: () => [],
    outputShape: (input) => input,
    build: (name, input, output) => ({ nodes: [simpleNode(name, op, input, output, {}, attributes)], output }),
  }
}

/** An activation as a layer of its own. */
export function activation(name: Exclude<Activation, 'linear'>): Layer {
  const checked = checkActivation(name, 'activation')
  return checked === 'linear' ? dropout(0) : shapeless(checked, checked)
}

/** Dropout acts in training only: here it passes its input on. It may stand where the trained model has it. */
export function dropout(rate: number): Layer {
  if (typeof rate !== 'number' || !(rate >= 0 && rate <= 1)) {
    throw new LstmError('VALUE', `dropout: expected a rate from 0 to 1, got ${describeValue(rate)}`)
  }
  return shapeless('dropout', 'dropout', { rate })
}

/** What `input` describes. */
export interface InputDescription {
  readonly kind: 'input'
  readonly shape: readonly Dimension[]
  readonly dtype: DType | undefined
  readonly name: string | undefined
}

/**
 * The shape of one element of the batch, as the first entry of `sequential`: Keras's Input.
 * `input([28, 28])` is 28 timesteps of 28 features, `input(['timesteps', 28])` any number of them.
 */
export function input(
  shape: readonly Dimension[], options: { readonly name?: string, readonly dtype?: DType } = {},
): InputDescription {
  const read = readOptions<{ name?: string, dtype?: DType }>(options, ['name', 'dtype'], {}, 'input')
  const valid = Array.isArray(shape) && shape.every((size: unknown) =>
    (typeof size === 'string' && size !== '') || (typeof size === 'number' && Number.isInteger(size) && size >= 1))
  if (!valid) throw new LstmError('VALUE', `input: expected sizes >= 1 or names, got ${Array.isArray(shape) ? formatShape(shape) : describeValue(shape)}`)
  if (read.dtype !== undefined && !isDType(read.dtype)) {
    throw new LstmError('VALUE', `input: expected dtype 'float32', 'int32' or 'uint8', got ${describeValue(read.dtype)}`)
  }
  return { kind: 'input', shape, dtype: read.dtype, name: checkName(read.name, 'input') }
}
