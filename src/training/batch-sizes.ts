// Which parameters a model has, and which sizes a batch.
import { LstmError } from '../errors.ts'
import { lowerGraph, type LoweredParameter } from '../gradients/lower-graph.ts'
import type { Graph, GraphInput } from '../graph/graph.ts'
import type { Shape } from '../values/shape.ts'
import { LOWERINGS } from './operators.ts'

/** Numbers that stand for the sizes of inputs while the layout of parameters is asked for: one of them fits most models. */
const TRIAL_SIZES = [32, 256, 4, 2048, 1]

/** The parameters of a model, asked for with sizes that were tried one after the other; `fixed` are those that are no trained ones. */
export function lowerOnTrial(graph: Graph): { parameters: readonly LoweredParameter[], fixed: ReadonlySet<string> } {
  let refused: unknown
  for (const size of TRIAL_SIZES) {
    const shapes = new Map(graph.inputs.map(({ name, shape }) => [name, shape.map((own) => (typeof own === 'number' ? own : size))]))
    try {
      const parameters: Map<string, LoweredParameter> = new Map()
      const fixed: Set<string> = new Set()
      for (const training of [true, false]) {
        const lowered = lowerGraph(graph, shapes, LOWERINGS, training)
        for (const parameter of lowered.parameters) if (!parameters.has(parameter.input)) parameters.set(parameter.input, parameter)
        for (const constant of lowered.updates.keys()) fixed.add(constant)
      }
      return { parameters: [...parameters.values()], fixed }
    } catch (error) {
      if (error instanceof LstmError && error.code === 'UNSUPPORTED') throw error
      refused = error
    }
  }
  throw refused
}

/** For each input its axis that is the batch: the size of the first input named `batch`, or its first that is a name. */
export function batchAxesOf(inputs: readonly GraphInput[]): Map<string, number> {
  const names = (inputs[0] as GraphInput).shape.filter((size) => typeof size === 'string')
  const batch = names.includes('batch') ? 'batch' : names[0]
  return new Map(inputs.map(({ name, shape }) => [name, batch === undefined ? -1 : shape.indexOf(batch)]))
}

/**
 * The shape of an input of the model in a group of rows; one that is left out is as large as the others say.
 * @param axis its axis that is the batch, or -1
 * @param size rows of the group; undefined where a batch is not taken apart
 * @throws LstmError `VALUE` for an input that must be there, `SHAPE` for a size that nothing tells
 */
export function shapeOf(
  input: GraphInput, inputs: readonly GraphInput[], given: Readonly<Record<string, Shape>>, axis: number,
  size: number | undefined,
): Shape {
  const own = given[input.name]
  if (own !== undefined) return own.map((length, n) => (n === axis ? size ?? length : length))
  if (input.optional !== true) throw new LstmError('VALUE', `expected the input '${input.name}', got ${Object.keys(given).join(', ') || 'none'}`)
  const named = (name: string): number => {
    for (const other of inputs) {
      const found = other.shape.indexOf(name)
      const told = given[other.name]?.[found]
      if (found >= 0 && told !== undefined) return told
    }
    throw new LstmError('SHAPE', `the size '${name}' of the input '${input.name}' is told by no input that is given`)
  }
  return input.shape.map((length, n) => (n === axis && size !== undefined ? size : typeof length === 'number' ? length : named(length)))
}
