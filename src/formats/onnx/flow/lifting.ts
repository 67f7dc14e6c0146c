// Values of a loop's body that each step computes by itself: around the loop they are computed of all steps at once, which stand as a new first axis.
import { findOperator } from '../../../ops/registry.ts'
import type { Attribute, GraphNode } from '../../../ops/graph-data.ts'
import { NdArray } from '../../../values/ndarray.ts'
import type { Conversion } from '../conversion.ts'
import type { Inside } from './inside.ts'

/** Adds a sequence [steps, ...] around the loop. */
export type Sequenced = () => string

/** How a node looks with the new axis: other attributes, or constants in the place of its inputs. */
interface Lifted {
  readonly attributes?: Readonly<Record<string, Attribute>>
  readonly constants?: Readonly<Record<number, NdArray>>
}

const MOST_DEPTH = 64
/** An axis from the front stands one further on. */
const behind = (axis: number): number => (axis < 0 ? axis : axis + 1)

export class Lifting {
  readonly #c: Conversion
  readonly #inside: Inside
  readonly #sourceOf: (name: string) => Sequenced | undefined
  /** Values that can be lifted for sure. */
  readonly #able: Set<string> = new Set()
  readonly #made: Map<string, string> = new Map()

  /** @param sourceOf what is known as a sequence already */
  constructor(c: Conversion, inside: Inside, sourceOf: (name: string) => Sequenced | undefined) {
    this.#c = c
    this.#inside = inside
    this.#sourceOf = sourceOf
  }

  /** Whether a value is computed of sequences and constants alone, by operators that keep steps apart. */
  can(name: string, depth: number = MOST_DEPTH): boolean {
    if (this.#able.has(name) || this.#sourceOf(name) !== undefined) return true
    const node = depth === 0 ? undefined : this.#inside.importer.producer(name)
    const isAble = node !== undefined && this.#lifted(node) !== undefined && this.#own(node).every((input) => this.can(input, depth - 1))
    if (isAble) this.#able.add(name)
    return isAble
  }

  /** The value of all steps, [steps, ...]. It must be one that can be lifted. */
  emit(name: string): string {
    const known = this.#made.get(name) ?? this.#sourceOf(name)?.()
    if (known !== undefined) {
      this.#made.set(name, known)
      return known
    }
    const c = this.#c
    const node = this.#inside.importer.producer(name) as GraphNode
    const { attributes = {}, constants = {} } = this.#lifted(node) as Lifted
    const inputs = node.inputs.map((input, n) => {
      const own = constants[n] ?? this.#inside.importer.builder.value(input)
      return input === '' ? '' : own === undefined ? this.emit(input) : c.constant('constant', own)
    })
    if (node.op === 'gemm') return this.#product(name, inputs, node.attributes)
    const outputs = node.outputs.map((output) => (output === '' ? '' : c.unused(node.op)))
    c.emit(node.op, inputs, { ...node.attributes, ...attributes }, outputs, this.parameters(node))
    node.outputs.forEach((output, n) => this.#made.set(output, outputs[n] as string))
    return this.#made.get(name) as string
  }

  /** Gemm has two axes; matrices in the place of rows are multiplied the same. */
  #product(name: string, [x = '', matrix = '', bias = '']: readonly string[], { transB = 0 }: GraphNode['attributes']): string {
    const c = this.#c
    const product = c.emit('matMul', [x, transB === 0 ? matrix : c.emit('transpose', [matrix], { perm: [1, 0] })])
    const made = bias === '' ? product : c.emit('add', [product, bias])
    this.#made.set(name, made)
    return made
  }

  /** Weights of a node of the body, around it. */
  parameters({ parameters }: GraphNode): Record<string, string> {
    const { builder } = this.#inside.importer
    return Object.fromEntries(Object.entries(parameters).map(([role, name]) => [role, this.#c.constant(role, builder.value(name) as NdArray)]))
  }

  /** Inputs that are no constants. */
  #own({ inputs }: GraphNode): string[] {
    return inputs.filter((input) => input !== '' && this.#inside.importer.builder.value(input) === undefined)
  }

  #rank(name: string): number {
    return this.#inside.importer.builder.types.get(name)?.shape.length ?? 0
  }

  #lifted(node: GraphNode): Lifted | undefined {
    const { op, inputs, attributes } = node
    const own = this.#own(node)
    const value = (position: number): NdArray | undefined => this.#inside.importer.builder.value(inputs[position] ?? '') as NdArray | undefined
    const isFirst = own.length === 1 && own[0] === inputs[0]
    if (findOperator(op)?.time === 'pointwise') {
      // Axes are counted from the last one: all values of the steps have as many.
      const rank = this.#rank(node.outputs[0] as string)
      return own.length > 0 && own.every((input) => this.#rank(input) === rank) ? {} : undefined
    }
    switch (op) {
      case 'concat': return own.length === inputs.length ? { attributes: { axis: behind(Number(attributes.axis)) } } : undefined
      case 'softmax': case 'logSoftmax': case 'layerNormalization': return isFirst ? { attributes: { axis: behind(Number(attributes.axis ?? -1)) } } : undefined
      case 'linear': case 'embedding': return isFirst ? {} : undefined
      case 'gemm': {
        const { alpha = 1, beta = 1, transA = 0 } = attributes
        return isFirst && alpha === 1 && beta === 1 && transA === 0 && (value(2)?.shape.length ?? 0) < 3 ? {} : undefined
      }
      case 'matMul': return isFirst && value(1)?.shape.length === 2 ? {} : undefined
      case 'gather': return own.length === 1 && own[0] === inputs[1] && (attributes.axis ?? 0) === 0 ? {} : undefined
      case 'squeeze': case 'unsqueeze': {
        const axes = value(1)
        return isFirst && axes !== undefined ? { constants: { 1: new NdArray(Int32Array.from(axes.data, behind), axes.shape) } } : undefined
      }
      default: return undefined
    }
  }
}
