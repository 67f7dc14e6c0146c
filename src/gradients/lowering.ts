// Lowering: the graph of a model becomes one that can be trained. What is trained are constants there; here they are inputs, parameters, and a node
// that has weights becomes nodes that take them as values.
import type { GraphNode } from '../ops/graph-data.ts'
import type { Shape } from '../values/shape.ts'
import type { GradientBuilder } from './rule.ts'

/** How a matrix of weights is packed: as `packDenseF32`, `gates` 0, or as `packGatesF32` packs them. */
export interface PackedLayout {
  /** Rows of weights: inputs of a unit. */
  readonly k: number
  /** Columns, or units of a gate. */
  readonly units: number
  /** Gates that are stacked; 0 for a dense matrix. */
  readonly gates: number
  /** The gate the matrix begins with, where it has not all gates of its constant. Default 0. */
  readonly begin?: number
}

/** What a lowering writes with. */
export interface LoweringBuilder extends GradientBuilder {
  /** Whether it is for a step of training, or for what `predict` and `evaluate` run. */
  readonly training: boolean
  /** Whether an input of the node is a float32 constant of the model that is a weight: what `parameter` and `fixed` take. */
  isConstant(name: string): boolean
  /** A constant as it is: it is not trained. */
  fixed(constant: string): string
  /** The shape of a constant of the model. */
  constantShape(constant: string): Shape
  /** The parameter that stands for a constant of the model, in its own shape: a name of a value. */
  parameter(constant: string): string
  /** The same, packed for products (see assembly/products/layout.ts): float32 [floats]. A constant is one or the other. */
  packed(constant: string, layout: PackedLayout): string
  /** After a step of training the constant, which is not trained, becomes this value: a running mean. */
  update(constant: string, value: string): void
  /** The state that a stateful layer goes on from, float32: zeros at first, and then what `carry` named the step before. */
  state(name: string, shape: Shape): string
  /** What the state of this name is for the next step. */
  carry(name: string, value: string): void
  /** Says over how many timesteps the node goes: rows of the batch must not be what it takes for them. */
  goesOver(timesteps: number): void
  /** int32 [3]: the seed of the run, the number of the step, and the first row of the batch in it. For nodes that draw. */
  seed(): string
}

/**
 * The nodes that stand for one node of the model.
 * @param inputs the values that stand for its inputs; `''` for absent ones
 * @returns the values that stand for its outputs; `''` for those it does not want
 * @throws LstmError `UNSUPPORTED` for settings that cannot be trained
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each lowering knows the settings of its own operator
export type Lowering = (node: GraphNode, settings: any, inputs: readonly string[], build: LoweringBuilder) => readonly string[]

/** Lowerings by the name of the operator. */
export type Lowerings = Readonly<Record<string, Lowering>>
