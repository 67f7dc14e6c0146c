// What a graph is made of, as plain data.
import type { DType } from '../values/dtype.ts'
import type { ArrayLike } from '../values/ndarray.ts'
import type { SymbolicShape } from '../values/shape.ts'

/** A setting of a node. Everything in a graph is plain data, so that it can be written as JSON. */
export type Attribute = string | number | boolean | readonly number[] | readonly string[]

/** One operation of a graph. Values and constants are known by name. */
export interface GraphNode {
  /** Unique in its graph; errors and summaries use it. */
  readonly name: string
  /** Which operator: a key of the registry. */
  readonly op: string
  /** Names of the values that flow in; `''` where an optional one is absent. */
  readonly inputs: readonly string[]
  /** Names of the values made here; `''` where an optional one is not wanted. */
  readonly outputs: readonly string[]
  /** Trained weights: from the operator's name for each to the name of the constant. */
  readonly parameters: Readonly<Record<string, string>>
  /** Settings, by the operator's name for each. */
  readonly attributes: Readonly<Record<string, Attribute>>
  /** Graphs inside it, of a loop or of a choice. Default: none. */
  readonly bodies?: Readonly<Record<string, Body>>
}

/** Dtype and shape of a value, before it exists. */
export interface ValueType {
  readonly dtype: DType
  readonly shape: SymbolicShape
}

/** What a model is given. Sizes that are known only at run time are names: `['batch', 'timesteps', 28]`. */
export interface GraphInput {
  /** What the caller calls it. */
  readonly name: string
  /** Type of its elements. */
  readonly dtype: DType
  /** Sizes; a name stands for one that is known only at run time. */
  readonly shape: SymbolicShape
  /** Whether `run` may leave it out; it is zeros then. Default false. */
  readonly optional?: boolean
}

/** What a model gives back: a name, and the value of the graph it stands for. */
export interface GraphOutput {
  /** What the caller calls it. */
  readonly name: string
  /** The value in the graph that it is. */
  readonly value: string
}

/** A model as plain data: it can be made, read, inspected and written where no WebAssembly is. */
export interface Graph {
  /** What a run takes, in order. */
  readonly inputs: readonly GraphInput[]
  /** What a run gives, in order. */
  readonly outputs: readonly GraphOutput[]
  /** In an order in which every value is made before it is used. */
  readonly nodes: readonly GraphNode[]
  /** Trained weights and other fixed values, by name. */
  readonly constants: ReadonlyMap<string, ArrayLike>
  /** What a reader says about how it took the file, a line each: `summary()` shows it, `save()` keeps it. Runs mind it not. Default: nothing. */
  readonly notes?: readonly string[]
  /** What a file has besides its network, by the name of who reads it (characters of a recogniser); `save()` keeps it. Runs mind it not. Default: nothing. */
  readonly metadata?: Readonly<Record<string, string>>
}

/** A graph inside a node. Its constants are weights of the node, by their names in it: `Operator.inner` says with what in front. */
export type Body = Pick<Graph, 'inputs' | 'outputs' | 'nodes'>

/** A graph whose every value has a type. */
export interface TypedGraph {
  readonly graph: Graph
  readonly types: ReadonlyMap<string, ValueType>
  /** What the operator of each node made of its attributes. */
  readonly settings: ReadonlyMap<GraphNode, unknown>
  /** Elements of int32 values that are sizes of axes, numbers and names, by value. */
  readonly sizes: ReadonlyMap<string, SymbolicShape>
}
