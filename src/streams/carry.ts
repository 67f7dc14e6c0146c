// States that are carried through a graph: those that a caller names, or those that are found.
import { LstmError } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import type { ValueType } from '../ops/graph-data.ts'
import { findCarry, fits } from './found-carry.ts'
import { formatShape, type Dimension } from '../values/shape.ts'

/** Pairs of states that go out of a graph and into it again: the output's name by the input's. False: none are looked for. */
export type Carry = Readonly<Record<string, string>> | false

/** Outputs by input. @throws LstmError `VALUE` or `SHAPE` for pairs that do not fit */
export function carryOf(graph: Graph, types: ReadonlyMap<string, ValueType>, carry: Carry | undefined): Map<string, string> {
  if (carry === false) return new Map()
  return carry === undefined ? findCarry(graph, types) : checkCarry(graph, types, carry)
}

/**
 * The pairs that a caller names.
 * @throws LstmError `VALUE` for names that are none, or twice, `SHAPE` for shapes that do not fit
 */
function checkCarry(graph: Graph, types: ReadonlyMap<string, ValueType>, carry: Readonly<Record<string, string>>): Map<string, string> {
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

/** A state has the same shape before and after: sizes of the inputs with different names in the two are one. */
export function shareSizes(graph: Graph, types: ReadonlyMap<string, ValueType>, carry: ReadonlyMap<string, string>): Graph {
  const known = new Set(graph.inputs.filter(({ name }) => !carry.has(name)).flatMap(({ shape }) => shape))
  const other: Map<Dimension, Dimension> = new Map()
  const values = new Map(graph.outputs.map(({ name, value }) => [name, value]))
  for (const { name, shape } of graph.inputs) {
    const after = types.get(values.get(carry.get(name) ?? '') ?? '')?.shape ?? []
    shape.forEach((size, axis) => {
      const same = after[axis]
      if (typeof size === 'string' && same !== undefined && !known.has(size) && (typeof same === 'number' || known.has(same))) other.set(size, same)
    })
  }
  return { ...graph, inputs: graph.inputs.map((input) => ({ ...input, shape: input.shape.map((size) => other.get(size) ?? size) })) }
}
