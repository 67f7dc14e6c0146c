import { LstmError } from '../errors.ts'
import { checkCarry, findCarry } from '../graph/carry.ts'
import type { Graph, GraphInput } from '../graph/graph.ts'
import { typeGraph } from '../graph/infer.ts'
import type { ValueType } from '../ops/operator.ts'
import type { PreparedGraph } from '../plan/prepare.ts'
import type { DType } from '../values/dtype.ts'
import { formatShape, type Shape, type SymbolicShape } from '../values/shape.ts'
import { findTimeline, type Timeline } from './timeline.ts'

/** Pairs of states that go out of a graph and into it again: the output's name by the input's. False: none are looked for. */
export type Carry = Readonly<Record<string, string>> | false

export interface BlueprintOptions {
  readonly carry?: Carry | undefined
  /** Sizes of inputs that have a name but are neither batch nor timesteps: `{ samples: 512 }`. */
  readonly sizes?: Readonly<Record<string, number>> | undefined
}

/** An input or output of a stream. */
export interface Port {
  readonly name: string
  readonly dtype: DType
  readonly shape: SymbolicShape
  /**
   * `steps`: an axis of the graph's own holds the timesteps. `each`: there is one value for each step, and with several
   * steps an axis for them is put in. `held`: one value for all steps of a call.
   */
  readonly kind: 'steps' | 'each' | 'held'
  /** Which axis the timesteps are, or would be. */
  readonly axis: number
}

/** A state that is carried from an output to an input; positions in the graph. */
export interface CarriedState {
  readonly name: string
  readonly input: number
  readonly output: number
  readonly batchAxis: number
}

/** How a model is run step by step: its graph made ready for it, and what goes in and out. Made once, for many streams. */
export class Blueprint {
  readonly prepared: PreparedGraph
  /** What the caller gives and gets; undefined at the positions of other inputs and outputs of the graph. */
  readonly inputs: readonly (Port | undefined)[]
  readonly outputs: readonly (Port | undefined)[]
  readonly carried: readonly CarriedState[]
  /** Values of the model's own graph that states are at first. */
  readonly initial: ReadonlyMap<string, string>
  /** Whether several steps can be run at once. */
  readonly chunkable: boolean
  /** The number the graph has for the batch, where it is no name. */
  readonly fixedBatch: number | undefined
  readonly #timeline: Timeline | undefined
  readonly #batch: string | undefined
  readonly #sizes: Readonly<Record<string, number>>

  /** @throws LstmError `UNSUPPORTED` where the model cannot be run step by step, `VALUE` or `SHAPE` for options that do not fit */
  constructor({ graph: source, prepared, constants }: PreparedGraph, options: BlueprintOptions) {
    const { types } = typeGraph(source)
    const carry = carryOf(source, types, options.carry)
    const timeline = findTimeline(source, carry)
    const graph = timeline?.graph ?? source
    const all = new Map(prepared)
    for (const [from, to] of timeline?.replaced ?? []) all.set(to, prepared.get(from))
    this.#timeline = timeline
    this.#sizes = options.sizes ?? {}
    this.prepared = { graph: shareSizes(graph, types, carry), prepared: all, constants }
    this.initial = timeline?.initial ?? new Map()
    const { inputs, outputs } = this.prepared.graph
    const batch = timeline?.batch ?? inputs.find(({ name, shape }) => !carry.has(name) && shape.length > 0)?.shape[0]
    const isKnown = typeof batch === 'string' && inputs.some(({ shape }) => shape.includes(batch))
    this.#batch = isKnown ? batch : undefined
    this.fixedBatch = isKnown ? undefined : 1
    const carriedOutputs = new Set(carry.values())
    this.inputs = inputs.map((input) => (carry.has(input.name) || input.optional || this.#isUnused(input) ? undefined : this.#inputPort(input)))
    this.outputs = outputs.map(({ name, value }) => (
      carriedOutputs.has(name) ? undefined : this.#port(name, types.get(value) as ValueType, timeline?.outputs.get(name), 'each')
    ))
    this.carried = [...carry].filter(([from]) => timeline?.absorbed.has(from) !== true).map(([from, to]) => {
      const input = inputs.findIndex(({ name }) => name === from)
      return {
        name: from, input, output: outputs.findIndex(({ name }) => name === to),
        batchAxis: this.#batch === undefined ? -1 : (inputs[input] as GraphInput).shape.indexOf(this.#batch),
      }
    })
    this.chunkable = timeline !== undefined && this.outputs.every((port) => port?.kind !== 'each')
  }

  /**
   * Shapes of all inputs for a batch and a number of steps.
   * @throws LstmError `VALUE` for a size that is not known
   */
  shapes(batch: number, steps: number): Map<string, Shape> {
    return new Map(this.prepared.graph.inputs.map(({ name, shape }) => [name, shape.map((size) => {
      if (typeof size === 'number') return size
      if (size === this.#timeline?.steps) return steps
      const known = size === this.#batch ? batch : this.#sizes[size]
      if (known === undefined) {
        throw new LstmError('VALUE', `stream: the size '${size}' of the input '${name}' ${formatShape(shape)} is not known; say it in the option sizes: { ${JSON.stringify(size)}: ... }`)
      }
      return known
    })]))
  }

  #isUnused({ name }: GraphInput): boolean {
    const { nodes, outputs } = this.prepared.graph
    return !nodes.some(({ inputs }) => inputs.includes(name)) && !outputs.some(({ value }) => value === name)
  }

  #inputPort(input: GraphInput): Port {
    return this.#port(input.name, input, this.#timeline?.inputs.get(input.name), this.#timeline === undefined ? 'each' : 'held')
  }

  #port(name: string, { dtype, shape }: ValueType, timing: number | 'last' | undefined, otherwise: 'each' | 'held'): Port {
    if (typeof timing === 'number') return { name, dtype, shape, kind: 'steps', axis: timing }
    return { name, dtype, shape, kind: otherwise, axis: this.#batch === undefined ? 0 : shape.indexOf(this.#batch) + 1 }
  }
}

function carryOf(graph: Graph, types: ReadonlyMap<string, ValueType>, carry: Carry | undefined): Map<string, string> {
  if (carry === false) return new Map()
  return carry === undefined ? findCarry(graph, types) : checkCarry(graph, types, carry)
}

/** A state has the same shape before and after: sizes with different names in the two are one. */
function shareSizes(graph: Graph, types: ReadonlyMap<string, ValueType>, carry: ReadonlyMap<string, string>): Graph {
  const other: Map<string, string | number> = new Map()
  for (const { name, shape } of graph.inputs) {
    const output = graph.outputs.find((one) => one.name === carry.get(name))
    const after = types.get(output?.value ?? '')?.shape ?? []
    shape.forEach((size, axis) => {
      const size2 = after[axis]
      if (typeof size === 'string' && size2 !== undefined && size !== size2) other.set(size, size2)
    })
  }
  return { ...graph, inputs: graph.inputs.map((input) => ({ ...input, shape: input.shape.map((size) => other.get(size as string) ?? size) })) }
}
