// What operators check alike: every message says node, what, expected and got.
import { LstmError } from '../../errors.ts'
import type { DType } from '../../values/dtype.ts'
import type { ArrayLike } from '../../values/ndarray.ts'
import { formatShape, sameShape, type SymbolicShape } from '../../values/shape.ts'
import type { GraphNode, ValueType } from '../graph-data.ts'
import type { InferenceContext } from '../operator.ts'

/** NumPy's own limit: types of values are lists of sizes, and a file may have many of them. */
export const MOST_AXES = 64

/** `lstm 'encoder'`: how messages call a node. */
export function label(node: GraphNode): string {
  return `${node.op} '${node.name}'`
}

/** Whether a node has an input at `position`. */
export function hasInput(node: GraphNode, position: number): boolean {
  return (node.inputs[position] ?? '') !== ''
}

/** The input at `position`, of any dtype; it must be there. */
export function anyInput(node: GraphNode, context: InferenceContext, position: number): ValueType {
  const value = context.input(position)
  if (value === undefined) throw new LstmError('SHAPE', `${label(node)}: expected an input at position ${position}, got none`)
  return value
}

/** The input at `position`, which must be there, have the dtype and, if given, so many axes. */
export function requireInput(
  node: GraphNode, context: InferenceContext, position: number, dtype: DType, rank?: number,
): ValueType {
  const value = anyInput(node, context, position)
  if (value.dtype !== dtype) {
    throw new LstmError('VALUE', `${label(node)}: expected ${dtype} input, got ${value.dtype} ${formatShape(value.shape)}`)
  }
  if (rank !== undefined && value.shape.length !== rank) {
    throw new LstmError('SHAPE', `${label(node)}: expected an input with ${rank} axes, got ${formatShape(value.shape)}`)
  }
  return value
}

/** A weight that must be float32 and, if given, have exactly this shape. */
export function requireParameter(
  node: GraphNode, context: Pick<InferenceContext, 'parameter'>, role: string, shape?: SymbolicShape,
): ArrayLike {
  const parameter = context.parameter(role)
  if (parameter === undefined) {
    const expected = shape === undefined ? '' : ` ${formatShape(shape)}`
    throw new LstmError('SHAPE', `${label(node)}: expected the weight '${role}'${expected}, got none`)
  }
  if (parameter.dtype !== 'float32') {
    throw new LstmError('VALUE', `${label(node)}: expected float32 for '${role}', got ${parameter.dtype}`)
  }
  if (shape !== undefined && !sameShape(parameter.shape, shape)) {
    throw new LstmError('SHAPE', `${label(node)}: expected ${formatShape(shape)} for '${role}', got ${formatShape(parameter.shape)}`)
  }
  return parameter
}

/** The sizes of the matrix `weight`, neither of which is 0. @param axes what they are, for messages */
export function requireMatrix(node: GraphNode, context: Pick<InferenceContext, 'parameter'>, axes: string): [number, number] {
  const { shape } = requireParameter(node, context, 'weight')
  const [rows, columns] = shape
  if (shape.length !== 2 || !rows || !columns) throw new LstmError('SHAPE', `${label(node)}: expected 'weight' with shape ${axes}, got ${formatShape(shape)}`)
  return [rows, columns]
}

/** Checks the size of the last axis; one that is known only at run time is checked then. */
export function requireFeatures(node: GraphNode, value: ValueType, features: number): void {
  const size = value.shape.at(-1)
  if (size === undefined || (typeof size === 'number' && size !== features)) {
    throw new LstmError('SHAPE', `${label(node)}: expected ${features} features, got ${formatShape(value.shape)}`)
  }
}
