// Graphs of one node, for what exporters make of each.
import type { Graph, GraphNode } from '../../src/graph/graph.ts'
import { NdArray, type ArrayLike } from '../../src/values/ndarray.ts'
import type { SymbolicShape } from '../../src/values/shape.ts'

/** A node that is a graph by itself. */
export interface Node {
  readonly op: string
  readonly attributes?: GraphNode['attributes']
  /** In order: shapes of inputs, or constants. */
  readonly from: readonly (SymbolicShape | ArrayLike)[]
  /** Default 1. */
  readonly outputs?: number
}

const isConstant = (one: SymbolicShape | ArrayLike): one is ArrayLike => 'data' in one
export const ints = (...values: number[]): NdArray => new NdArray(Int32Array.from(values), [values.length])
export const scalar = (value: number): NdArray => new NdArray(Float32Array.of(value), [])
export const index = (value: number): NdArray => new NdArray(Int32Array.of(value), [])

/** A graph of one node `n`, of inputs x0, x1, ... and constants; outputs y, y1, ... */
export function graphOf({ op, attributes = {}, from, outputs = 1 }: Node): Graph {
  const names = from.map((_, n) => `x${n}`)
  const made = Array.from({ length: outputs }, (_, n) => (n === 0 ? 'y' : `y${n}`))
  return {
    inputs: from.flatMap((shape, n) => (isConstant(shape) ? [] : [{ name: `x${n}`, dtype: 'float32' as const, shape }])),
    outputs: made.map((name) => ({ name, value: name })),
    nodes: [{ name: 'n', op, inputs: names, outputs: made, parameters: {}, attributes }],
    constants: new Map(from.flatMap((array, n) => (isConstant(array) ? [[`x${n}`, array] as const] : []))),
  }
}
