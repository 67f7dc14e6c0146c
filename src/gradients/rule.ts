// What the gradient of an operator is written with. A gradient is nodes of the same graph: what the forward pass made is kept because a
// later node reads it, as any value is.
import type { Attribute, GraphNode } from '../ops/graph-data.ts'
import type { DType } from '../values/dtype.ts'
import type { ArrayLike } from '../values/ndarray.ts'
import type { Shape } from '../values/shape.ts'

/** Adds nodes to a graph whose sizes are numbers, and says what is known of its values. */
export interface GradientBuilder {
  /**
   * A node with several outputs; returns their names.
   * @param inputs names of values; `''` for an absent one
   * @param outputs how many, or for each whether it is wanted: the name of one that is not is `''`
   */
  nodes(op: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>>, outputs: number | readonly boolean[]): string[]
  /** A node with one output; returns its name. */
  node(op: string, inputs: readonly string[], attributes?: Readonly<Record<string, Attribute>>): string
  /** A constant; returns its name. A number is a float32 of shape []. */
  constant(value: number | ArrayLike): string
  /** One number everywhere, float32. */
  filled(value: number, shape: Shape): string
  shapeOf(value: string): Shape
  dtypeOf(value: string): DType
  /** The elements of a value that is known beforehand. */
  valueOf(value: string): ArrayLike | undefined
  /** The value with another shape of as many elements: itself where it has that shape. */
  reshape(value: string, shape: Shape): string
  /** The sum of a gradient over the axes along which a value of `shape` was broadcast. */
  sumTo(value: string, shape: Shape): string
}

/** What a rule is given. */
export interface GradientCall<Settings = unknown> {
  readonly node: GraphNode
  /** What the operator made of its attributes. */
  readonly settings: Settings
  /** The gradient of each output; undefined where the loss does not depend on it. One of them at least is there. */
  readonly outputs: readonly (string | undefined)[]
  /** Whether the gradient of each input is wanted. */
  readonly wanted: readonly boolean[]
}

/**
 * The gradient of the loss by the inputs of a node, from that by its outputs: names of values with the shapes of the inputs; undefined where it is
 * not wanted, or zero everywhere.
 * @throws LstmError `UNSUPPORTED` for settings that have none
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each rule knows the settings of its own operator
export type GradientRule = (call: GradientCall<any>, build: GradientBuilder) => readonly (string | undefined)[]

/** Rules by the name of the operator. */
export type GradientRules = Readonly<Record<string, GradientRule>>
