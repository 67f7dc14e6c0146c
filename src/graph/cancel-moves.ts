// Reshapes and transposes that cancel: exporters, and the readers themselves, write one axis order to move it back at once.
import type { Graph } from './graph.ts'
import { neededNodes } from './needed.ts'
import { RESHAPES } from '../ops/movement/reshape.ts'
import { quotientOf } from '../ops/node/sizes.ts'
import type { GraphNode, ValueType } from '../ops/graph-data.ts'
import type { Dimension, SymbolicShape } from '../values/shape.ts'

/** A value that is another one, `of`, with axis perm[n] as its axis n. */
interface Transposed {
  readonly of: string
  readonly perm: readonly number[]
}

/** One pass over the nodes of a graph. */
class Pass {
  readonly #graph: Graph
  readonly #types: ReadonlyMap<string, ValueType>
  /** Where a removed value is read from instead. */
  readonly #replacements: Map<string, string> = new Map()
  /** Values by what they are: the elements of one value in a shape, or one value with its axes in an order. */
  readonly #known: Map<string, string> = new Map()
  /** The value at the beginning of a chain of reshapes. */
  readonly #origins: Map<string, string> = new Map()
  readonly #transposed: Map<string, Transposed> = new Map()
  /** How often each value is read. */
  readonly #uses: Map<string, number> = new Map()

  constructor(graph: Graph, types: ReadonlyMap<string, ValueType>) {
    this.#graph = graph
    this.#types = types
    const reads = [...graph.nodes.flatMap(({ inputs }) => inputs), ...graph.outputs.map(({ value }) => value)]
    for (const name of reads) this.#uses.set(name, (this.#uses.get(name) ?? 0) + 1)
  }

  run(): Graph {
    const nodes: GraphNode[] = []
    for (const original of this.#graph.nodes) {
      const node = { ...original, inputs: original.inputs.map((name) => this.#current(name)) }
      const moved = node.op === 'transpose' ? this.#transpose(node) : RESHAPES.has(node.op) ? this.#reshape(node) : node
      if (typeof moved === 'string') this.#replacements.set(node.outputs[0] as string, moved)
      else nodes.push(moved)
    }
    const outputs = this.#graph.outputs.map(({ name, value }) => ({ name, value: this.#current(value) }))
    const needed = new Set(outputs.map(({ value }) => value))
    const kept = neededNodes(nodes, needed)
    return { ...this.#graph, outputs, nodes: kept, constants: new Map([...this.#graph.constants].filter(([name]) => needed.has(name))) }
  }

  #current(name: string): string {
    return this.#replacements.get(name) ?? name
  }

  #shape(name: string): SymbolicShape {
    return (this.#types.get(name) as ValueType).shape
  }

  /** The value that is the same as this node's; or the node, which reads the value that was first transposed. */
  #transpose(node: GraphNode): GraphNode | string {
    const [input, output] = [node.inputs[0] as string, node.outputs[0] as string]
    const own = (node.attributes.perm as readonly number[] | undefined) ?? this.#shape(input).map((_, axis) => axis).reverse()
    const before = this.#transposed.get(input)
    const perm = before === undefined ? own : own.map((axis) => before.perm[axis] as number)
    const of = before?.of ?? input
    const same = perm.every((axis, n) => axis === n) ? of : this.#same(output, 'transpose', of, perm)
    if (same !== undefined) return same
    this.#transposed.set(output, { of, perm })
    return before === undefined ? node : { ...node, inputs: [of], attributes: { perm } }
  }

  /** As above, for an operator that keeps the order of the elements. */
  #reshape(node: GraphNode): GraphNode | string {
    const [input, output] = [node.inputs[0] as string, node.outputs[0] as string]
    const origin = this.#origins.get(input) ?? input
    const shape = this.#shape(output)
    const same = JSON.stringify(this.#shape(origin)) === JSON.stringify(shape) ? origin : this.#same(output, 'reshape', origin, shape)
    if (same !== undefined) return same
    this.#origins.set(output, origin)
    const passesBy = origin !== input && this.#uses.get(input) === 1 && this.#canReshape(node, origin, shape)
    return passesBy ? { ...node, inputs: [origin, ...node.inputs.slice(1)] } : node
  }

  /** Whether a reshape may take its elements from `origin`: what its target says, it says of no size of the value between. */
  #canReshape(node: GraphNode, origin: string, shape: SymbolicShape): boolean {
    const target = node.op === 'reshape' ? this.#graph.constants.get(node.inputs[1] as string) : undefined
    if (target === undefined || target.data.includes(0)) return false
    const left = target.data.indexOf(-1)
    const from = this.#shape(origin)
    const between = this.#shape(node.inputs[0] as string)
    return left < 0 || (from[left] === between[left] && quotientOf(from, shape.filter((_, axis) => axis !== left)) === shape[left])
  }

  /** A value before this one that is the same; undefined if this is the first. */
  #same(output: string, op: string, of: string, facts: readonly Dimension[]): string | undefined {
    const key = JSON.stringify([op, of, ...facts])
    const known = this.#known.get(key)
    if (known === undefined) this.#known.set(key, output)
    return known
  }
}

/**
 * The same graph without reshapes and transposes that cancel, and with one for several that follow each other or do the same to one
 * value. Names of inputs and outputs stay; nothing is computed that was not, and no number changes.
 * @param types of all values of the graph
 */
export function cancelMoves(graph: Graph, types: ReadonlyMap<string, ValueType>): Graph {
  return graph.nodes.some(({ op }) => op === 'transpose' || RESHAPES.has(op)) ? new Pass(graph, types).run() : graph
}
