// How rows of a table become inputs of a model, and how its outputs become columns.
import type { SchemaElement } from 'hyparquet'
import { LstmError, type DType, type ModelPort } from '../../index.ts'
import { indicesOf, lengthOf } from '../conversion.ts'
import { meaningOf } from '../inputs.ts'
import type { OutputColumn } from './table.ts'

/** Where the windows of a batch are in an array: at an axis of `size`, with `outer` blocks in front of it and `inner` elements behind. */
export interface BatchLayout {
  readonly outer: number
  readonly inner: number
}

/** An input, as it is filled. */
export interface InputWindows extends BatchLayout {
  readonly name: string
  readonly dtype: DType
  /** Rows of a window, the last of them the row that the window is scored for. */
  readonly timesteps: number
  /** Timesteps of a window; those of a wide table stand in one row. */
  readonly steps: number
  /** Columns, which a row has that many numbers of. */
  readonly features: number
  /** Shape for a batch. */
  readonly shape: (batch: number) => readonly number[]
}

/** An input, and how many windows a run has where the model fixes it. */
export interface FixedWindows extends InputWindows {
  readonly fixedBatch: number | undefined
}

/** An output, as it is written. */
export interface OutputWindows extends BatchLayout {
  readonly name: string
  readonly dtype: DType
  /** Shape of what is written of a window. */
  readonly shape: readonly number[]
  /** Where that begins among the elements of the window. */
  readonly offset: number
}

export interface WindowOptions {
  /** Rows of a window; undefined where the model says. */
  readonly timesteps: number | undefined
  /** Whether a row holds a whole window. */
  readonly isWide: boolean
}

/** The axis of the batch: the one that is called so, else the first, unless that is time. Undefined for a model of one sequence. */
function batchAxis(shape: ModelPort['shape']): number | undefined {
  const named = shape.findIndex((size) => typeof size === 'string' && meaningOf(size) === 'batch')
  if (named >= 0) return named
  const [first] = shape
  return (typeof first === 'string' && meaningOf(first) !== 'timesteps') || first === 1 ? 0 : undefined
}

/**
 * Windows of an input.
 * @throws LstmError `VALUE` where --timesteps is needed or does not fit, `UNSUPPORTED` for sizes that nothing fixes
 */
export function inputWindows({ name, dtype, shape }: ModelPort, { timesteps: asked, isWide }: WindowOptions): FixedWindows {
  const axis = batchAxis(shape)
  const rest = shape.filter((_, n) => n !== axis)
  const [first] = rest
  const hasTime = rest.length > 1 || typeof first === 'string' || (asked !== undefined && rest.length === 1)
  if (typeof first === 'string' && asked === undefined) throw new LstmError('VALUE', `the input '${name}' takes any number of timesteps, ${described(shape)}: say how many rows a window has: --timesteps N`)
  if (hasTime && typeof first === 'number' && asked !== undefined && asked !== first) throw new LstmError('VALUE', `--timesteps: the input '${name}' is ${described(shape)}, of ${first} timesteps; got ${asked}`)
  const sizes = rest.map((size, n) => (n === 0 && typeof size === 'string' ? asked as number : size))
  const free = sizes.find((size) => typeof size === 'string')
  if (free !== undefined) throw new LstmError('UNSUPPORTED', `the input '${name}' is ${described(shape)}: nothing says how large '${free}' is. A model whose file fixes it can be scored`)
  const fixed = sizes as readonly number[]
  const elements = lengthOf(fixed)
  const steps = hasTime ? fixed[0] as number : 1
  const timesteps = isWide ? 1 : steps
  const at = axis ?? 0
  return {
    name, dtype, timesteps, steps, features: elements / timesteps,
    outer: axis === undefined ? 1 : lengthOf(fixed.slice(0, at)), inner: axis === undefined ? elements : lengthOf(fixed.slice(at)),
    shape: (batch) => (axis === undefined ? fixed : [...fixed.slice(0, at), batch, ...fixed.slice(at)]),
    fixedBatch: axis === undefined ? 1 : typeof shape[axis] === 'number' ? shape[axis] : undefined,
  }
}

type Two<T> = readonly [T, T]

/**
 * Where windows are in an output, from its shapes for two batches.
 * @param batches sizes of the two; the same where the model fixes it
 * @throws LstmError `UNSUPPORTED` for an output that has nothing of each window
 */
export function outputWindows({ name, dtype }: ModelPort, shapes: Two<readonly number[]>, batches: Two<number>): OutputWindows {
  const [first, second] = shapes
  const [a, b] = batches
  if (a === 1 && b === 1) return { name, dtype, shape: first, offset: 0, outer: 1, inner: lengthOf(first) }
  const axis = first.findIndex((size, n) => size === a && second[n] === b)
  if (axis < 0) throw new LstmError('UNSUPPORTED', `the output '${name}' has no axis for the batch: [${first.join(', ')}]. --only NAME chooses others`)
  return { name, dtype, shape: first.filter((_, n) => n !== axis), offset: 0, outer: lengthOf(first.slice(0, axis)), inner: lengthOf(first.slice(axis + 1)) }
}

/** Columns of a table that are taken for one. */
const MOST_COLUMNS = 2000

/**
 * Columns of an output: `probs_0`, `probs_1`, ..., or `probs` where it is one number.
 * @throws LstmError `UNSUPPORTED` for too many
 */
export function outputColumns({ name, dtype, shape }: OutputWindows): OutputColumn[] {
  const type: SchemaElement['type'] = dtype === 'float32' ? 'FLOAT' : 'INT32'
  const count = lengthOf(shape)
  if (count > MOST_COLUMNS) throw new LstmError('UNSUPPORTED', `the output '${name}' has ${count} numbers for each window, [${shape.join(', ')}]: --last writes those of the last timestep, --only NAME chooses outputs`)
  const axes = shape.filter((size) => size !== 1)
  return Array.from({ length: count }, (_, n) => {
    const column = [name, ...indicesOf(n, axes)].join('_')
    return { name: column, element: { name: column, type, repetition_type: 'REQUIRED' } }
  })
}

/** An output without its timesteps but the last; others as they are. */
export function lastTimestep(output: OutputWindows, steps: number): OutputWindows {
  const { shape } = output
  if (output.outer !== 1 || shape.length < 2 || shape[0] !== steps) return output
  const last = shape.slice(1)
  return { ...output, shape: last, offset: lengthOf(shape) - lengthOf(last) }
}

const described = (shape: ModelPort['shape']): string => `[${shape.join(', ')}]`
