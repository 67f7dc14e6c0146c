// States that go through a graph: an output that is the same input of the next run.
import { LstmError } from '../errors.ts'
import type { ValueType } from '../ops/operator.ts'
import { formatShape, type SymbolicShape } from '../values/shape.ts'
import type { Graph, GraphInput, GraphOutput } from './graph.ts'

/** What a state's name is made of: `state`, `h0`, `lstm_c_in`, `hidden_states`. */
const STATE = /state|hidden|cell|mem|cache|(^|[^a-z])[hc]$/

/** A name in small letters, as it is and without what tells before from after. */
function stems(name: string, endings: RegExp, beginnings: RegExp): string[] {
  const plain = name.replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase()
  return [plain, plain.replace(endings, '').replace(beginnings, '')]
}

const stemsOfInput = (name: string): string[] => stems(name, /[_.]?(in|input|prev|previous|init|initial|0)$/, /^(in|input|prev|previous|init|initial)[_.]/)
const stemsOfOutput = (name: string): string[] => stems(name, /[_.]?(out|output|next|new|final|n)$/, /^(out|output|next|new|final)[_.]/)

/** Whether two shapes can be the same; names stand for sizes that are not known. */
function fits(a: SymbolicShape, b: SymbolicShape): boolean {
  return a.length === b.length && a.every((size, axis) => typeof size === 'string' || typeof b[axis] === 'string' || size === b[axis])
}

/**
 * Pairs of inputs and outputs that are unmistakably one state: they are called the same but for what tells before from
 * after (`state` and `stateN`, `h0` and `hn`, `c_in` and `c_out`), their names say that they are states, and their shapes fit.
 * @returns outputs by input
 */
export function findCarry(graph: Graph, types: ReadonlyMap<string, ValueType>): Map<string, string> {
  const isPair = (input: GraphInput, output: GraphOutput): boolean => {
    const theirs = stemsOfOutput(output.name)
    const type = types.get(output.value)
    return stemsOfInput(input.name).some((stem) => STATE.test(stem) && theirs.includes(stem))
      && type?.dtype === input.dtype && fits(input.shape, type.shape)
  }
  const found: Map<string, string> = new Map()
  for (const input of graph.inputs) {
    const outputs = graph.outputs.filter((output) => isPair(input, output))
    const [only] = outputs
    if (only === undefined || outputs.length > 1) continue
    if (graph.inputs.filter((other) => isPair(other, only)).length === 1) found.set(input.name, only.name)
  }
  // Something has to come in and to go out besides.
  return found.size < graph.inputs.length && found.size < graph.outputs.length ? found : new Map<string, string>()
}

/**
 * The pairs that a caller names.
 * @throws LstmError `VALUE` for names that are none, or twice, `SHAPE` for shapes that do not fit
 */
export function checkCarry(graph: Graph, types: ReadonlyMap<string, ValueType>, carry: Readonly<Record<string, string>>): Map<string, string> {
  const pairs = Object.entries(carry)
  const names = (ports: readonly { readonly name: string }[]): string => ports.map(({ name }) => `'${name}'`).join(', ')
  for (const [from, to] of pairs) {
    const input = graph.inputs.find(({ name }) => name === from)
    const output = graph.outputs.find(({ name }) => name === to)
    if (input === undefined) throw new LstmError('VALUE', `carry: no input '${from}'; inputs are ${names(graph.inputs)}`)
    if (output === undefined) throw new LstmError('VALUE', `carry: no output '${to}'; outputs are ${names(graph.outputs)}`)
    if (pairs.filter(([, other]) => other === to).length > 1) throw new LstmError('VALUE', `carry: the output '${to}' goes to two inputs`)
    const type = types.get(output.value) as ValueType
    if (type.dtype !== input.dtype || !fits(input.shape, type.shape)) {
      throw new LstmError('SHAPE', `carry: expected '${to}' to be as '${from}' is, ${input.dtype} ${formatShape(input.shape)}, got ${type.dtype} ${formatShape(type.shape)}`)
    }
  }
  return new Map(pairs)
}
