// Carried states, found by structure or by name.
import type { Graph, GraphInput, GraphNode, GraphOutput } from '../graph/graph.ts'
import { operatorOf } from '../graph/node.ts'
import type { ValueType } from '../ops/graph-data.ts'
import type { SymbolicShape } from '../values/shape.ts'

/** What a state's name is made of: `state`, `h0`, `lstm_c_in`, `hidden_states`. */
const STATE = /state|hidden|cell|mem|cache|(^|[^a-z])[hc]$/

/** What tells before from after, at the beginning or the end of a name. */
const BEFORE = 'in(put|it(ial)?)?|prev(ious)?|0'
const AFTER = 'out(put)?|next|new|final|n'

function atEitherEnd(words: string): RegExp {
  return new RegExp(`^(${words})[_.]|[_.]?(${words})$`, 'g')
}

/** A name in small letters, as it is and without such a word. */
function stems(name: string, words: RegExp): string[] {
  const plain = name.toLowerCase()
  return [plain, plain.replace(words, '')]
}

/** Whether two shapes can be the same; names stand for sizes that are not known. */
export function fits(a: SymbolicShape, b: SymbolicShape): boolean {
  return a.length === b.length && a.every((size, axis) => typeof size === 'string' || typeof b[axis] === 'string' || size === b[axis])
}

/** Whether an output can be an input of the next run. */
function pairsOf(types: ReadonlyMap<string, ValueType>): (input: GraphInput, output: GraphOutput) => boolean {
  return (input, output) => {
    const type = types.get(output.value)
    return type?.dtype === input.dtype && fits(input.shape, type.shape)
  }
}

/** Whether each output is carried to one input, and other inputs and outputs are left. */
function isClear(found: ReadonlyMap<string, string>, { inputs, outputs }: Graph): boolean {
  return new Set(found.values()).size === found.size && found.size < inputs.length && found.size < outputs.length
}

/**
 * Pairs that are called the same but for what tells before from after (`state` and `stateN`, `h0` and `hn`, `c_in` and
 * `c_out`), with names that say that they are states, and shapes that fit.
 * @returns outputs by input
 */
function carryByNames(graph: Graph, isPair: ReturnType<typeof pairsOf>): Map<string, string> {
  const [before, after] = [BEFORE, AFTER].map(atEitherEnd) as [RegExp, RegExp]
  // By their stems: files may have any number of inputs and outputs.
  const byStem: Map<string, GraphOutput[]> = new Map()
  for (const output of graph.outputs) {
    for (const stem of stems(output.name, after).filter((one) => STATE.test(one))) append(byStem, stem, output)
  }
  return new Map(graph.inputs.flatMap((input): [string, string][] => {
    const outputs = new Set(stems(input.name, before).flatMap((stem) => byStem.get(stem) ?? []).filter((output) => isPair(input, output)))
    return outputs.size === 1 ? [...outputs].map(({ name }) => [input.name, name]) : []
  }))
}

/** A state of a recurrent layer, as `node.h`, and where in a list of several it stands: by parts and starts on the way to it. */
interface Traced {
  readonly state: string
  readonly place: readonly number[]
}

/** Bound on the states in one value, and on the parts on the way to one: untrusted files may have any number. */
const MOST_STATES = 64

/** Where part `output` of a larger value begins: its output of a split, the start of a slice or index of a gather; undefined for the whole. */
function partOf(node: GraphNode, output: number, { constants }: Graph): number | undefined {
  if (node.op === 'split') return output
  return node.op === 'slice' || node.op === 'gather' ? constants.get(node.inputs[1] ?? '')?.data[0] : undefined
}

/**
 * The states that begin with each input, and those that each output ends with, through nodes that only move elements. In the
 * order in which they lie there.
 */
function tracedStates(graph: Graph): { readonly begins: Map<string, Traced[]>, readonly ends: Map<string, readonly Traced[]> } {
  const begins: Map<string, Traced[]> = new Map()
  // Which input each value is a part of, and which final states it is made of; nodes come after what they take.
  const origins: Map<string, { readonly input: string, readonly place: readonly number[] }> = new Map()
  for (const { name } of graph.inputs) origins.set(name, { input: name, place: [] })
  const finals: Map<string, readonly Traced[]> = new Map()
  for (const node of graph.nodes) {
    const { recurrent, carriesZeros = false } = operatorOf(node)
    recurrent?.states.forEach((name, n) => {
      const state = `${node.name}.${name}`
      const origin = origins.get(node.inputs[1 + n] ?? '')
      if (origin !== undefined) append(begins, origin.input, { state, place: origin.place })
      finals.set(node.outputs[1 + n] ?? '', [{ state, place: [] }])
    })
    const origin = carriesZeros ? origins.get(node.inputs[0] ?? '') : undefined
    if (origin !== undefined && origin.place.length < MOST_STATES) {
      node.outputs.forEach((value, output) => {
        const part = partOf(node, output, graph)
        origins.set(value, part === undefined ? origin : { ...origin, place: [...origin.place, part] })
      })
    }
    if (node.op === 'concat') {
      const states = node.inputs.flatMap((name, position) => (finals.get(name) ?? []).map(({ state, place }) => ({ state, place: [position, ...place] })))
      const isShort = states.length <= MOST_STATES && states.every(({ place }) => place.length <= MOST_STATES)
      if (states.length > 0 && isShort) finals.set(node.outputs[0] as string, states)
    } else if (carriesZeros) {
      const states = finals.get(node.inputs[0] ?? '')
      if (states !== undefined) for (const value of node.outputs) finals.set(value, states)
    }
  }
  const ends = new Map(graph.outputs.flatMap(({ name, value }) => {
    const states = finals.get(value)
    return states === undefined ? [] : [[name, states] as const]
  }))
  return { begins, ends }
}

function append<Value>(lists: Map<string, Value[]>, name: string, value: Value): void {
  const known = lists.get(name)
  if (known === undefined) lists.set(name, [value])
  else known.push(value)
}

/** Their names, in the order in which they lie in a value. */
function inOrder(states: readonly Traced[]): string {
  const compare = (a: readonly number[], b: readonly number[]): number => {
    for (let n = 0; n < Math.max(a.length, b.length); n++) {
      const difference = (a[n] ?? 0) - (b[n] ?? 0)
      if (difference !== 0) return difference
    }
    return 0
  }
  return JSON.stringify([...states].sort((a, b) => compare(a.place, b.place)).map(({ state }) => state))
}

/** Pairs by structure: an input that layers' states begin with, and the one output that the same states end with, in the same order. */
function byStructure(graph: Graph, isPair: (input: GraphInput, output: GraphOutput) => boolean): Map<string, string> {
  const { begins, ends } = tracedStates(graph)
  const byStates: Map<string, GraphOutput[]> = new Map()
  for (const output of graph.outputs) {
    const states = ends.get(output.name)
    if (states !== undefined) append(byStates, inOrder(states), output)
  }
  return new Map(graph.inputs.flatMap((input): [string, string][] => {
    const states = begins.get(input.name)
    const outputs = states === undefined ? [] : (byStates.get(inOrder(states)) ?? []).filter((output) => isPair(input, output))
    return outputs.length === 1 ? outputs.map(({ name }) => [input.name, name]) : []
  }))
}

/** Inputs that states of layers begin with. */
export function stateInputs(graph: Graph): string[] {
  return [...tracedStates(graph).begins.keys()]
}

/**
 * Pairs of inputs and outputs that are unmistakably one state: those that a layer's state begins and ends with, whatever they are
 * called; and those whose names say so (`state` and `stateN`).
 * @returns outputs by input
 */
export function findCarry(graph: Graph, types: ReadonlyMap<string, ValueType>): Map<string, string> {
  const isPair = pairsOf(types)
  const structural = byStructure(graph, isPair)
  const taken = new Set(structural.values())
  const inputs = graph.inputs.filter(({ name }) => !structural.has(name))
  const outputs = graph.outputs.filter(({ name }) => !taken.has(name))
  const named = carryByNames({ ...graph, inputs, outputs }, isPair)
  return [new Map([...structural, ...named]), structural].find((found) => isClear(found, graph)) ?? new Map<string, string>()
}
