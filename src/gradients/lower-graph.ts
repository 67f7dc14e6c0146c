import { LstmError } from '../errors.ts'
import { GraphBuilder } from '../graph/builder.ts'
import type { Graph } from '../graph/graph.ts'
import { operatorOf } from '../graph/node.ts'
import { label } from '../ops/node/checks.ts'
import type { GraphNode } from '../ops/graph-data.ts'
import type { ArrayLike } from '../values/ndarray.ts'
import type { Shape } from '../values/shape.ts'
import { NodeBuilder } from './builder.ts'
import type { LoweringBuilder, Lowerings, PackedLayout } from './lowering.ts'

/** A constant of the model that is a parameter now. */
export interface LoweredParameter {
  /** Name of the constant. */
  readonly constant: string
  /** Name of the input that stands for it. */
  readonly input: string
  /** How its floats lie; undefined where they lie in its own order. */
  readonly layout: PackedLayout | undefined
}

/** A graph that can be trained, on its way: losses are added to it. */
export interface LoweredGraph {
  readonly build: NodeBuilder
  readonly builder: GraphBuilder
  readonly parameters: readonly LoweredParameter[]
  /** Constants and the values that they become after a step. */
  readonly updates: ReadonlyMap<string, string>
  /** States of stateful layers: their shapes, and the values that they become after a step. */
  readonly states: ReadonlyMap<string, { readonly input: string, readonly shape: Shape, readonly value: string | undefined }>
  /** The value that stands for an output of the model, by the name of the output. */
  readonly outputs: ReadonlyMap<string, string>
  /** Over how many timesteps recurrent layers go, by the name of the node. */
  readonly timesteps: ReadonlyMap<string, number>
  /** Name of the input with seed, step and row; undefined where nothing draws. */
  readonly seed: string | undefined
}

/** Floats of a packed matrix, its header included: assembly/products/layout.ts. */
export function packedLength({ k, units, gates }: PackedLayout): number {
  const columns = gates === 0 ? units : gates * Math.ceil(units / 4) * 4
  return 16 + Math.ceil(columns / 16) * (k + 1) * 16
}

/** Builds a graph whose trained constants are inputs. */
class Lowering extends NodeBuilder implements LoweringBuilder {
  readonly training: boolean
  readonly parameters: Map<string, LoweredParameter> = new Map()
  readonly updates: Map<string, string> = new Map()
  readonly states: Map<string, { input: string, shape: Shape, value: string | undefined }> = new Map()
  readonly timesteps: Map<string, number> = new Map()
  seedInput: string | undefined
  readonly #builder: GraphBuilder
  readonly #graph: Graph
  /** The node that is being lowered, for messages. */
  current: GraphNode | undefined

  readonly #trained: ReadonlySet<string>

  constructor(builder: GraphBuilder, graph: Graph, training: boolean, trained: ReadonlySet<string>) {
    super(builder, 'lowered/', graph.nodes.map(({ name }) => name))
    this.#builder = builder
    this.#graph = graph
    this.#trained = trained
    this.training = training
  }

  isConstant(name: string): boolean {
    return this.#trained.has(name) && this.#graph.constants.get(name)?.dtype === 'float32'
  }

  fixed(constant: string): string {
    if (this.#builder.value(constant) === undefined) this.#builder.constant(constant, this.#graph.constants.get(constant) as ArrayLike)
    return constant
  }

  constantShape(constant: string): Shape {
    return (this.#graph.constants.get(constant) as { readonly shape: Shape }).shape
  }

  parameter(constant: string): string {
    return this.#parameter(constant, undefined, this.constantShape(constant))
  }

  packed(constant: string, layout: PackedLayout): string {
    return this.#parameter(constant, layout, [packedLength(layout)])
  }

  update(constant: string, value: string): void {
    this.updates.set(constant, value)
  }

  state(name: string, shape: Shape): string {
    const input = `state ${name}`
    if (!this.states.has(name)) this.#builder.input({ name: input, dtype: 'float32', shape })
    this.states.set(name, { input, shape, value: undefined })
    return input
  }

  carry(name: string, value: string): void {
    (this.states.get(name) as { value: string | undefined }).value = value
  }

  goesOver(timesteps: number): void {
    this.timesteps.set((this.current as GraphNode).name, timesteps)
  }

  seed(): string {
    if (this.seedInput === undefined) {
      this.seedInput = 'seed, step and row'
      this.#builder.input({ name: this.seedInput, dtype: 'int32', shape: [3] })
    }
    return this.seedInput
  }

  #parameter(constant: string, layout: PackedLayout | undefined, shape: Shape): string {
    const part = layout?.begin === undefined ? constant : `${constant}, from gate ${layout.begin} on`
    const known = this.parameters.get(part)
    if (known !== undefined) {
      if (JSON.stringify(known.layout) !== JSON.stringify(layout)) {
        throw new LstmError('UNSUPPORTED', `training: ${this.current === undefined ? 'a node' : label(this.current)} shares its weight '${constant}' with a node that takes it in another way; give each its own copy`)
      }
      return known.input
    }
    const input = `parameter ${part}`
    this.#builder.input({ name: input, dtype: 'float32', shape })
    this.parameters.set(part, { constant, input, layout })
    return input
  }
}

/**
 * The graph of a model with parameters in the place of trained constants.
 * @param graph as `typeGraph` gave it
 * @param shapes numbers for the sizes of all inputs
 * @param trained names of constants
 * @throws LstmError `UNSUPPORTED` for settings that cannot be trained, and for weights that two nodes take in different ways
 */
export function lowerGraph(
  graph: Graph, shapes: ReadonlyMap<string, Shape>, lowerings: Lowerings, training: boolean, trained: ReadonlySet<string>,
): LoweredGraph {
  const builder = new GraphBuilder()
  const build = new Lowering(builder, graph, training, trained)
  for (const input of graph.inputs) builder.input({ ...input, shape: shapes.get(input.name) as Shape })
  for (const [name, constant] of graph.constants) if (!trained.has(name)) builder.constant(name, constant)
  // The value of the lowered graph that stands for a value of the model.
  const standing: Map<string, string> = new Map()
  const valueOf = (name: string): string => (name === '' ? '' : standing.get(name) ?? (trained.has(name) ? build.parameter(name) : name))
  for (const node of graph.nodes) {
    build.current = node
    const lowering = Object.hasOwn(lowerings, node.op) ? lowerings[node.op] : undefined
    const inputs = lowering === undefined ? node.inputs.map(valueOf) : node.inputs.map((name) => (trained.has(name) ? name : valueOf(name)))
    if (lowering === undefined) {
      if (Object.keys(node.parameters).length > 0) throw new LstmError('UNSUPPORTED', `training: ${label(node)}: its weights cannot be trained`)
      builder.add({ ...node, inputs })
      continue
    }
    const outputs = lowering(node, operatorOf(node).parse?.(node), inputs, build)
    node.outputs.forEach((name, position) => {
      const value = outputs[position] ?? ''
      if (name !== '' && value !== '') standing.set(name, value)
    })
  }
  return {
    build, builder, parameters: [...build.parameters.values()], updates: build.updates, states: build.states, timesteps: build.timesteps,
    outputs: new Map(graph.outputs.map(({ name, value }) => [name, valueOf(value)])), seed: build.seedInput,
  }
}
