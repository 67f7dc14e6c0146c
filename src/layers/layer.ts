import type { StateDict, TensorSpec } from '../formats/pytorch-names.ts'
import { LstmError } from '../errors.ts'
import type { GraphInput, GraphNode } from '../graph/graph.ts'
import type { DType } from '../values/dtype.ts'
import type { ArrayLike } from '../values/ndarray.ts'
import { formatShape, type SymbolicShape } from '../values/shape.ts'

/** What a layer adds to the graph, besides its main output. */
export interface LayerNodes {
  readonly nodes: readonly GraphNode[]
  /** The value the next layer is given. */
  readonly output: string
  /** Further inputs of the model, such as an initial state. */
  readonly inputs?: readonly GraphInput[]
  /** Further outputs of the model, such as a final state. */
  readonly outputs?: readonly string[]
  /** Constants that are in no file, such as an index. */
  readonly constants?: Readonly<Record<string, ArrayLike>>
}

/** A layer of `sequential`: a description that becomes graph nodes once its input is known. */
export interface Layer {
  /** Kind of layer, lower case; the base of its default name: `lstm`, `lstm_1`, ... */
  readonly kind: string
  /** Name given by the caller. */
  readonly name: string | undefined
  /** What it takes: `float32` values or `int32` indices. */
  readonly inputDtype: DType
  /** Number of axes of its input, the batch included; undefined where any number will do. */
  readonly inputRank: number | undefined
  /** Features of its input where the layer states them or its weights tell; undefined otherwise. */
  inputFeatures(stateDict: StateDict, prefix: string): number | undefined
  /** Its tensors under PyTorch's names, for an input of so many features. */
  tensors(features: number): readonly TensorSpec[]
  /** Names of tensors that its module may have for training alone: they are not read. Default: none. */
  readonly trainingOnly?: readonly string[]
  /** Shape of what it gives for an input of this shape. */
  outputShape(input: SymbolicShape, name: string): SymbolicShape
  /**
   * Its nodes of the graph.
   * @param parameters from role to constant, as `tensors` asked for them
   * @param shape of the input
   */
  build(name: string, input: string, output: string, parameters: Readonly<Record<string, string>>, shape: SymbolicShape): LayerNodes
}

/** A weight that a layer wants. */
export interface LayerWeightSpec {
  /** In a state dict: `lstm.weight_ih_l0`. */
  readonly name: string
  /** Kind of the layer: `lstm`, `dense`, ... */
  readonly kind: string
  /** What the layer's operator calls it. */
  readonly role: string
  /** Sizes, as in a state dict. */
  readonly shape: readonly number[]
  /** Units of a recurrent layer. */
  readonly units: number | undefined
}

/**
 * The axes of a layer's input.
 * @param rank how many there must be; default: two, batch and features, or more
 * @param what the layer, as messages call it
 * @param instead what to do about it
 * @throws LstmError `SHAPE` where it has another number of them
 */
export function axesOf(shape: SymbolicShape, rank: 2 | 3 | undefined, what: string, instead: string = ''): SymbolicShape {
  if (rank === undefined ? shape.length >= 2 && typeof shape.at(-1) === 'number' : shape.length === rank) return shape
  const expected = rank === 3 ? '[batch, timesteps, features]' : rank === 2 ? '[batch, features]' : '[batch, features] or [batch, timesteps, features], of so many features'
  throw new LstmError('SHAPE', `${what}: expected ${expected}, got ${formatShape(shape)}${rank === 3 ? '; does the layer before it need returnSequences: true?' : instead}`)
}

/** A node of the simplest kind. */
export function simpleNode(
  name: string, op: string, input: string, output: string,
  parameters: GraphNode['parameters'] = {}, attributes: GraphNode['attributes'] = {},
): GraphNode {
  return { name, op, inputs: [input], outputs: [output], parameters, attributes }
}
