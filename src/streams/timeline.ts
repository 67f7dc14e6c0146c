// A graph laid along time: where the timesteps of every value are, and the graph that runs them a few at a time.
import { LstmError } from '../errors.ts'
import type { Graph, GraphInput } from '../graph/graph.ts'
import { typeGraph } from '../graph/infer.ts'
import { findOperator } from '../ops/registry.ts'
import type { Dimension } from '../values/shape.ts'
import { stateInputs } from './found-carry.ts'
import { STEPS } from './joined-steps.ts'
import { Walk, type Stopped, type Timeline } from './walk.ts'

/** Inputs whose timesteps are along one axis, by name. */
type Marks = ReadonlyMap<string, number>

/**
 * Finds the timesteps: the axis of an input that reaches a recurrent layer as its time.
 * @param carry states that are carried from outputs to inputs, by input: they have no timesteps
 * @returns undefined where nothing has timesteps: states are carried from run to run, or there are none
 * @throws LstmError `UNSUPPORTED` naming the node that cannot be run step by step
 */
export function findTimeline(source: Graph, carry: ReadonlyMap<string, string>): Timeline | undefined {
  let stopped: Stopped | undefined
  const most = Math.max(LEAST_GUESSES, Math.floor(MOST_NODES_FOLLOWED / (source.nodes.length + 1)))
  for (const marks of guesses(source.inputs.filter(({ name }) => !carry.has(name)), carry.size > 0, most)) {
    const found = follow(source, marks, carry)
    if ('graph' in found) return found
    if (stopped === undefined || found.weight > stopped.weight) stopped = found
  }
  if (stopped?.weight !== 2 && (carry.size > 0 || !source.nodes.some(({ op }) => findOperator(op)?.recurrent !== undefined))) return undefined
  throw new LstmError('UNSUPPORTED', `stream: ${stopped?.reason ?? 'no input has an axis for timesteps'}, so that this model cannot be run step by step${hintOf(source, carry)}`)
}

/** States that come in, where nothing says which outputs they are of the step before. */
function hintOf(graph: Graph, carry: ReadonlyMap<string, string>): string {
  const open = stateInputs(graph).filter((name) => !carry.has(name))
  if (open.length === 0) return ''
  return `; if states are carried from outputs to inputs, say so: stream({ carry: { ${open.map((name) => `${JSON.stringify(name)}: '...'`).join(', ')} } })`
}

const TELLING = /time|seq|step|length/i
/** Each guess follows all nodes: a file may have many of these, and a size of its own for every input. */
const MOST_NODES_FOLLOWED = 2 ** 17
const LEAST_GUESSES = 4

/** Which axis might be that of the timesteps, the `most` likeliest first: sizes with a name that tells, other names, numbers. */
function guesses(inputs: readonly GraphInput[], hasCarry: boolean, most: number): Marks[] {
  const symbols = inputs.flatMap(({ shape }) => shape.flatMap((size, axis) => (
    typeof size === 'string' ? [{ size, order: TELLING.test(size) ? 0 : axis === 1 ? 1 : 2 }] : []
  ))).sort((a, b) => a.order - b.order)
  const at = (axis: number, size: Dimension): [string, number][] => (
    inputs.flatMap(({ name, shape }) => (shape[axis] === size && (shape.length > 1 || typeof size === 'string') ? [[name, axis]] : []))
  )
  const named = [...new Set(symbols.map(({ size }) => size))].slice(0, most).map((size) => [0, 1, 2, 3].flatMap((axis) => at(axis, size)))
  // An axis of one step is a sequence only where no state is carried from run to run.
  const numbers = [1, 0, 2].flatMap((axis) => [...new Set(inputs.map(({ shape }) => shape[axis]))]
    .filter((size) => typeof size === 'number' && (size > 1 || !hasCarry)).slice(0, most).map((size) => at(axis, size as number)))
  return [...named, ...numbers].filter((marks) => marks.length > 0).slice(0, most).map((marks) => new Map(marks))
}

/** Follows the timesteps from the inputs through all nodes. */
function follow(source: Graph, marks: Marks, carry: ReadonlyMap<string, string>): Timeline | Stopped {
  const inputs = source.inputs.map((input) => markInput(input, marks.get(input.name)))
  const steps = inputs.flatMap(({ name, shape }) => shape[marks.get(name) ?? -1] ?? [])[0] as string
  try {
    const walk = new Walk(typeGraph({ ...source, inputs }), marks, carry)
    const stopped = walk.run()
    const isNamed = TELLING.test(steps) && steps !== STEPS
    if (stopped !== undefined) return isNamed && carry.size === 0 ? { ...stopped, weight: 2 } : stopped
    const { hasRecurrent, remembers } = walk
    if (!remembers && (hasRecurrent || !isNamed)) return { reason: 'no recurrent layer takes the timesteps of an input', weight: 0 }
    return { ...walk.result(), steps }
  } catch (error) {
    // A graph that holds for one length of sequences only.
    if (error instanceof LstmError) return { reason: error.message, weight: 0 }
    throw error
  }
}

function markInput(input: GraphInput, axis: number | undefined): GraphInput {
  if (axis === undefined || typeof input.shape[axis] === 'string') return input
  return { ...input, shape: input.shape.map((size, n) => (n === axis ? STEPS : size)) }
}
