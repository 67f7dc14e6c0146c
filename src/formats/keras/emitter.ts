import { GraphBuilder } from '../../graph/builder.ts'
import type { Attribute } from '../../ops/graph-data.ts'
import { createData } from '../../values/dtype.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import { lengthOf, type SymbolicShape } from '../../values/shape.ts'
import type { Budget } from '../budget.ts'
import { TakenMasks } from './taken-masks.ts'

/** Adds nodes to a graph, with names that are free. */
export class Emitter {
  readonly builder: GraphBuilder = new GraphBuilder()
  /** Pays for nodes: a model may be called any number of times. */
  readonly budget: Budget
  readonly takenMasks: TakenMasks = new TakenMasks()
  /** The mask that a layer was given last: see `Dialect.masksLinger`. */
  lastMask: string | undefined
  readonly #taken: Set<string> = new Set()
  /** The number after those that names were given last. */
  readonly #counts: Map<string, number> = new Map()
  readonly #shares: Map<string, string> = new Map()
  /** Constants by the array they are made of. */
  readonly #constants: Map<NdArray, readonly string[]> = new Map()

  constructor(budget: Budget) {
    this.budget = budget
  }

  /** A name that nothing has yet: the wanted one, or with a number behind. */
  freeName(wanted: string): string {
    this.budget.take(wanted.length, 'Keras')
    let name = wanted
    let count = this.#counts.get(wanted) ?? 2
    for (; this.#taken.has(name); count++) name = `${wanted}:${count}`
    if (name !== wanted) this.#counts.set(wanted, count)
    this.#taken.add(name)
    return name
  }

  shapeOf(value: string): SymbolicShape {
    return this.builder.types.get(value)?.shape ?? []
  }

  rankOf(value: string): number {
    return this.shapeOf(value).length
  }

  /** Whether a value is float32, and no constant. */
  isFloat(value: string): boolean {
    return this.builder.types.get(value)?.dtype === 'float32' && this.builder.value(value) === undefined
  }

  /** A node with one output, which is returned. */
  node(
    name: string, op: string, inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {}, parameters: Readonly<Record<string, string>> = {},
  ): string {
    const [output] = this.nodeWith(1, name, op, inputs, attributes, parameters) as [string]
    return output
  }

  /** A node with several outputs. */
  nodeWith(
    outputs: number, name: string, op: string, inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {}, parameters: Readonly<Record<string, string>> = {},
  ): string[] {
    const free = this.freeName(name)
    this.budget.build(free)
    this.budget.work(inputs.length, 'Keras')
    const values = Array.from({ length: outputs }, (_, index) => (index === 0 ? free : this.freeName(`${free}.${index}`)))
    this.builder.add({ name: free, op, inputs, outputs: values, parameters, attributes })
    return values
  }

  /** A constant of the layer; the same array again is the same constant. */
  constant(name: string, array: NdArray, transform: (array: NdArray) => ArrayLike = (same) => same): string {
    const [constant] = this.constants([name], array, (one) => [transform(one)]) as [string]
    return constant
  }

  /** Several constants made of one array, named in their order; the same array again is the same constants. */
  constants(names: readonly string[], array: NdArray, transform: (array: NdArray) => readonly ArrayLike[]): readonly string[] {
    const known = this.#constants.get(array)
    if (known !== undefined) return known
    this.budget.copy(array.data.length, array.data.byteLength, `Keras: ${names[0]}`)
    const made = transform(array).map((part, index) => {
      const free = this.freeName(names[index] as string)
      this.builder.constant(free, part)
      return free
    })
    this.#constants.set(array, made)
    return made
  }

  /** The value as whole numbers: itself, where it is so. */
  whole(name: string, value: string): string {
    return this.builder.types.get(value)?.dtype === 'int32' ? value : this.node(name, 'cast', [value], { to: 'int32' })
  }

  /** The value as truth: itself, where it is so. */
  truth(name: string, value: string): string {
    return this.builder.types.get(value)?.dtype === 'uint8' ? value : this.node(name, 'cast', [value], { to: 'bool' })
  }

  /** A list of whole numbers: axes, sizes. */
  integers(...values: readonly number[]): string {
    return this.#shared(`int32 ${values.join()}`, () => new NdArray(Int32Array.from(values), [values.length]))
  }

  /** A whole number without axes. */
  integer(value: number): string {
    return this.#shared(`int32 scalar ${value}`, () => new NdArray(Int32Array.of(value), []))
  }

  /** A number that is broadcast. */
  number(value: number): string {
    return this.#shared(`float32 ${value}`, () => new NdArray(Float32Array.of(value), []))
  }

  /** An array that stands among the arguments of a function. */
  array({ data, shape }: { readonly data: readonly number[], readonly shape: readonly number[] }, dtype: 'float32' | 'int32'): string {
    const name = this.freeName('array')
    this.budget.copy(data.length, 4 * data.length, 'Keras: an array')
    this.builder.constant(name, new NdArray(dtype === 'int32' ? Int32Array.from(data) : Float32Array.from(data), shape))
    return name
  }

  #shared(key: string, make: () => NdArray): string {
    const known = this.#shares.get(key)
    if (known !== undefined) return known
    const name = this.freeName(key)
    this.builder.constant(name, make())
    this.#shares.set(key, name)
    return name
  }
}

/** A matrix with rows and columns exchanged: Keras's kernels are [from, to], ours [to, from]. */
export function transposed({ data, shape }: NdArray): NdArray {
  const [rows, columns] = shape as [number, number]
  const result = new Float32Array(data.length)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = data[row * columns + column] as number
  }
  return new NdArray(result, [columns, rows])
}

/** Axes in another order. */
export function permuted({ data, shape, dtype }: NdArray, order: readonly number[]): NdArray {
  const strides = shape.map((_, axis) => lengthOf(shape.slice(axis + 1)))
  const target = order.map((axis) => shape[axis] as number)
  const result = createData(dtype, data.length)
  let position = 0
  const copy = (axis: number, from: number): void => {
    if (axis === order.length) {
      result[position++] = data[from] as number
      return
    }
    const stride = strides[order[axis] as number] as number
    for (let index = 0; index < (target[axis] as number); index++) copy(axis + 1, from + index * stride)
  }
  if (data.length > 0) copy(0, 0)
  return new NdArray(result, target)
}
