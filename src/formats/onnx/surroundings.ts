import type { GraphBuilder } from '../../graph/builder.ts'
import type { GraphNode } from '../../ops/graph-data.ts'
import type { ArrayLike, NdArray } from '../../values/ndarray.ts'
import type { OnnxGraph, OnnxTensor } from './messages.ts'
import type { Resolved, Scope } from './scope.ts'

/** What a QuantizeLinear was given: names of values, and the bounds of its type. */
export interface Quantised {
  readonly x: string
  readonly scale: string
  /** `''` for none. */
  readonly zero: string
  readonly bounds: readonly [least: number, most: number]
}

/**
 * A list of tensors:
 * - of values, one by one;
 * - of the slices of a value along an axis, which they have no more, or (`keeps`) with one element; how many there are may be known only at run time;
 * - of what a step of a loop appends to the list `of` that it was given.
 */
export type TensorList =
  | { readonly items: readonly string[] }
  | { readonly array: string, readonly axis: number, readonly keeps: boolean }
  | { readonly of: string, readonly appended: readonly string[] }

/** What converters of nodes see of the import that they are a part of; `Importer` is it. */
export interface Surroundings {
  readonly builder: GraphBuilder
  /** Version of the standard operators. */
  readonly opset: number
  /** The seed of random numbers, where the caller gave one, and how many nodes draw some so far. */
  readonly draws: { readonly seed: number | undefined, count: number }
  /** Constants made by the readers of operators, such as permuted weights, by what they are made of. */
  readonly made: Map<ArrayLike['data'], Map<string, string>>
  /** Lists of tensors, by the names that stand for them. */
  readonly lists: Map<string, TensorList>
  /** Integers by name that a QuantizeLinear with one scale and zero point has made. */
  readonly quantised: Map<string, Quantised>
  /** Adds what the outputs of a graph need, and returns what these stand for. */
  graph(graph: OnnxGraph, scope: Scope): Resolved[]
  /** The import of a graph that stays inside a node: values and names of its own; what is unsupported is noted together. */
  inside(): Surroundings
  /** Runs a part of the import; what is unsupported in it is noted, and false returned. */
  attempt(run: () => void, where?: string): boolean
  /** A name like `name` that no node or value has yet. */
  unusedName(name: string): string
  /** The same, taken for a node. */
  nodeName(name: string): string
  /** The elements of a tensor of the file. */
  decode(tensor: OnnxTensor, what: string): NdArray
  /** Adds a constant under a name like `name`, which is returned. */
  constant(name: string, value: ArrayLike): string
  add(node: GraphNode): void
  /** @throws LstmError when constants made of constants become too large or too many for the file */
  spend(bytes: number, work: number): void
  /** The node of ours that makes a value. */
  producer(name: string): GraphNode | undefined
  /** Whether a value is known once sizes are numbers. */
  followsFromSizes(name: string): boolean
  /** Inputs of the model that a value depends on. */
  dependencies(name: string): string[]
}
