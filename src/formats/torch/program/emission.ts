import { GraphBuilder } from '../../../graph/builder.ts'
import type { Attribute } from '../../../ops/graph-data.ts'
import { NdArray } from '../../../values/ndarray.ts'
import type { SymbolicShape } from '../../../values/shape.ts'
import type { Budget } from '../../budget.ts'
import type { TensorBuilder } from '../tensor-builder.ts'
import { NamedTensor, NotFollowed, Value, type Arg, type Call } from './calls.ts'

/** A graph that grows by what calls become. */
export class Emission {
  readonly builder: GraphBuilder = new GraphBuilder()
  /** Names of values that are there. */
  readonly names: Map<Value, string> = new Map()
  readonly budget: Budget
  readonly #tensors: TensorBuilder
  readonly #producers: Map<Value, Call> = new Map()
  readonly #placed: Map<string, string> = new Map()
  #count = 0

  constructor(calls: readonly Call[], tensors: TensorBuilder, budget: Budget) {
    this.budget = budget
    this.#tensors = tensors
    for (const call of calls) for (const result of call.results) this.#producers.set(result, call)
  }

  producer(arg: Arg): Call | undefined {
    return arg instanceof Value ? this.#producers.get(arg) : undefined
  }

  /** A tensor argument: a value, a tensor of the file, or a number. */
  tensor(arg: Arg): string {
    if (arg instanceof Value) return this.names.get(arg) as string
    if (arg instanceof NamedTensor) return this.weight(arg)
    if (typeof arg === 'number') return this.constant(new NdArray(Float32Array.of(arg), []))
    throw new NotFollowed('has an argument that is no tensor')
  }

  /** The same as float32: numbers that Python had as whole ones are stored so. */
  float(arg: Arg): string {
    const name = this.tensor(arg)
    const array = this.builder.value(name)
    return array === undefined || array.dtype === 'float32' ? name : this.constant(new NdArray(Float32Array.from(array.data), array.shape))
  }

  /** A tensor of the file as a constant, by its own name. */
  weight(arg: Arg): string {
    if (!(arg instanceof NamedTensor)) throw new NotFollowed('has weights that are computed')
    const { name } = arg
    const known = this.#placed.get(name)
    if (known !== undefined) return known
    const free = this.builder.types.has(name) ? `${name}'` : name
    this.builder.constant(free, arg.build(this.#tensors))
    this.#placed.set(name, free)
    return free
  }

  constant(array: NdArray): string {
    const name = `constant ${this.#count++}`
    this.builder.constant(name, array)
    return name
  }

  integers(...values: readonly number[]): string {
    return this.constant(new NdArray(Int32Array.from(values), [values.length]))
  }

  shape(name: string): SymbolicShape {
    return this.builder.types.get(name)?.shape ?? []
  }

  node(
    call: Call, op: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {},
    parameters: Readonly<Record<string, string>> = {}, outputs: number = 1,
  ): string[] {
    const name = `${call.where === '' ? '' : `${call.where}/`}${op}_${this.#count++}`
    const made = Array.from({ length: outputs }, (_, n) => `${name}.${n}`)
    this.builder.add({ name, op, inputs, outputs: made, parameters, attributes })
    return made
  }
}
