// States that go through a graph: an output that is the same input of the next run.
import type { ValueType } from '../ops/operator.ts'
import type { SymbolicShape } from '../values/shape.ts'
import type { Graph, GraphInput, GraphOutput } from './graph.ts'

/** What a state's name is made of: `state`, `h0`, `lstm_c_in`, `hidden_states`. */
const STATE = /state|hidden|cell|mem|cache|(^|[^a-z])[hc]$/

/** What tells before from after, at the beginning or the end of a name. */
const BEFORE = 'in(put|it(ial)?)?|prev(ious)?|0'
const AFTER = 'out(put)?|next|new|final|n'

/** A name in small letters, as it is and without such a word. */
function stems(name: string, words: string): string[] {
  const plain = name.toLowerCase()
  return [plain, plain.replace(new RegExp(`^(${words})[_.]|[_.]?(${words})$`, 'g'), '')]
}

/** Whether two shapes can be the same; names stand for sizes that are not known. */
export function fits(a: SymbolicShape, b: SymbolicShape): boolean {
  return a.length === b.length && a.every((size, axis) => typeof size === 'string' || typeof b[axis] === 'string' || size === b[axis])
}

/**
 * Pairs of inputs and outputs that are unmistakably one state: they are called the same but for what tells before from
 * after (`state` and `stateN`, `h0` and `hn`, `c_in` and `c_out`), their names say that they are states, and their shapes fit.
 * @returns outputs by input
 */
export function findCarry(graph: Graph, types: ReadonlyMap<string, ValueType>): Map<string, string> {
  const isPair = (input: GraphInput, output: GraphOutput): boolean => {
    const theirs = stems(output.name, AFTER)
    const type = types.get(output.value)
    return stems(input.name, BEFORE).some((stem) => STATE.test(stem) && theirs.includes(stem))
      && type?.dtype === input.dtype && fits(input.shape, type.shape)
  }
  const found = new Map(graph.inputs.flatMap((input) => {
    const outputs = graph.outputs.filter((output) => isPair(input, output)).map(({ name }): [string, string] => [input.name, name])
    return outputs.length === 1 ? outputs : []
  }))
  // An output goes to one input, and something has to come in and to go out besides.
  const isClear = new Set(found.values()).size === found.size && found.size < graph.inputs.length && found.size < graph.outputs.length
  return isClear ? found : new Map<string, string>()
}
