// Which parameters a model has, and which sizes a batch.
import { LstmError } from '../errors.ts'
import { lowerGraph, type LoweredParameter } from '../gradients/lower-graph.ts'
import type { GraphInput } from '../graph/graph.ts'
import { formatShape, type Shape } from '../values/shape.ts'
import type { TrainedModel } from './batch-plan.ts'

/** Numbers that stand for the sizes of inputs while the layout of parameters is asked for: one of them fits most models. */
const TRIAL_SIZES = [32, 256, 4, 2048, 1]

/**
 * The parameters of a model, asked for with sizes that were tried one after the other; `fixed` are those that are no trained ones.
 * @param batchAxes of the inputs
 * @throws LstmError `UNSUPPORTED` for what cannot be trained, and for a layer that takes the batch for timesteps
 */
export function lowerOnTrial(
  { graph, trained, gradients: { lowerings } }: TrainedModel, batchAxes: ReadonlyMap<string, number>,
): { parameters: readonly LoweredParameter[], fixed: ReadonlySet<string> } {
  let refused: unknown
  for (const size of TRIAL_SIZES) {
    const shapesOf = (rows: number): Map<string, Shape> => new Map(graph.inputs.map(({ name, shape }) => (
      [name, shape.map((own, axis) => (axis === batchAxes.get(name) ? rows : typeof own === 'number' ? own : size))]
    )))
    try {
      // With another number of rows each, so that whatever follows it is seen.
      const lowered = [lowerGraph(graph, shapesOf(size), lowerings, true, trained), lowerGraph(graph, shapesOf(size + 1), lowerings, false, trained)] as const
      for (const [node, timesteps] of lowered[0].timesteps) if (timesteps === size && lowered[1].timesteps.get(node) === size + 1) throw takesRows(node)
      return {
        parameters: [...new Map(lowered.flatMap(({ parameters }) => parameters).map((parameter) => [parameter.input, parameter])).values()],
        fixed: new Set(lowered[0].updates.keys()),
      }
    } catch (error) {
      if (error instanceof LstmError && error.code === 'UNSUPPORTED') throw error
      refused = error
    }
  }
  throw refused
}

function takesRows(node: string): LstmError {
  return new LstmError('UNSUPPORTED', `training: '${node}' takes the first axis of its input for timesteps, along which batches are cut; train the model without timeMajor, and give it sequences [batch, timesteps, features]`)
}

/**
 * For each input its axis that is the batch: the size of the first input named `batch`, or its first that is a name; -1 where there is none.
 * @throws LstmError `UNSUPPORTED` where it is not the first axis of the first input, or of another that must be given: rows are cut along that
 */
export function batchAxesOf(inputs: readonly GraphInput[]): Map<string, number> {
  const [first] = inputs as readonly [GraphInput]
  const names = first.shape.filter((size) => typeof size === 'string')
  const batch = names.includes('batch') ? 'batch' : names[0]
  if (batch !== undefined && first.shape[0] !== batch) {
    throw new LstmError('UNSUPPORTED', `training: the input '${first.name}' is ${formatShape(first.shape)}: expected the batch as its first axis; train the model without timeMajor, and give it sequences [batch, timesteps, features]`)
  }
  const axes = new Map(inputs.map(({ name, shape }) => [name, batch === undefined ? -1 : shape.indexOf(batch)]))
  const other = inputs.find(({ name, optional }) => optional !== true && axes.get(name) as number > 0)
  if (other !== undefined) {
    throw new LstmError('UNSUPPORTED', `training: the input '${other.name}' is ${formatShape(other.shape)}: expected the batch as its first axis; export the model without states that come in, so that they begin as zeros`)
  }
  return axes
}

/**
 * The shapes of the inputs of the model in a group of rows.
 * @param given those that are given: one that is left out is as large as the others say
 * @param batchAxes of each input its axis that is the batch, or -1
 * @param size rows of the group; undefined where a batch is not taken apart
 * @throws LstmError `VALUE` for an input that must be there, `SHAPE` for a size that nothing tells
 */
export function shapesOfInputs(
  inputs: readonly GraphInput[], given: Readonly<Record<string, Shape>>, batchAxes: ReadonlyMap<string, number>, size: number | undefined,
): Map<string, Shape> {
  return new Map(inputs.map((input) => [input.name, shapeOf(input, inputs, given, batchAxes.get(input.name) ?? -1, size)]))
}

/** @param axis its axis that is the batch, or -1 */
function shapeOf(
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

/** Whether shapes have as many axes, and the same sizes from an axis on. */
export function areAlike(a: Shape, b: Shape | undefined, firstAxis: number): boolean {
  if (a.length !== b?.length) return false
  for (let axis = firstAxis; axis < a.length; axis++) if (a[axis] !== b[axis]) return false
  return true
}
