// A walk through a graph, node by node, along time.
import type { Graph, GraphOutput } from '../graph/graph.ts'
import type { TypedGraph } from '../graph/infer.ts'
import { neededNodes } from '../graph/needed.ts'
import { operatorOf } from '../graph/node.ts'
import { freshSize, namesIn } from '../ops/node/sizes.ts'
import { switchOf } from '../ops/node/attributes.ts'
import { label } from '../ops/node/checks.ts'
import type { GraphNode, ValueType } from '../ops/graph-data.ts'
import type { Operator, RecurrentFacts } from '../ops/operator.ts'
import { findOperator } from '../ops/registry.ts'
import { MIXES } from '../ops/time/reshaping.ts'
import { OTHER_AXIS, WORKS_ALONG } from '../ops/time/rules.ts'
import { along, type TimedNode, type Timing } from '../ops/time/timing.ts'
import type { ArrayLike } from '../values/ndarray.ts'
import { formatShape, type Dimension, type SymbolicShape } from '../values/shape.ts'
import { askTime } from './ask-time.ts'
import { isFactor, isSplit, joining, joinOf, JOINS, splitting, type JoinedSteps, type StreamReshape } from './joined-steps.ts'

/** A graph whose recurrent layers go on from their own states, with a few steps at a time. */
export interface Timeline {
  readonly graph: Graph
  /** Axis of the timesteps of every input; undefined for one that holds for all steps. */
  readonly inputs: ReadonlyMap<string, number | undefined>
  /** Timing of every output, by name. */
  readonly outputs: ReadonlyMap<string, Timing>
  /** Types of values that the source does not have. */
  readonly types: ReadonlyMap<string, ValueType>
  /** Nodes of the source that another one stands for. */
  readonly replaced: ReadonlyMap<Graph['nodes'][number], Graph['nodes'][number]>
  /** Values of the source that states of recurrent nodes are at first, by `node.h`, `node.c`. */
  readonly initial: ReadonlyMap<string, string>
  /** Inputs and outputs that went: a recurrent layer keeps these states itself. */
  readonly absorbed: ReadonlySet<string>
  /** The name of the size of timesteps, and of the batch; or its number. */
  readonly steps: string
  readonly batch: Dimension | undefined
}

/** Why a graph cannot be run step by step. */
export interface Stopped {
  readonly reason: string
  /** 2: the timesteps had come to a recurrent layer, so that no other axis is theirs. 1: perhaps. 0: this axis was a wrong guess. */
  readonly weight: 0 | 1 | 2
}

export class Walk {
  readonly #typed: TypedGraph
  readonly #carry: ReadonlyMap<string, string>
  readonly #uses: ReadonlyMap<string, Uses>
  readonly #timings: Map<string, Timing>
  /** Names of sizes that say how many timesteps there are. */
  readonly #stepNames: Set<string> = new Set()
  /** Values that say so. */
  readonly #lengths: Set<string> = new Set()
  readonly #leads: Map<string, number> = new Map()
  /** Values whose first axis has the timesteps and others. */
  readonly #joined: Map<string, JoinedSteps> = new Map()
  /** What stands for reshapes that join axes, or take them apart. */
  readonly #reshapes: Map<GraphNode, StreamReshape> = new Map()
  /** Values that follow from carried states. */
  readonly #carried: Set<string>
  readonly #nodes: GraphNode[] = []
  readonly #replaced: Map<GraphNode, GraphNode> = new Map()
  readonly #constants: Map<string, ArrayLike>
  readonly #initial: Map<string, string> = new Map()
  readonly #absorbed: Set<string> = new Set()
  #batch: Dimension | undefined
  /** Whether a recurrent layer takes the timesteps, and goes on from its own states or from carried ones. */
  remembers: boolean = false

  constructor(typed: TypedGraph, marks: ReadonlyMap<string, number>, carry: ReadonlyMap<string, string>) {
    this.#typed = typed
    this.#carry = carry
    this.#uses = usesOf(typed.graph)
    this.#timings = new Map(marks)
    for (const name of marks.keys()) this.#nameSteps(name)
    this.#carried = new Set(carry.keys())
    this.#constants = new Map(typed.graph.constants)
  }

  get hasRecurrent(): boolean {
    return this.#typed.graph.nodes.some(({ op }) => findOperator(op)?.recurrent !== undefined)
  }

  run(): Stopped | undefined {
    for (const node of this.#typed.graph.nodes) {
      const operator = operatorOf(node)
      const timed = this.#time(node, operator)
      if (typeof timed === 'string') {
        const isOther = timed.endsWith('another axis')
        return { reason: `${label(node)} ${timed}`, weight: this.remembers || (operator.recurrent !== undefined && !isOther) ? 2 : isOther ? 0 : 1 }
      }
      const made = node.outputs.filter((name) => name !== '')
      node.outputs.forEach((name, position) => {
        // An absent output is no value: the absent inputs of other nodes have the same name.
        if (name === '') return
        this.#timings.set(name, timed.outputs[position])
        this.#nameSteps(name)
        if (this.#typed.sizes.get(name)?.some((size) => this.#saysSteps(size))) this.#lengths.add(name)
      })
      if (node.inputs.some((name) => this.#carried.has(name))) for (const name of made) this.#carried.add(name)
      const lead = timed.lead ?? (operator.padding === 'kept' ? this.#lead(node) : 0)
      if (lead > 0) for (const name of made) this.#leads.set(name, lead)
      this.#add(node, operator, timed)
    }
    const padded = this.#typed.graph.outputs.find(({ value }) => this.#leads.has(value))
    return padded === undefined ? undefined : { reason: `the output '${padded.name}' has more timesteps than the inputs`, weight: this.remembers ? 2 : 1 }
  }

  /** An output whose timesteps are rows with others: in a stream they have an axis of their own. */
  #apart(output: GraphOutput, types: Map<string, ValueType>): GraphOutput {
    const joined = this.#joined.get(output.value)
    if (joined === undefined) return output
    const value = `${output.value}.apart`
    const { dtype, shape: [, ...rest] } = this.#typed.types.get(output.value) as ValueType
    types.set(value, { dtype, shape: [...joined.sizes, ...rest] })
    this.#timings.set(value, joined.axis)
    this.#stand(splitting({ name: value, op: 'reshape', inputs: [output.value], outputs: [value], parameters: {}, attributes: {} }, joined, rest as number[]))
    return { ...output, value }
  }

  /** Appends what stands for a reshape. */
  #stand({ nodes, constants }: StreamReshape): void {
    for (const [name, value] of constants) this.#constants.set(name, value)
    this.#nodes.push(...nodes)
  }

  result(): Omit<Timeline, 'steps'> {
    const inputs = this.#typed.graph.inputs.filter(({ name }) => !this.#absorbed.has(name))
    const types: Map<string, ValueType> = new Map()
    const outputs = this.#typed.graph.outputs.filter(({ name }) => !this.#absorbed.has(name)).map((output) => this.#apart(output, types))
    return {
      graph: { inputs, outputs, nodes: neededNodes(this.#nodes, new Set(outputs.map(({ value }) => value))), constants: this.#constants },
      inputs: new Map(inputs.map(({ name }) => [name, this.#timings.get(name) as number | undefined])),
      outputs: new Map(outputs.map(({ name, value }) => [name, this.#timings.get(value)])),
      types, replaced: this.#replaced, initial: this.#initial, absorbed: this.#absorbed, batch: this.#batch,
    }
  }

  #lead(node: GraphNode): number {
    return this.#leads.get(node.inputs[0] ?? '') ?? 0
  }

  /** Learns the name of a value's timesteps. */
  #nameSteps(name: string): void {
    const timing = this.#joined.has(name) ? undefined : this.#timings.get(name)
    const size = typeof timing === 'number' ? this.#typed.types.get(name)?.shape[timing] : undefined
    if (size !== undefined) for (const one of namesIn(size)) this.#stepNames.add(one)
  }

  #saysSteps(size: Dimension): boolean {
    return namesIn(size).some((name) => this.#stepNames.has(name))
  }

  #time(node: GraphNode, { time, padding, recurrent, takesSizes = [] }: Operator): TimedNode | string {
    // Shapes are computed with numbers when a plan is made, whatever the number of steps is then.
    if (node.outputs.every((name) => name === '' || this.#typed.sizes.has(name))) return along(node, undefined)
    const asks = node.inputs.some((name, position) => this.#lengths.has(name) && !takesSizes.includes(position))
    if (asks) return `${node.op === 'loop' ? 'is no recurrent layer, and ' : ''}asks how long the sequence is${node.op === 'loop' ? ' (export one step of it, with its states as inputs and outputs)' : ''}`
    const timings = node.inputs.map((name) => this.#timings.get(name))
    const isLast = timings.includes('last')
    if (!timings.some((timing) => typeof timing === 'number')) {
      const axis = this.#shape(node.outputs[0] ?? '').findIndex((size) => this.#saysSteps(size))
      if (isLast && axis >= 0) return 'repeats for each step what all of them come to' // as a decoder takes the state of an encoder
      return along(node, isLast ? 'last' : axis < 0 ? undefined : axis)
    }
    if (isLast) return 'takes single steps together with what all of them come to'
    if (this.#lead(node) > 0 && padding === undefined) return 'takes timesteps that are padded'
    if (time === 'unknown') return 'is not known to work on each timestep by itself'
    const positions = statePositions(recurrent)
    const fromOutside = positions.filter((position) => this.#carried.has(node.inputs[position] ?? ''))
    if (fromOutside.length > 0 && fromOutside.length < positions.length) return 'has one of its two states carried through the graph, and the other one not'
    const timed = askTime(node, time, this.#typed, (name) => this.#timings.get(name), this.#lead(node))
    const joined = node.inputs.filter((_, position) => typeof timings[position] === 'number').map((name) => this.#joined.get(name))
    if (joined.every((one) => one === undefined)) return timed === MIXES || this.#joinsOpen(node) ? this.#join(node) : timed
    const [first] = joined as [JoinedSteps]
    const isOne = joined.every((one) => one?.axis === first.axis && formatShape(one.sizes) === formatShape(first.sizes))
    return isOne ? this.#timeOfRows(node, timed, first) : OTHER_AXIS
  }

  #joinsOpen({ op, inputs: [input = ''], outputs: [output = ''] }: GraphNode): boolean {
    return JOINS.has(op) && isFactor(this.#shape(input)[this.#timings.get(input) as number], this.#shape(output))
  }

  #shape(name: string): SymbolicShape {
    return this.#typed.types.get(name)?.shape ?? []
  }

  /** A reshape that joins the timesteps with other axes; or why it cannot be run step by step. */
  #join(node: GraphNode): TimedNode | string {
    const [input, output] = [node.inputs[0] as string, node.outputs[0] as string]
    const to = this.#shape(output)
    const joined = JOINS.has(node.op) ? joinOf(node, this.#timings.get(input) as number, this.#shape(input), to) : undefined
    const instead = joining(node, to)
    const isKnown = to.slice(1).every((size) => typeof size === 'number')
    if (joined === undefined || !isKnown) return MIXES
    if (instead !== undefined) this.#reshapes.set(node, instead)
    this.#joined.set(output, joined)
    return along(node, 0)
  }

  /** What a node does to timesteps that are rows with others: either it takes each row by itself, or it takes them apart. */
  #timeOfRows(node: GraphNode, timed: TimedNode | string, joined: JoinedSteps): TimedNode | string {
    if (typeof timed === 'string') {
      const [from, to] = [node.inputs[0], node.outputs[0]].map((name) => this.#shape(name as string)) as [SymbolicShape, SymbolicShape]
      const target = this.#typed.graph.constants.get(node.inputs[1] ?? '')?.data
      if (timed !== MIXES || node.op !== 'reshape' || !isSplit(joined, from, to, target && Array.from(target))) return timed
      this.#reshapes.set(node, splitting(node, joined, to.slice(joined.sizes.length) as number[]))
      return along(node, joined.axis)
    }
    const isByRow = timed.remembers !== true && timed.history === undefined && timed.lead === undefined && timed.outputs.every((timing) => timing === 0)
    const isKnown = node.outputs.every((name) => this.#shape(name).slice(1).every((size) => typeof size === 'number'))
    if (!isByRow || !isKnown) return WORKS_ALONG
    for (const name of node.outputs) if (name !== '') this.#joined.set(name, joined)
    return timed
  }

  /** Appends a node, or what stands for it. */
  #add(node: GraphNode, { recurrent }: Operator, { remembers, instead, history, constant }: TimedNode): void {
    const reshape = this.#reshapes.get(node)
    if (reshape !== undefined) return this.#stand(reshape)
    if (constant !== undefined) this.#constants.set(...constant)
    let made = instead ?? node
    if (history !== undefined) {
      const axis = this.#timings.get(node.inputs[0] as string) as number
      this.#nodes.push({
        name: freshSize(node, 'history'), op: 'history', inputs: node.inputs.slice(0, 1), outputs: made.inputs.slice(0, 1),
        parameters: {}, attributes: { axis, steps: history },
      })
    }
    if (remembers === true && recurrent !== undefined) made = this.#remember(node, recurrent)
    if (made !== node) this.#replaced.set(node, made)
    this.#nodes.push(made)
  }

  /** The layer that goes on from its own states; or the same one, where its states are carried through the graph. */
  #remember(node: GraphNode, recurrent: RecurrentFacts): GraphNode {
    this.remembers = true
    const x = this.#typed.types.get(node.inputs[0] as string)?.shape
    this.#batch ??= x?.[switchOf(node, 'timeMajor') ? 1 : 0]
    const positions = statePositions(recurrent)
    const states = positions.filter((position) => this.#carried.has(node.inputs[position] ?? ''))
    const direct = states.filter((position) => this.#isDirect(node, position))
    if (states.length > 0 && (direct.length < positions.length || states.length < positions.length)) return node
    for (const [n, position] of positions.entries()) {
      const name = node.inputs[position] ?? ''
      if (states.length > 0) {
        this.#absorbed.add(name)
        this.#absorbed.add(this.#carry.get(name) as string)
      } else if (name !== '') {
        this.#initial.set(`${node.name}.${recurrent.states[n]}`, name)
      }
    }
    const mask = node.inputs[1 + positions.length] ?? ''
    return {
      ...node, inputs: [node.inputs[0] as string, ...(mask === '' ? [] : [...positions.map(() => ''), mask])],
      outputs: node.outputs.map((value) => (this.#isWanted(value) ? value : '')),
      attributes: { ...node.attributes, stateful: true },
    }
  }

  #isWanted(value: string): boolean {
    const { nodes, outputs } = this.#uses.get(value) ?? { nodes: new Set(), outputs: [] }
    return value !== '' && (nodes.size > 0 || outputs.some((name) => !this.#absorbed.has(name)))
  }

  /** Whether a carried state is this node's, from the input to the output, and nobody else's. */
  #isDirect(node: GraphNode, position: number): boolean {
    const name = node.inputs[position] as string
    const value = node.outputs[position] ?? ''
    const isAlone = (of: string): boolean => this.#uses.get(of)?.count === 1
    return this.#uses.get(value)?.outputs.includes(this.#carry.get(name) as string) === true && isAlone(name) && isAlone(value)
  }
}

/** Where the states of a layer come in, and go out. */
function statePositions(recurrent: RecurrentFacts | undefined): number[] {
  return recurrent?.states.map((_, n) => 1 + n) ?? []
}

/** Where a value goes: to nodes (to some of them more than once), and to outputs, by name. */
interface Uses {
  readonly nodes: Set<GraphNode>
  readonly outputs: string[]
  count: number
}

function usesOf({ nodes, outputs }: Graph): Map<string, Uses> {
  const all: Map<string, Uses> = new Map()
  const use = (value: string): Uses => {
    const uses = all.get(value) ?? { nodes: new Set(), outputs: [], count: 0 }
    all.set(value, uses)
    uses.count++
    return uses
  }
  for (const node of nodes) for (const value of node.inputs) use(value).nodes.add(node)
  for (const { name, value } of outputs) use(value).outputs.push(name)
  return all
}
