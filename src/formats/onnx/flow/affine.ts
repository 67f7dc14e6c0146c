// Sums of products with constant matrices: z = a A + b B + ... + bias, as bodies of recurrent layers write their gates.
import type { GraphNode } from '../../../ops/graph-data.ts'
import type { ArrayLike } from '../../../values/ndarray.ts'
import type { Surroundings } from '../surroundings.ts'
import { onlyElement } from './condition.ts'

/** A value [rows, width] as such a sum. */
export interface Affine {
  readonly width: number
  /** By value [rows, n] that is multiplied: its matrix [n, width]. */
  readonly terms: ReadonlyMap<string, Float32Array>
  /** [width] */
  readonly bias: Float32Array
}

const MOST_DEPTH = 32

/** Values of one graph as affine sums. */
export class AffineValues {
  readonly #importer: Surroundings
  readonly #known: Map<string, Affine | undefined> = new Map()

  constructor(importer: Surroundings) {
    this.#importer = importer
  }

  /** Undefined for a value that is none. */
  of(name: string, depth: number = MOST_DEPTH): Affine | undefined {
    if (!this.#known.has(name)) {
      const node = depth === 0 ? undefined : this.#importer.producer(name)
      const found = node === undefined ? undefined : this.#ofNode(node, name, depth - 1)
      if (found !== undefined) this.#importer.spend(4 * found.width, found.width + [...found.terms.values()].reduce((sum, { length }) => sum + length, 0))
      this.#known.set(name, found)
    }
    return this.#known.get(name)
  }

  #ofNode(node: GraphNode, name: string, depth: number): Affine | undefined {
    if (node.op === 'add') return this.#sum(node, depth)
    if (node.op === 'matMul') return this.#product(node.inputs[0] as string, this.#importer.builder.value(node.inputs[1] as string))
    if (node.op === 'gemm') return this.#gemm(node)
    if (node.op === 'split') return this.#part(node, name, depth)
    return node.op === 'slice' ? this.#slice(node, name, depth) : undefined
  }

  #sum({ inputs }: GraphNode, depth: number): Affine | undefined {
    const [a, b] = inputs as [string, string]
    const [left, right] = [this.of(a, depth), this.of(b, depth)]
    if (left !== undefined && right !== undefined) return joined(left, right)
    const sum = left ?? right
    const bias = sum === undefined ? undefined : vector(this.#importer.builder.value(left === undefined ? a : b), sum.width)
    return sum === undefined || bias === undefined ? undefined : { ...sum, bias: added(sum.bias, bias) }
  }

  #product(of: string, matrix: ArrayLike | undefined, transposed = false, scale = 1): Affine | undefined {
    if (matrix?.dtype !== 'float32' || matrix.shape.length !== 2 || this.#importer.builder.types.get(of)?.shape.length !== 2) return undefined
    const [rows, columns] = matrix.shape as readonly [number, number]
    const [length, width] = transposed ? [columns, rows] : [rows, columns]
    const elements = Float32Array.from({ length: length * width }, (_, n) => (
      scale * (matrix.data[transposed ? (n % width) * length + Math.floor(n / width) : n] as number)
    ))
    this.#importer.spend(0, elements.length)
    return { width, terms: this.#terms(of, elements, width), bias: new Float32Array(width) }
  }

  /** Rows of a matrix by what they multiply: of values side by side, `[x, h]`, each takes its own. */
  #terms(of: string, elements: Float32Array, width: number): Map<string, Float32Array> {
    const node = this.#importer.producer(of)
    const parts = node?.op === 'concat' && (node.attributes.axis === 1 || node.attributes.axis === -1) ? node.inputs : [of]
    const sizes = this.#widths(parts)
    const terms: Map<string, Float32Array> = new Map()
    let begin = 0
    for (const [n, name] of parts.entries()) {
      const size = sizes[n]
      if (size === undefined || terms.has(name)) return new Map([[of, elements]])
      terms.set(name, elements.slice(begin * width, (begin + size) * width))
      begin += size
    }
    return terms
  }

  #gemm({ inputs, attributes: { alpha = 1, beta = 1, transA = 0, transB = 0 } }: GraphNode): Affine | undefined {
    const matrix = transA === 0 ? this.#importer.builder.value(inputs[1] as string) : undefined
    const product = this.#product(inputs[0] as string, matrix, transB !== 0, Number(alpha))
    if (product === undefined || (inputs[2] ?? '') === '') return product
    const bias = vector(this.#importer.builder.value(inputs[2] as string), product.width)
    return bias && { ...product, bias: bias.map((value) => value * Number(beta)) }
  }

  #widths(names: readonly string[]): (number | undefined)[] {
    return names.map((name) => {
      const size = this.#importer.builder.types.get(name)?.shape.at(-1)
      return typeof size === 'number' ? size : undefined
    })
  }

  #part({ inputs, outputs, attributes: { axis = 0 } }: GraphNode, name: string, depth: number): Affine | undefined {
    const whole = axis === 1 || axis === -1 ? this.of(inputs[0] as string, depth) : undefined
    const before = this.#widths(outputs.slice(0, outputs.indexOf(name)))
    const [width] = this.#widths([name])
    if (whole === undefined || width === undefined || before.includes(undefined)) return undefined
    return columns(whole, before.reduce<number>((sum, size) => sum + (size as number), 0), width)
  }

  #slice({ inputs }: GraphNode, name: string, depth: number): Affine | undefined {
    const whole = this.of(inputs[0] as string, depth)
    const [starts, ends, axes, steps] = inputs.slice(1).map((input) => this.#importer.builder.value(input)?.data)
    const [width] = this.#widths([name])
    if (whole === undefined || width === undefined || starts === undefined || ends === undefined || steps?.some((step) => step !== 1) === true) return undefined
    let begin = 0
    for (let n = 0; n < starts.length; n++) {
      const axis = axes?.[n] ?? n
      const start = starts[n] as number
      if (axis === 1 || axis === -1) begin = start < 0 ? start + whole.width : start
      // All rows.
      else if (start !== 0 || (ends[n] as number) < 2 ** 31 - 1) return undefined
    }
    return begin >= 0 && begin + width <= whole.width ? columns(whole, begin, width) : undefined
  }
}

function added(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, n) => value + (b[n] as number))
}

function joined(a: Affine, b: Affine): Affine | undefined {
  if (a.width !== b.width) return undefined
  const terms = new Map(a.terms)
  for (const [name, matrix] of b.terms) {
    const same = terms.get(name)
    terms.set(name, same === undefined ? matrix : added(same, matrix))
  }
  return { width: a.width, terms, bias: added(a.bias, b.bias) }
}

/** Columns from `begin` on. */
function columns({ width: all, terms, bias }: Affine, begin: number, width: number): Affine {
  const cut = (matrix: Float32Array): Float32Array => (
    Float32Array.from({ length: matrix.length / all * width }, (_, n) => matrix[Math.floor(n / width) * all + begin + n % width] as number)
  )
  return { width, terms: new Map([...terms].map(([name, matrix]) => [name, cut(matrix)])), bias: bias.slice(begin, begin + width) }
}

/** A constant that is added to all rows. */
function vector(constant: ArrayLike | undefined, width: number): Float32Array | undefined {
  if (constant?.dtype !== 'float32' || constant.shape.slice(0, -1).some((size) => size !== 1)) return undefined
  const { data } = constant
  if (data.length !== width && data.length !== 1) return undefined
  return Float32Array.from({ length: width }, (_, n) => data[data.length === 1 ? 0 : n] as number)
}

/** A function of one variable, and what it is a function of. */
export interface Applied {
  readonly name: string
  readonly alpha: number | undefined
  readonly beta: number | undefined
  readonly of: string
}

/** Keras's hard sigmoid as it is written: relu6(z + 3) / 6. */
export function hardSigmoid(importer: Surroundings, node: GraphNode): Applied | undefined {
  const [a, b] = node.inputs as [string, string]
  const scale = onlyElement(importer, b) ?? onlyElement(importer, a)
  const clip = importer.producer(onlyElement(importer, b) === undefined ? b : a)
  const sum = clip?.op === 'clip' ? importer.producer(clip.inputs[0] as string) : undefined
  if (node.op !== 'mul' || scale === undefined || clip === undefined || sum?.op !== 'add') return undefined
  const [least, most] = [onlyElement(importer, clip.inputs[1]), onlyElement(importer, clip.inputs[2])]
  const [left, right] = sum.inputs as [string, string]
  const more = onlyElement(importer, right) ?? onlyElement(importer, left)
  if (least !== 0 || most === undefined || more === undefined || Math.abs(most * scale - 1) > 1e-6) return undefined
  return { name: 'hardSigmoid', alpha: scale, beta: more * scale, of: onlyElement(importer, right) === undefined ? right : left }
}
