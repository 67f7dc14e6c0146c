// States that go through a graph, found by what they do or by their names.
import type { Graph, GraphInput, GraphNode, GraphOutput } from '../graph/graph.ts'
import { operatorOf } from '../graph/node.ts'
import type { ValueType } from '../ops/operator.ts'
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

/** An output goes to one input, and something has to come in and to go out besides. */
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
    for (const stem of stems(output.name, after).filter((one) => STATE.test(one))) {
      const known = byStem.get(stem)
      if (known === undefined) byStem.set(stem, [output])
      else known.push(output)
    }
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

/** Where a node's part of a larger value begins: its output of a split, the start of a slice or index of a gather; 0 elsewhere. */
function partOf(node: GraphNode, value: string, { constants }: Graph): number {
  if (node.op === 'split') return node.outputs.indexOf(value)
  const first = node.op === 'slice' || node.op === 'gather' ? constants.get(node.inputs[1] ?? '')?.data[0] : undefined
  return first ?? 0
}

/**
 * The states that begin with each input, and those that each output ends with, through nodes that only move elements. In the
 * order in which they lie there.
 */
function tracedStates(graph: Graph): { readonly begins: Map<string, Traced[]>, readonly ends: Map<string, Traced[]> } {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((value) => [value, node] as const)))
  const isInput = new Set(graph.inputs.map(({ name }) => name))
  const [begins, ends] = [new Map<string, Traced[]>(), new Map<string, Traced[]>()]
  const note = (all: Map<string, Traced[]>, name: string, traced: Traced): void => {
    const known = all.get(name)
    if (known === undefined) all.set(name, [traced])
    else known.push(traced)
  }
  // What of each value is a final state; nodes come after what they take.
  const finals: Map<string, readonly Traced[]> = new Map()
  for (const node of graph.nodes) {
    const operator = operatorOf(node)
    operator.recurrent?.states.forEach((name, n) => {
      const state = `${node.name}.${name}`
      let [value, place] = [node.inputs[1 + n] ?? '', [] as readonly number[]]
      for (let maker = makers.get(value); maker !== undefined && operatorOf(maker).carriesZeros === true; maker = makers.get(value)) {
        place = [partOf(maker, value, graph), ...place]
        value = maker.inputs[0] as string
      }
      if (isInput.has(value)) note(begins, value, { state, place })
      finals.set(node.outputs[1 + n] ?? '', [{ state, place: [] }])
    })
    if (operator.recurrent !== undefined) continue
    const taken = operator.carriesZeros === true ? [finals.get(node.inputs[0] ?? '') ?? []] : node.op === 'concat' ? node.inputs.map((name) => finals.get(name) ?? []) : []
    const states = taken.flatMap((some, position) => some.map(({ state, place }) => ({ state, place: [position, ...place] })))
    if (states.length > 0 && states.length <= MOST_STATES) for (const value of node.outputs) finals.set(value, states)
  }
  for (const { name, value } of graph.outputs) for (const traced of finals.get(value) ?? []) note(ends, name, traced)
  return { begins, ends }
}

/** States that one value holds. */
const MOST_STATES = 64

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

/** Pairs by what they do: an input that layers' states begin with, and the one output that the same states end with, in the same order. */
function byStructure(graph: Graph, isPair: (input: GraphInput, output: GraphOutput) => boolean): Map<string, string> {
  const { begins, ends } = tracedStates(graph)
  const byStates: Map<string, GraphOutput[]> = new Map()
  for (const output of graph.outputs) {
    const states = ends.get(output.name)
    if (states !== undefined) byStates.set(inOrder(states), [...byStates.get(inOrder(states)) ?? [], output])
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
