// States that go through a graph: an output that is the same input of the next run.
import type { ValueType } from '../ops/operator.ts'
import type { SymbolicShape } from '../values/shape.ts'
import type { Graph, GraphInput, GraphOutput } from './graph.ts'

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
export function pairsOf(types: ReadonlyMap<string, ValueType>): (input: GraphInput, output: GraphOutput) => boolean {
  return (input, output) => {
    const type = types.get(output.value)
    return type?.dtype === input.dtype && fits(input.shape, type.shape)
  }
}

/** An output goes to one input, and something has to come in and to go out besides. */
export function isClear(found: ReadonlyMap<string, string>, { inputs, outputs }: Graph): boolean {
  return new Set(found.values()).size === found.size && found.size < inputs.length && found.size < outputs.length
}

/**
 * Pairs that are called the same but for what tells before from after (`state` and `stateN`, `h0` and `hn`, `c_in` and
 * `c_out`), with names that say that they are states, and shapes that fit.
 * @returns outputs by input
 */
export function carryByNames(graph: Graph, isPair: ReturnType<typeof pairsOf>): Map<string, string> {
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
