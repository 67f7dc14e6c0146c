import { LstmError } from '../errors.ts'
import type { GraphInput } from '../graph/graph.ts'
import { describeValue, dtypeOfData, type DataOf } from '../values/dtype.ts'
import { checkData, fillFromNested, hasShape, type ArrayLike, type Nested } from '../values/ndarray.ts'
import { checkShape, formatShape, lengthOf, shapeOfNested, type Shape } from '../values/shape.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { Tensor } from '../runtime/tensor.ts'

/**
 * What `run` takes for an input: a tensor of the model's runtime (nothing is copied), any array with
 * shape and data, nested arrays of numbers, or a typed array where at most one size is symbolic.
 */
export type RunInput = Tensor | ArrayLike | Float32Array | Int32Array | Uint8Array | Nested

/** Inputs or targets by name. */
export type ByName<T> = Readonly<Record<string, T>>

/** Names of the sizes of an input that are known only at run time. */
export function symbolsOf(input: GraphInput): string[] {
  return input.shape.filter((size) => typeof size === 'string')
}

/**
 * The shape of a given value, checked against the input's own.
 * @throws LstmError `SHAPE` or `VALUE`, naming the input, what it expects and what it got
 */
function shapeOfInput(input: GraphInput, value: unknown): Shape {
  const expects = `input '${input.name}': expected ${input.dtype} ${formatShape(input.shape)}`
  let shape: Shape
  if (hasShape(value)) {
    shape = value.shape
    checkData(value.data, input.dtype, `input '${input.name}'`)
    checkShape(shape, `input '${input.name}'`)
    if (lengthOf(shape) !== value.data.length) {
      throw new LstmError('SHAPE', `${expects}, got ${value.data.length} elements that claim the shape ${formatShape(shape)}`)
    }
  } else if (dtypeOfData(value) !== undefined) {
    checkData(value, input.dtype, `input '${input.name}'`)
    shape = shapeOfFlat(input, (value as DataOf).length, expects)
  } else if (Array.isArray(value) || typeof value === 'number') {
    shape = shapeOfNested(value)
  } else {
    throw new LstmError('VALUE', `${expects}, got ${describeValue(value)}`)
  }
  const fits = shape.length === input.shape.length
    && shape.every((size, axis) => size >= 1 && (typeof input.shape[axis] === 'string' || input.shape[axis] === size))
  if (!fits) throw new LstmError('SHAPE', `${expects}, got ${formatShape(shape)}`)
  return shape
}

/** The one symbolic size of a flat array follows from its length. */
function shapeOfFlat(input: GraphInput, length: number, expects: string): Shape {
  const symbols = symbolsOf(input)
  if (symbols.length > 1) {
    throw new LstmError('SHAPE', `${expects}, got a flat array of ${length} elements, which does not tell ${symbols.join(' from ')}; give { shape, dtype, data }, a tensor or nested arrays`)
  }
  const known = lengthOf(input.shape.filter((size) => typeof size === 'number'))
  if (symbols.length === 0 ? length !== known : length === 0 || length % known !== 0) {
    throw new LstmError('SHAPE', `${expects}, got a flat array of ${length} elements, which is not ${symbols.length === 0 ? known : `a multiple of ${known}`}`)
  }
  return input.shape.map((size) => (typeof size === 'number' ? size : length / known))
}

/**
 * Binds the symbolic sizes: the same name must mean the same number in every input.
 * @throws LstmError `SHAPE`
 */
function bindSizes(inputs: readonly GraphInput[], shapes: readonly (Shape | undefined)[]): Map<string, Shape> {
  const sizes: Map<string, { size: number, from: string }> = new Map()
  inputs.forEach((input, position) => {
    input.shape.forEach((name, axis) => {
      const size = shapes[position]?.[axis]
      if (typeof name !== 'string' || size === undefined) return
      const bound = sizes.get(name)
      if (bound === undefined) sizes.set(name, { size, from: input.name })
      else if (bound.size !== size) {
        throw new LstmError('SHAPE', `input '${input.name}': expected ${name} = ${bound.size} as in '${bound.from}', got ${size} in ${formatShape(shapes[position] as Shape)}`)
      }
    })
  })
  // An optional input that was left out takes its sizes from the others.
  return new Map(inputs.map((input) => [input.name, input.shape.map((size) => {
    if (typeof size === 'number') return size
    const bound = sizes.get(size)
    if (bound === undefined) throw new LstmError('SHAPE', `input '${input.name}': nothing tells the size '${size}'`)
    return bound.size
  })]))
}

/** Up to so many elements, a loop is faster than `set`. */
const SHORT = 32

/** to = from, of the same length. */
export function copyAll(from: DataOf, to: DataOf): void {
  if (to.length > SHORT) to.set(from)
  else for (let n = 0; n < from.length; n++) to[n] = from[n] as number
}

/** Copies a value that is no tensor of the runtime into its buffer. */
export function copyInput(input: GraphInput, value: unknown, shape: Shape, view: DataOf): void {
  if (ArrayBuffer.isView(value)) copyAll(value as DataOf, view)
  else if (value === undefined) view.fill(0)
  else if (hasShape(value)) view.set(value.data)
  else fillFromNested(view, input.dtype, value, shape, `input '${input.name}'`)
}

/** Puts a message together only when there is something to say: runs allocate nothing. */
export function checkTensor(value: unknown, runtime: Runtime, where: 'input' | 'into', name: string): void {
  if (!(value instanceof Tensor)) return
  if (value.disposed) throw new LstmError('DISPOSED', `${where} '${name}': the tensor is disposed`)
  if (value.memory !== runtime.linearMemory) {
    throw new LstmError('VALUE', `${where} '${name}': expected a tensor of the model's own runtime (model.runtime), got one of another runtime`)
  }
}

/**
 * The shapes of all inputs of a run.
 * @throws LstmError `VALUE`, `SHAPE` or `DISPOSED` unless they fit
 */
export function shapesOfInputs(ports: readonly GraphInput[], inputs: ByName<RunInput>, runtime: Runtime): Map<string, Shape> {
  const names = (): string => ports.map(({ name, optional }) => `'${name}'${optional ? ' (optional)' : ''}`).join(', ')
  if (typeof inputs !== 'object' || inputs === null) {
    throw new LstmError('VALUE', `run: expected an object with inputs by name (${names()}), got ${describeValue(inputs)}`)
  }
  for (const name of Object.keys(inputs)) {
    if (!ports.some((input) => input.name === name)) throw new LstmError('VALUE', `run: no input '${name}'; inputs are ${names()}`)
  }
  return bindSizes(ports, ports.map((input) => {
    const value = inputs[input.name]
    if (value === undefined && input.optional) return undefined
    if (value === undefined) throw new LstmError('VALUE', `run: the input '${input.name}' ${input.dtype} ${formatShape(input.shape)} is missing`)
    checkTensor(value, runtime, 'input', input.name)
    return shapeOfInput(input, value)
  }))
}
