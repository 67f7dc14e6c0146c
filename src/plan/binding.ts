import { LstmError } from '../errors.ts'
import type { GraphInput } from '../graph/graph.ts'
import { copyData, describeValue, dtypeOfData, type DataOf } from '../values/dtype.ts'
import { checkData, dataOfNested, narrowed, type ArrayLike, type Nested, type OrtTensor } from '../values/ndarray.ts'
import { copyShape, formatShape, lengthOf, shapeOfNested, type Shape } from '../values/shape.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { Tensor } from '../runtime/tensor.ts'
import { takeNamed } from './named.ts'

/**
 * What `run` takes for an input: a tensor of the model's runtime (nothing is copied), any array with
 * shape and data, a tensor of onnxruntime, nested arrays of numbers, or a typed array where at most one size is symbolic.
 * Elements of 64 bits are copied as int32.
 */
export type RunInput = Tensor | ArrayLike | OrtTensor | Float32Array | Int32Array | Uint8Array | BigInt64Array | BigUint64Array | Nested

/** Inputs or targets by name. */
export type ByName<T> = Readonly<Record<string, T>>

/** Inputs of a run: arrays by name, or the array of the only one that must be given. */
export type RunInputs = ByName<RunInput> | RunInput

/**
 * A value for an input or output, read once: getters of what the caller gave run while it is taken, and never again. Elements are
 * the caller's own; those of nested arrays are copied.
 */
export interface Taken {
  tensor: Tensor | undefined
  data: DataOf | undefined
  /** The shape that the caller gives; undefined for an array without one. */
  shape: Shape | undefined
}

/** Places for the values of some ports. */
export function places(count: number): Taken[] {
  return Array.from({ length: count }, () => ({ tensor: undefined, data: undefined, shape: undefined }))
}

/** Releases the caller's arrays. */
export function clear(taken: readonly Taken[]): void {
  for (let n = 0; n < taken.length; n++) {
    const place = taken[n] as Taken
    place.tensor = undefined
    place.data = undefined
    place.shape = undefined
  }
}

/**
 * Takes a tensor, typed array or array with a shape, which onnxruntime calls `dims`.
 * @param place an empty one
 * @returns false for anything else
 */
export function takeArray(value: unknown, place: Taken): boolean {
  if (ArrayBuffer.isView(value)) {
    place.data = value as DataOf // of any dtype: it is compared with the port's
    return true
  }
  if (value instanceof Tensor) {
    place.tensor = value
    place.shape = value.shape
    return true
  }
  if (typeof value !== 'object' || value === null) return false
  const { shape, dims = shape, data } = value as ArrayLike & { readonly dims?: Shape }
  if (!Array.isArray(dims) || data === undefined) return false
  place.shape = dims
  place.data = data
  return true
}

const WORDS = { call: 'run', port: 'input' } as const

/** Takes the inputs of a run; see `takeNamed`. @throws LstmError `VALUE` or `SHAPE` for what can be no input */
export function takeInputs(ports: readonly GraphInput[], inputs: unknown, values: unknown[], taken: readonly Taken[]): void {
  takeNamed(inputs, ports, values, WORDS)
  for (let n = 0; n < ports.length; n++) {
    const value = values[n]
    values[n] = undefined
    if (!takeArray(value, taken[n] as Taken) && value !== undefined) takeNested(ports[n] as GraphInput, value, taken[n] as Taken)
  }
}

function takeNested(input: GraphInput, value: unknown, place: Taken): void {
  const what = `input '${input.name}'`
  if (!Array.isArray(value) && typeof value !== 'number') throw new LstmError('VALUE', `${expected(input)}, got ${describeValue(value)}`)
  const shape = shapeOfNested(value, what)
  if (!fitsShape(input, shape)) throw new LstmError('SHAPE', `${expected(input)}, got ${formatShape(shape)}`)
  place.data = dataOfNested(value, input.dtype, shape, what)
  place.shape = shape
}

function expected(input: GraphInput): string {
  return `input '${input.name}': expected ${input.dtype} ${formatShape(input.shape)}`
}

/** Names of the sizes of an input that are known only at run time. */
export function symbolsOf(input: GraphInput): string[] {
  return input.shape.filter((size) => typeof size === 'string')
}

function fitsShape(input: GraphInput, shape: Shape): boolean {
  return shape.length === input.shape.length
    && shape.every((size, axis) => size >= 1 && (typeof input.shape[axis] === 'string' || input.shape[axis] === size))
}

/**
 * The shape of a value, checked against the input's own.
 * @throws LstmError `SHAPE` or `VALUE`, naming the input, what it expects and what it got
 */
function shapeOfTaken(input: GraphInput, { tensor, data, shape: claimed }: Taken): Shape {
  const { dtype } = input
  if (tensor === undefined && claimed === undefined && dtypeOfData(data) === undefined) throw new LstmError('VALUE', `${expected(input)}, got ${describeValue(data)}`)
  if (tensor === undefined) checkData(data, dtype, `input '${input.name}'`)
  else if (tensor.dtype !== dtype) checkData(tensor.data, dtype, `input '${input.name}'`)
  const { length } = (tensor ?? data) as { readonly length: number }
  const shape = claimed === undefined ? shapeOfFlat(input, length, expected(input)) : copyShape(claimed, `input '${input.name}'`)
  if (lengthOf(shape) !== length) {
    throw new LstmError('SHAPE', `${expected(input)}, got ${length} elements that claim the shape ${formatShape(shape)}`)
  }
  if (!fitsShape(input, shape)) throw new LstmError('SHAPE', `${expected(input)}, got ${formatShape(shape)}`)
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

/** Up to this many elements, a loop is faster than `set`. */
const SHORT = 32

/** to = from, of the same length. */
export function copyAll(from: DataOf, to: DataOf): void {
  if (to.length > SHORT) to.set(from)
  else for (let n = 0; n < from.length; n++) to[n] = from[n] as number
}

/** Builds messages only for errors: runs allocate nothing. */
export function checkTensor(tensor: Tensor, runtime: Runtime, where: 'input' | 'into', name: string): void {
  if (tensor.disposed) throw new LstmError('DISPOSED', `${where} '${name}': the tensor is disposed`)
  if (tensor.memory !== runtime.linearMemory) {
    throw new LstmError('VALUE', `${where} '${name}': expected a tensor of the model's own runtime (model.runtime), got one of another runtime`)
  }
}

/**
 * The shapes of all inputs of a run. Views of the runtime's own memory are copied: allocating a plan may detach them.
 * @throws LstmError `VALUE`, `SHAPE` or `DISPOSED` unless they fit
 */
export function shapesOfInputs(ports: readonly GraphInput[], taken: readonly Taken[], runtime: Runtime): Map<string, Shape> {
  return bindSizes(ports, ports.map((input, n) => {
    const place = taken[n] as Taken
    if (place.tensor === undefined && place.data === undefined) {
      if (input.optional) return undefined
      throw new LstmError('VALUE', `run: the input '${input.name}' ${input.dtype} ${formatShape(input.shape)} is missing`)
    }
    if (place.tensor !== undefined) checkTensor(place.tensor, runtime, 'input', input.name)
    else if (input.dtype === 'int32' && dtypeOfData(place.data) === undefined) place.data = narrowed(place.data, `input '${input.name}'`) as DataOf
    const shape = shapeOfTaken(input, place)
    if (place.data !== undefined && runtime.linearMemory.owns(place.data)) place.data = copyData(place.data)
    return shape
  }))
}
