import { LstmError } from '../errors.ts'
import { label, MOST_AXES } from '../ops/node/checks.ts'
import type { GraphNode, TypedGraph, ValueType } from '../ops/graph-data.ts'
import type { InferenceContext, Operator, OutputTypes } from '../ops/operator.ts'
import type { ArrayLike } from '../values/ndarray.ts'
import { lengthOf, type SymbolicShape } from '../values/shape.ts'
import type { Graph, GraphInput, GraphOutput } from './graph.ts'
import { neededNodes } from './needed.ts'
import { checkNode, contextOf, operatorOf } from './node.ts'

/** Elements that may be computed beforehand in any graph, and besides for each element of its constants. */
const FOLDED_ELEMENTS = 2 ** 22
const FOLDED_PER_CONSTANT = 4
/** Elements that may be read for it, for each that may be computed. */
const READ_PER_FOLDED = 4

/**
 * Builds a graph node by node. The type of every value is known as soon as it is added, and whatever
 * can be computed from constants (or from shapes that are known) becomes a constant at once: a
 * reader may ask for `value(name)` to decide what to add next.
 */
export class GraphBuilder {
  readonly #inputs: GraphInput[] = []
  readonly #nodes: GraphNode[] = []
  readonly #constants: Map<string, ArrayLike> = new Map()
  readonly #types: Map<string, ValueType> = new Map()
  /** What the operator of each node made of its attributes. */
  readonly #settings: Map<GraphNode, unknown> = new Map()
  readonly #sizes: Map<string, SymbolicShape> = new Map()
  readonly #names: Set<string> = new Set()
  readonly #notes: Set<string> = new Set()
  /** How many more elements may be computed beforehand: an untrusted file must not fill the memory. */
  readonly #foldable: { left: number }

  /** @param foldable shared by graphs that stand inside each other */
  constructor(foldable: { left: number } = { left: FOLDED_ELEMENTS }) {
    this.#foldable = foldable
  }

  /**
   * A whole graph, node by node.
   * @param shapes of inputs, used instead of their own, symbolic ones
   */
  static of(graph: Graph, shapes?: ReadonlyMap<string, SymbolicShape>, builder: GraphBuilder = new GraphBuilder()): TypedGraph {
    for (const [name, constant] of graph.constants) builder.constant(name, constant)
    for (const input of graph.inputs) builder.input(input, shapes?.get(input.name))
    for (const node of graph.nodes) builder.add(node)
    builder.note(...graph.notes ?? [])
    return { graph: builder.finish(graph.outputs), types: builder.#types, settings: builder.#settings, sizes: builder.#sizes }
  }

  /** Types of all values so far. */
  get types(): ReadonlyMap<string, ValueType> {
    return this.#types
  }

  /** Elements of int32 values that are sizes of axes, numbers and names, by value. */
  get sizes(): ReadonlyMap<string, SymbolicShape> {
    return this.#sizes
  }

  /** The constant of this name, or undefined for a value that is only known at run time. */
  value(name: string): ArrayLike | undefined {
    return this.#constants.get(name)
  }

  /** @throws LstmError `FORMAT` for a name that is taken or empty */
  constant(name: string, constant: ArrayLike): void {
    this.#define(name, { dtype: constant.dtype, shape: constant.shape }, 'a constant')
    this.#constants.set(name, constant)
    this.#foldable.left += FOLDED_PER_CONSTANT * lengthOf(constant.shape)
  }

  /**
   * @param shape used instead of the input's own, symbolic one
   * @throws LstmError `FORMAT` for a name that is taken or empty
   */
  input(input: GraphInput, shape: SymbolicShape = input.shape): void {
    this.#define(input.name, { dtype: input.dtype, shape }, 'an input')
    this.#inputs.push(input)
  }

  /** Words for `Graph.notes`; the same again is said once. */
  note(...texts: readonly string[]): void {
    for (const text of texts) this.#notes.add(text)
  }

  /** @throws LstmError `UNSUPPORTED`, `FORMAT`, `SHAPE` or `VALUE` for a node that does not fit what is there */
  add(node: GraphNode): void {
    const operator = operatorOf(node)
    checkNode(node, operator, this.#constants, this.#types)
    const context = contextOf(node, this.#constants, this.#types, this.#sizes)
    const settings = operator.parse?.(node)
    this.#settings.set(node, settings)
    const types = operator.infer(node, { ...context, inner: (graph, shapes) => GraphBuilder.of(graph, shapes, new GraphBuilder(this.#foldable)) }, settings)
    if (node.outputs.length > types.length) {
      throw new LstmError('FORMAT', `${label(node)}: expected at most ${types.length} outputs, got ${node.outputs.length}`)
    }
    const folded = this.#foldable.left > 0 ? this.#evaluate(node, operator, context, types as OutputTypes) : undefined
    const sizes = folded === undefined ? operator.sizes?.(node, context, settings, types as OutputTypes) : undefined
    if (folded === undefined) this.#nodes.push(node)
    node.outputs.forEach((name, position) => {
      if (name === '') return
      const constant = folded?.[position]
      if (constant !== undefined) {
        this.constant(name, constant)
        this.#foldable.left -= (1 + FOLDED_PER_CONSTANT) * constant.data.length
      } else {
        this.#define(name, types[position] as ValueType, label(node))
        const own = sizes?.[position]
        if (own !== undefined) this.#sizes.set(name, own)
      }
    })
    if (this.#names.has(node.name)) throw new LstmError('FORMAT', `graph: two nodes are named '${node.name}'`)
    this.#names.add(node.name)
  }

  /**
   * The graph, without the nodes and constants that no output needs.
   * @throws LstmError `FORMAT` for outputs that are no values, or none at all
   */
  finish(outputs: readonly GraphOutput[]): Graph {
    if (outputs.length === 0) throw new LstmError('FORMAT', 'graph: expected at least one output, got none')
    const names: Set<string> = new Set()
    for (const { name, value } of outputs) {
      if (!this.#types.has(value)) throw new LstmError('FORMAT', `graph: the output '${name}' is the value '${value}', which nothing makes`)
      if (names.has(name)) throw new LstmError('FORMAT', `graph: two outputs are named '${name}'`)
      names.add(name)
    }
    const needed = new Set(outputs.map(({ value }) => value))
    const nodes = neededNodes(this.#nodes, needed)
    const constants = new Map([...this.#constants].filter(([name]) => needed.has(name)))
    return { inputs: this.#inputs, outputs, nodes, constants, ...(this.#notes.size > 0 && { notes: [...this.#notes] }) }
  }

  /** The constants that a node makes of constants, as long as it may. */
  #evaluate(node: GraphNode, operator: Operator, context: InferenceContext, types: OutputTypes): readonly (ArrayLike | undefined)[] | undefined {
    const folded = operator.evaluate?.(node, context, this.#settings.get(node), types)
    // Each node may read a large constant, and make a small one of it.
    const read = folded === undefined ? 0 : node.inputs.reduce((sum, name) => sum + lengthOf(this.#constants.get(name)?.shape ?? [0]), 0)
    this.#foldable.left -= Math.ceil(read / READ_PER_FOLDED)
    return folded
  }

  #define(name: string, type: ValueType, what: string): void {
    // '' stands for an absent input or output.
    if (name === '') throw new LstmError('FORMAT', `graph: ${what} has no name`)
    if (type.shape.length > MOST_AXES) throw new LstmError('UNSUPPORTED', `graph: the value '${name}' has ${type.shape.length} axes, expected at most ${MOST_AXES}`)
    if (this.#types.has(name)) throw new LstmError('FORMAT', `graph: the value '${name}' is made twice, the second time by ${what}`)
    this.#types.set(name, type)
  }
}
