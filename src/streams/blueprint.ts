import { LstmError } from '../errors.ts'
import type { Graph, GraphInput } from '../graph/graph.ts'
import { typeGraph, type TypedGraph } from '../graph/infer.ts'
import { contextOf, operatorOf } from '../graph/node.ts'
import { label } from '../ops/node/checks.ts'
import type { GraphNode, ValueType } from '../ops/graph-data.ts'
import type { IndexBounds } from '../ops/operator.ts'
import type { PreparedGraph } from '../plan/prepare.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { DType } from '../values/dtype.ts'
import { formatShape, type Dimension, type Shape, type SymbolicShape } from '../values/shape.ts'
import { carryOf, shareSizes, type Carry } from './carry.ts'
import { findTimeline } from './timeline.ts'
import type { Timeline } from './walk.ts'

/** What a stream has to be told of its model. */
export interface BlueprintOptions {
  /** Outputs that are inputs of the next step: `{ h: 'hOut' }`. Default: found by their names. */
  readonly carry?: Carry | undefined
  /** Sizes of inputs that have a name but are neither batch nor timesteps: `{ samples: 512 }`. Default: those that the model tells. */
  readonly sizes?: Readonly<Record<string, number>> | undefined
}

/** What a model gives its streams. */
export interface StreamHost {
  readonly runtime: Runtime
  /** The graph as it was given. */
  readonly graph: Graph
  readonly prepared: PreparedGraph
  /** Whether the model is disposed: its streams use its weights. */
  readonly disposed: boolean
}

/** An input or output of a stream. */
export interface Port {
  readonly name: string
  readonly dtype: DType
  readonly shape: SymbolicShape
  /**
   * `steps`: the graph itself has an axis of timesteps. `each`: one value a step; arrays of several steps have an additional axis
   * for them. `held`: one value for all steps of a call.
   */
  readonly kind: 'steps' | 'each' | 'held'
  /** The axis of the timesteps, or where it is added. */
  readonly axis: number
  /** -1 where there is none. */
  readonly batchAxis: number
  /** Bounds of indices into a table, checked before anything runs. */
  readonly indices?: { readonly least: number, readonly most: number } | undefined
}

/** A state carried from an output to an input, by their positions in the graph. */
export interface CarriedState {
  readonly name: string
  readonly input: number
  readonly output: number
  readonly batchAxis: number
}

/** A node that draws random numbers, perhaps inside another. */
function drawingNode(nodes: readonly GraphNode[]): GraphNode | undefined {
  for (const node of nodes) {
    const found = operatorOf(node).draws === true ? node : drawingNode(Object.values(node.bodies ?? {}).flatMap((body) => body.nodes))
    if (found !== undefined) return found
  }
  return undefined
}

/** How a model runs step by step: the prepared graph, its inputs and outputs. Made once, shared by all streams. */
export class Blueprint {
  readonly prepared: PreparedGraph
  /** Inputs and outputs of the caller; undefined at the positions of other inputs and outputs of the graph. */
  readonly inputs: readonly (Port | undefined)[]
  readonly outputs: readonly (Port | undefined)[]
  /** Inputs that no output depends on. */
  readonly unneeded: readonly GraphInput[]
  readonly carried: readonly CarriedState[]
  /** The part of the graph that computes the initial states: outputs `node.h` and `node.c`. */
  readonly initial: PreparedGraph | undefined
  /** Whether there are timesteps, of which several can be run at once. */
  readonly hasSteps: boolean
  /** The batch size, where the graph has a number for it. */
  readonly fixedBatch: number | undefined
  /** The batch size of the recurrent layers, where the file fixes it. */
  readonly fileBatch: number | undefined
  /** Whether a step may throw halfway, with some states changed and others not. */
  readonly mayFail: boolean
  readonly #timeline: Timeline | undefined
  readonly #batch: string | undefined
  readonly #sizes: Readonly<Record<string, number>>
  readonly #bounds: ReadonlyMap<string, Port['indices']>

  /**
   * @param given optional inputs that the caller gives
   * @throws LstmError `UNSUPPORTED` where the model cannot be run step by step, `VALUE` or `SHAPE` for options that do not fit
   */
  constructor({ graph: source, prepared, constants }: PreparedGraph, options: BlueprintOptions, given: ReadonlySet<string> = new Set()) {
    const drawing = drawingNode(source.nodes)
    if (drawing !== undefined) throw new LstmError('UNSUPPORTED', `stream: ${label(drawing)} draws random numbers for all timesteps at once; run the model whole: model.run(inputs)`)
    const { types } = typeGraph(source)
    const carry = carryOf(source, types, options.carry)
    const timeline = findTimeline(source, carry)
    const graph = timeline?.graph ?? source
    const all = new Map(prepared)
    for (const [from, to] of timeline?.replaced ?? []) all.set(to, prepared.get(from))
    this.#timeline = timeline
    this.#sizes = options.sizes ?? {}
    this.prepared = { graph: shareSizes(graph, types, carry), prepared: all, constants }
    const first = [...timeline?.initial ?? []].map(([name, value]) => ({ name, value }))
    this.initial = first.length === 0 ? undefined : { graph: { ...source, outputs: first }, prepared, constants }
    const { inputs, outputs, nodes } = this.prepared.graph
    const bounded = boundsOf(this.prepared.graph, types)
    this.#bounds = meet(bounded)
    const isName = (size: Dimension | undefined): size is string => (
      typeof size === 'string' && size !== timeline?.steps && inputs.some(({ shape }) => shape.includes(size))
    )
    // The batch axis of the recurrent layer; without one, the first axis of an input.
    const sizes = [timeline?.batch, inputs.find(({ name, shape }) => !carry.has(name) && shape.length > 0)?.shape[0]]
    const batch = sizes.find(isName)
    const isKnown = batch !== undefined && typeof timeline?.batch !== 'number'
    this.#batch = isKnown ? batch : undefined
    this.fixedBatch = isKnown ? undefined : 1
    this.fileBatch = typeof timeline?.batch === 'number' ? timeline.batch : undefined
    const carriedOutputs = new Set(carry.values())
    // Inputs of nodes, and inputs that are outputs as they are.
    const used = new Set([...nodes.flatMap((node) => node.inputs), ...outputs.map(({ value }) => value)])
    const isLeftOut = (input: GraphInput): boolean => (
      carry.has(input.name) || (input.optional === true && !given.has(input.name)) || !used.has(input.name)
    )
    const usedInSource = new Set([...source.nodes.flatMap((node) => node.inputs), ...source.outputs.map(({ value }) => value)])
    this.unneeded = source.inputs.filter(({ name }) => !usedInSource.has(name))
    this.inputs = inputs.map((input) => (isLeftOut(input) ? undefined : this.#inputPort(input)))
    this.outputs = outputs.map(({ name, value }) => (
      carriedOutputs.has(name) ? undefined : this.#port(name, (timeline?.types.get(value) ?? types.get(value)) as ValueType, timeline?.outputs.get(name), 'each')
    ))
    const positions = new Map(inputs.map(({ name }, n) => [name, n]))
    const outputPositions = new Map(outputs.map(({ name }, n) => [name, n]))
    this.carried = [...carry].filter(([from]) => timeline?.absorbed.has(from) !== true).map(([from, to]) => {
      const input = positions.get(from) as number
      const { shape } = inputs[input] as GraphInput
      return { name: from, input, output: outputPositions.get(to) as number, batchAxis: this.#batchAxis(shape) }
    })
    this.hasSteps = timeline !== undefined
    const checked = new Set(this.inputs.flatMap((port) => (port?.indices === undefined ? [] : [port.name])))
    this.mayFail = nodes.some((node) => {
      const input = bounded.get(node)?.input
      const isChecked = input !== undefined && checked.has(node.inputs[input] as string)
      return !isChecked && operatorOf(node).mayRefuse?.(node, contextOf(node, this.prepared.graph.constants, types)) === true
    })
  }

  /** The name of the size of the batch; undefined where it is a number, or there is none. */
  get batchName(): string | undefined {
    return this.#batch
  }

  /** Names of the sizes that the option `sizes` gives. */
  get namedSizes(): readonly string[] {
    const names = this.prepared.graph.inputs.flatMap(({ shape }) => shape.filter((size) => typeof size === 'string'))
    return [...new Set(names)].filter((name) => name !== this.#batch && name !== this.#timeline?.steps)
  }

  /** The number of steps that the inputs of a run have, by their shapes. */
  stepsOf(shapes: ReadonlyMap<string, Shape>): number {
    const port = this.inputs.find((one) => one?.kind === 'steps')
    return port === undefined ? 1 : shapes.get(port.name)?.[port.axis] as number
  }

  /** The batch of a run, by the shapes of its inputs. */
  batchOf(shapes: ReadonlyMap<string, Shape>): number {
    const port = this.inputs.find((one) => one !== undefined && one.batchAxis >= 0)
    return port === undefined ? 1 : shapes.get(port.name)?.[port.batchAxis] as number
  }

  /**
   * Shapes of all inputs for a batch and a number of steps.
   * @throws LstmError `VALUE` for a size that is not known
   */
  shapes(batch: number, steps: number, inputs: readonly GraphInput[] = this.prepared.graph.inputs): Map<string, Shape> {
    return new Map(inputs.map(({ name, shape }) => [name, shape.map((size) => {
      if (typeof size === 'number') return size
      if (size === this.#timeline?.steps) return steps
      const known = size === this.#batch ? batch : this.#sizes[size]
      if (known === undefined) {
        throw new LstmError('VALUE', `stream: the size '${size}' of the input '${name}' ${formatShape(shape)} is not known; say it in the option sizes: { ${JSON.stringify(size)}: ... }`)
      }
      return known
    })]))
  }

  #batchAxis(shape: SymbolicShape): number {
    return this.#batch === undefined ? -1 : shape.indexOf(this.#batch)
  }

  #inputPort(input: GraphInput): Port {
    const port = this.#port(input.name, input, this.#timeline?.inputs.get(input.name), this.#timeline === undefined ? 'each' : 'held')
    return { ...port, indices: this.#bounds.get(input.name) }
  }

  #port(name: string, { dtype, shape }: ValueType, timing: number | 'last' | undefined, otherwise: 'each' | 'held'): Port {
    const batchAxis = this.#batchAxis(shape)
    if (typeof timing === 'number') return { name, dtype, shape, kind: 'steps', axis: timing, batchAxis }
    return { name, dtype, shape, kind: otherwise, axis: batchAxis + 1, batchAxis }
  }
}

/** Bounds of the indices that nodes take, where they are known. */
function boundsOf({ nodes, constants }: Graph, types: TypedGraph['types']): Map<GraphNode, IndexBounds> {
  return new Map(nodes.flatMap((node): [GraphNode, IndexBounds][] => {
    const operator = operatorOf(node)
    const bounds = operator.indexBounds?.(node, contextOf(node, constants, types), operator.parse?.(node))
    return bounds === undefined ? [] : [[node, bounds]]
  }))
}

/** For each value, by name, the indices that all tables it goes to accept. */
function meet(bounds: ReadonlyMap<GraphNode, IndexBounds>): Map<string, Port['indices']> {
  const all: Map<string, Port['indices']> = new Map()
  for (const [{ inputs }, { input, least, most }] of bounds) {
    const name = inputs[input] as string
    const known = all.get(name)
    all.set(name, { least: Math.max(least, known?.least ?? least), most: Math.min(most, known?.most ?? most) })
  }
  return all
}
