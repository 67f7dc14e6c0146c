// Adds the nodes of gradients to a graph.
import type { GraphBuilder } from '../graph/builder.ts'
import type { Attribute, ValueType } from '../ops/graph-data.ts'
import type { DType } from '../values/dtype.ts'
import { NdArray, type ArrayLike } from '../values/ndarray.ts'
import { sameShape, type Shape } from '../values/shape.ts'
import type { GradientBuilder } from './rule.ts'

/** An int32 list. */
export function integers(...values: readonly number[]): NdArray {
  return new NdArray(Int32Array.from(values), [values.length])
}

/** Adds nodes to a graph under names that it has not. Every size must be a number. */
export class NodeBuilder implements GradientBuilder {
  readonly #builder: GraphBuilder
  readonly #prefix: string
  readonly #taken: Set<string>
  /** Numbers that are there already. */
  readonly #numbers: Map<number, string> = new Map()
  #count = 0

  /**
   * @param prefix of the names of what is added
   * @param taken names of the nodes that are there, besides those of values
   */
  constructor(builder: GraphBuilder, prefix: string, taken: Iterable<string>) {
    this.#builder = builder
    this.#prefix = prefix
    this.#taken = new Set(taken)
  }

  nodes(op: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>>, outputs: number | readonly boolean[]): string[] {
    const name = this.#fresh(op)
    const wanted = typeof outputs === 'number' ? Array.from({ length: outputs }, () => true) : outputs
    const names = wanted.map((isWanted, n) => (!isWanted ? '' : n === 0 ? name : this.#fresh(op)))
    this.#builder.add({ name, op, inputs, outputs: names, parameters: {}, attributes })
    return names
  }

  node(op: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    return this.nodes(op, inputs, attributes, 1)[0] as string
  }

  constant(value: number | ArrayLike): string {
    if (typeof value !== 'number') return this.#define(value)
    // -0 and 0 are the same key, and two numbers.
    if (Object.is(value, -0)) return this.#define(new NdArray(Float32Array.of(value), []))
    const name = this.#numbers.get(value) ?? this.#define(new NdArray(Float32Array.of(value), []))
    this.#numbers.set(value, name)
    return name
  }

  filled(value: number, shape: Shape): string {
    return this.node('expand', [this.constant(value), this.constant(integers(...shape))])
  }

  shapeOf(value: string): Shape {
    return this.#typeOf(value).shape as Shape
  }

  dtypeOf(value: string): DType {
    return this.#typeOf(value).dtype
  }

  valueOf(value: string): ArrayLike | undefined {
    return this.#builder.value(value)
  }

  reshape(value: string, shape: Shape): string {
    return sameShape(this.shapeOf(value), shape) ? value : this.node('reshape', [value, this.constant(integers(...shape))], { allowzero: true })
  }

  sumTo(value: string, shape: Shape): string {
    const from = this.shapeOf(value)
    const missing = from.length - shape.length
    const axes = from.flatMap((size, axis) => (axis < missing || (shape[axis - missing] === 1 && size !== 1) ? [axis] : []))
    const sum = axes.length === 0 ? value : this.node('reduceSum', [value, this.constant(integers(...axes))], { keepdims: false })
    return this.reshape(sum, shape)
  }

  #typeOf(value: string): ValueType {
    return this.#builder.types.get(value) as ValueType
  }

  #define(value: ArrayLike): string {
    const name = this.#fresh('constant')
    this.#builder.constant(name, value)
    return name
  }

  #fresh(what: string): string {
    for (;;) {
      const name = `${this.#prefix}${what} ${++this.#count}`
      if (this.#taken.has(name) || this.#builder.types.has(name)) continue
      this.#taken.add(name)
      return name
    }
  }
}
