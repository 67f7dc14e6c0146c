// Timesteps that a reshape makes rows of one axis, together with the batch: `x.reshape(-1, features)`. Whatever works row by row does not see
// the difference; another reshape, or the stream at its end, gives the timesteps an axis of their own again.
import type { GraphNode } from '../ops/graph-data.ts'
import { freshSize, namesIn, quotientOf } from '../ops/node/sizes.ts'
import { NdArray } from '../values/ndarray.ts'
import type { Dimension, SymbolicShape } from '../values/shape.ts'

/** The axes that are one now, the first of its value. */
export interface JoinedSteps {
  /** The value that has them. */
  readonly of: string
  readonly sizes: SymbolicShape
  /** Which of them is that of the timesteps. */
  readonly axis: number
}

/** What stands for a reshape in a stream: nodes, the last of which makes its output, and the constants that they need. */
export interface StreamReshape {
  readonly nodes: readonly GraphNode[]
  readonly constants: readonly (readonly [name: string, value: NdArray])[]
}

/** Name of the size that timesteps have where a graph says a number. */
export const STEPS = 'timesteps of a stream'

/** Operators that may join axes. */
export const JOINS: ReadonlySet<string> = new Set(['reshape', 'flatten'])

const integers = (...values: number[]): NdArray => new NdArray(Int32Array.from(values), [values.length])
const areNumbers = (sizes: SymbolicShape): sizes is readonly number[] => sizes.every((size) => typeof size === 'number')

/** Whether timesteps that the file leaves open are a factor of a size in a shape. */
export function isFactor(steps: Dimension | undefined, shape: SymbolicShape): boolean {
  return typeof steps === 'string' && steps !== STEPS && shape.some((size) => size !== steps && namesIn(size).includes(steps))
}

/** The axes that a reshape joins to its first one, if the timesteps are among them and all behind stay rows as they are. */
export function joinOf(node: GraphNode, axis: number, from: SymbolicShape, to: SymbolicShape): JoinedSteps | undefined {
  const [first, ...rest] = to
  if (first === undefined) return undefined
  for (let count = Math.max(2, axis + 1); count <= from.length; count++) {
    const sizes = from.slice(0, count)
    // A number for a name is that of the file, where streams have any number of steps.
    const isProduct = typeof first === 'number' || quotientOf(sizes, [first]) === 1
    if (isProduct && quotientOf(from.slice(count), rest) === 1) return { of: node.inputs[0] as string, sizes, axis }
  }
  return undefined
}

/** A reshape that joins steps, whatever number of rows the file says; undefined where it need not be changed, or cannot. */
export function joining(node: GraphNode, [first, ...rest]: SymbolicShape): StreamReshape | undefined {
  if (typeof first !== 'number' || !areNumbers(rest)) return undefined
  const name = freshSize(node, 'sizes')
  return { nodes: [{ ...node, op: 'reshape', inputs: [node.inputs[0] as string, name], attributes: {} }], constants: [[name, integers(-1, ...rest)]] }
}

/**
 * Whether a reshape takes joined axes apart as they were.
 * @param target the shape that it is given, where that is known
 */
export function isSplit({ sizes, axis }: JoinedSteps, from: SymbolicShape, to: SymbolicShape, target: readonly number[] | undefined): boolean {
  const isSame = (size: Dimension, n: number): boolean => (
    to[n] === size || (to[n] !== undefined && target?.[n] === -1) || (n === axis && typeof to[n] === 'number')
  )
  return sizes.every(isSame) && areNumbers(to.slice(sizes.length)) && quotientOf(from.slice(1), to.slice(sizes.length)) === 1
}

/** Gives joined axes back as the first value has them, in front of `rest`. @param node named so, from its first input to its output */
export function splitting(node: GraphNode, { of, sizes }: JoinedSteps, rest: readonly number[]): StreamReshape {
  const [front, back, all] = ['front', 'back', 'all'].map((what) => freshSize(node, what)) as [string, string, string]
  const made = (op: string, inputs: readonly string[], output: string, attributes: GraphNode['attributes']): GraphNode => (
    { name: output, op, inputs, outputs: [output], parameters: {}, attributes }
  )
  return {
    nodes: [
      made('shape', [of], front, { start: 0, end: sizes.length }),
      made('concat', [front, back], all, { axis: 0 }),
      { ...node, op: 'reshape', inputs: [node.inputs[0] as string, all], attributes: {} },
    ],
    constants: [[back, integers(...rest)]],
  }
}
