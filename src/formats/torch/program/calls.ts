// A program of PyTorch as a list of calls of its operators (aten), one after the other: what modules, TorchScript and torch.export become
// before they become a graph.
import { RECURRENT, type RecurrentOp } from '../../../ops/recurrent/kinds.ts'
import type { SymbolicShape } from '../../../values/shape.ts'
import type { Budget } from '../../budget.ts'
import type { NdArray } from '../../../values/ndarray.ts'
import type { TensorBuilder } from '../tensor-builder.ts'
import type { TorchTensor } from '../tensors.ts'

/** A tensor that is computed: known by identity. */
export class Value {
  /** For messages: where it was made. */
  readonly where: string

  constructor(where: string) {
    this.where = where
  }
}

/** A tensor of the file, by its name in the state dict. */
export class NamedTensor {
  readonly name: string
  readonly tensor: TorchTensor

  constructor(name: string, tensor: TorchTensor) {
    this.name = name
    this.tensor = tensor
  }

  /** Its elements. @throws LstmError see `TensorBuilder` */
  build(tensors: TensorBuilder): NdArray {
    return tensors.build(this.name, this.tensor)
  }
}

/** What an operator may be given. */
export type Arg = Value | NamedTensor | number | boolean | string | null | undefined | readonly Arg[]

export interface Call {
  /** As PyTorch calls it, without namespace and overload: `linear`, `lstm`. */
  readonly op: string
  readonly args: readonly Arg[]
  readonly named: ReadonlyMap<string, Arg>
  readonly results: readonly Value[]
  /** The module it is in: `encoder.0`. */
  readonly where: string
}

/** A tensor that the program is given. */
export interface ProgramInput {
  readonly name: string
  readonly value: Value
  /** Where the file says them. */
  readonly shape?: SymbolicShape
  readonly isInteger?: boolean
}

export interface Program {
  readonly inputs: readonly ProgramInput[]
  readonly calls: readonly Call[]
  /** In order; lists within lists are put one after the other. */
  readonly outputs: readonly Value[]
}

/** Why a program is not followed: a sentence's end, `calls torch.sort in 'encoder'`. */
export class NotFollowed extends Error {}

/** Operators that slide a window over timesteps. */
export const CONVOLUTIONS: readonly string[] = ['conv1d', '_convolution_mode', 'convolution', '_convolution']
/** Operators over sequences with states, and ours. */
export const RECURRENT_CALLS: Readonly<Record<string, readonly [op: RecurrentOp, activation?: string]>> = {
  lstm: ['lstm'], gru: ['gru'], rnn_tanh: ['rnn'], rnn_relu: ['rnn', 'relu'],
}

/** Single steps of them, and how many states each gives. */
export const CELL_CALLS: Readonly<Record<string, readonly [op: RecurrentOp, activation?: string]>> = {
  lstm_cell: ['lstm'], gru_cell: ['gru'], rnn_tanh_cell: ['rnn'], rnn_relu_cell: ['rnn', 'relu'],
}
/** Operators that take the largest or the mean of windows, which have no weights. */
export const POOLS: readonly string[] = ['avg_pool1d', 'max_pool1d']

/** Operators that cut a tensor into parts of one size. */
export const CHUNKS: readonly string[] = ['chunk', 'unsafe_chunk']
/** Operators that give the largest or smallest elements along an axis, and where they are. */
export const EXTREMES: readonly string[] = ['max', 'min']
/** Operators that give the size of an axis. */
export const SIZES: readonly string[] = ['size', 'sym_size']

/** Calls as they are found. */
export class Calls {
  readonly list: Call[] = []
  readonly budget: Budget

  /** @param budget of the load: each call is charged as a node */
  constructor(budget: Budget) {
    this.budget = budget
  }

  /** The result, or a list of several. */
  add(name: string, args: readonly Arg[], where: string, named: ReadonlyMap<string, Arg> = new Map()): Value | readonly Value[] {
    this.budget.build(name)
    // Operators that write into their first argument have an underscore.
    const op = name.replace(/(?<!^)_$/, '')
    const results = Array.from({ length: resultsOf(op, args) }, () => new Value(where))
    this.list.push({ op, args, named, results, where })
    return results.length === 1 ? results[0] as Value : results
  }
}

/** Parts that a tensor may be cut into: more than any model has. */
const MOST_PARTS = 1024

/** How many tensors an operator gives: recurrent ones their outputs and final states, others parts. */
function resultsOf(op: string, [, count]: readonly Arg[]): number {
  if (op === 'lstm_cell' || op === 'topk' || (EXTREMES.includes(op) && typeof count === 'number')) return 2
  if (CHUNKS.includes(op)) {
    if (typeof count !== 'number' || !(count >= 1 && count <= MOST_PARTS)) throw new NotFollowed(`has torch.${op} with a number of parts that is not read`)
    return count
  }
  const recurrent = Object.hasOwn(RECURRENT_CALLS, op) ? RECURRENT_CALLS[op] : undefined
  return recurrent === undefined ? 1 : 1 + RECURRENT[recurrent[0]].states.length
}

/** The tensors of an answer, one after the other; what is no tensor is none of an output. */
export function valuesOf(answer: Arg): Value[] {
  if (answer instanceof Value) return [answer]
  return Array.isArray(answer) ? (answer as readonly Arg[]).flatMap(valuesOf) : []
}
