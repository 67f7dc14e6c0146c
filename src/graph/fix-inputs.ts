import { LstmError } from '../errors.ts'
import { createData, isDType, storeChecked } from '../values/dtype.ts'
import { hasShape, NdArray, type ArrayLike } from '../values/ndarray.ts'
import { formatShape } from '../values/shape.ts'
import { GraphBuilder } from './builder.ts'
import type { Graph, GraphInput } from './graph.ts'

/** Inputs that are fixed, by name: to an array, or to a number that fills all of it. */
export type FixedInputs = Readonly<Record<string, ArrayLike | number>>

/** A plain number fills so many elements at most: the size is the file's word. */
const MOST_FILLED = 2 ** 16

/**
 * The same graph with some of its inputs as constants; what depends on them alone is computed at once.
 * @throws LstmError `VALUE` for names that are no inputs, or values that do not fit
 */
export function fixInputs(graph: Graph, constants: FixedInputs, format: string): Graph {
  checkNames(constants, graph.inputs, format)
  const builder = new GraphBuilder()
  for (const [name, constant] of graph.constants) builder.constant(name, constant)
  for (const input of graph.inputs) {
    if (Object.hasOwn(constants, input.name)) builder.constant(input.name, fixedValue(constants[input.name], input, format))
    else builder.input(input)
  }
  for (const node of graph.nodes) builder.add(node)
  builder.note(...graph.notes ?? [])
  return builder.finish(graph.outputs)
}

/** @throws LstmError `VALUE` for names that are no inputs */
export function checkNames(constants: FixedInputs, inputs: readonly { readonly name: string }[], format: string): void {
  const list = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ')
  const unknown = Object.keys(constants).filter((name) => !inputs.some((input) => input.name === name))
  if (unknown.length > 0) {
    throw new LstmError('VALUE', `${format}: 'constants' fixes ${list(unknown)}, expected inputs of the model: ${list(inputs.map(({ name }) => name))}`)
  }
}

/** What a caller fixes an input to, checked. */
export function fixedValue(value: unknown, { name, dtype, shape }: GraphInput, format: string): NdArray {
  const what = `${format}: 'constants' for the input '${name}'`
  if (typeof value === 'number') {
    const sizes = shape.map((size) => (typeof size === 'number' ? size : 1))
    const element = createData(dtype, 1)
    storeChecked(element, 0, dtype, value, what)
    const length = sizes.reduce((product, size) => product * size, 1)
    if (length > MOST_FILLED) throw new LstmError('VALUE', `${what}: expected an array for ${formatShape(shape)}, got a number`)
    return new NdArray(createData(dtype, length).fill(element[0] as number), sizes)
  }
  if (!hasShape(value) || !isDType(value.dtype)) throw new LstmError('VALUE', `${what}: expected a number or an array with dtype, shape and data`)
  const fits = value.shape.length === shape.length && shape.every((size, axis) => typeof size === 'string' || size === value.shape[axis])
  if (value.dtype !== dtype || !fits) {
    throw new LstmError('VALUE', `${what}: expected ${dtype} ${formatShape(shape)}, got ${value.dtype} ${formatShape(value.shape)}`)
  }
  return new NdArray(value.data, value.shape)
}
