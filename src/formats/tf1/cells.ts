// The cells of tf.nn.rnn_cell and tf.contrib.rnn, told by the names of their variables.
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import { formatShape, sameShape } from '../../values/shape.ts'
import type { LstmWeight } from '../../ops/recurrent/settings.ts'
import { malformedFile } from '../malformed.ts'
import type { Variables } from './variables.ts'

const malformed = malformedFile('TensorFlow 1')

export type CellKind = 'plain' | 'coupled' | 'layerNorm'

/** A cell: what it is, and its weights as our `lstm` operator wants them. */
export interface Cell {
  /** Up to the class's own name: `rnn/multi_rnn_cell/cell_0/basic_lstm_cell`. */
  readonly scope: string
  readonly kind: CellKind
  readonly inputSize: number
  readonly hiddenSize: number
  readonly projSize: number | undefined
  /** Files do not store it; 0 for the one class that has none. */
  readonly defaultForgetBias: number
  readonly weights: ReadonlyMap<LstmWeight, ArrayLike>
}

/** Names of a cell's variables after its scope, of all versions, and the roles they play. */
const ROLES: Readonly<Record<string, string>> = {
  'kernel': 'kernel', 'weights': 'kernel', 'Linear/Matrix': 'kernel', 'W_0': 'kernel',
  'bias': 'bias', 'biases': 'bias', 'Linear/Bias': 'bias', 'B': 'bias',
  'w_i_diag': 'peephole.i', 'W_I_diag': 'peephole.i', 'w_f_diag': 'peephole.f', 'W_F_diag': 'peephole.f',
  'w_o_diag': 'peephole.o', 'W_O_diag': 'peephole.o',
  'projection/kernel': 'projection', 'projection/weights': 'projection', 'W_P_0': 'projection',
  ...Object.fromEntries(['input', 'transform', 'forget', 'output', 'state'].flatMap((gate) => (
    ['gamma', 'beta'].map((part) => [`${gate}/${part}`, `${gate}.${part}`])
  ))),
}

/** What optimizers keep beside every variable, and counters: of no use after training. */
const TRAINING = /\/(Adam|Adadelta|Adagrad|Momentum|RMSProp|Ftrl)(_\d+)?$|(^|\/)(beta[12]_power|global_step)(_\d+)?$/

/** A cell's scope, and the role of its variable: `rnn/lstm_cell/projection/kernel` -> `rnn/lstm_cell`, `projection`. */
function splitName(name: string): readonly [scope: string, role: string] | undefined {
  const parts = name.split('/')
  for (const length of [2, 1]) {
    const rest = parts.slice(-length).join('/')
    const role = Object.hasOwn(ROLES, rest) ? ROLES[rest] : undefined
    if (role !== undefined && /lstm/i.test(parts.at(-length - 1) ?? '')) return [parts.slice(0, -length).join('/'), role]
  }
  return undefined
}

export interface FoundCells {
  readonly cells: readonly Cell[]
  /** Variables that belong to no cell, without those of training alone. */
  readonly others: readonly string[]
}

/** @throws LstmError `FORMAT` for cells whose variables do not fit each other */
export function findCells(variables: Variables): FoundCells {
  const scopes: Map<string, Map<string, ArrayLike>> = new Map()
  const others: string[] = []
  for (const [name, variable] of variables) {
    if (TRAINING.test(name)) continue
    const [scope, role] = splitName(name) ?? []
    if (scope === undefined || role === undefined || variable.dtype !== 'float32') {
      // A number on its own is a learning rate or a counter.
      if (variable.shape.length > 0) others.push(name)
      continue
    }
    const cell = scopes.get(scope) ?? new Map<string, ArrayLike>()
    if (cell.has(role)) throw malformed(`the cell '${scope}' has two variables for the same: '${name}' is one of them`)
    scopes.set(scope, cell.set(role, variable))
  }
  const cells: Cell[] = []
  for (const [scope, roles] of scopes) {
    if (roles.get('kernel')?.shape.length === 2) cells.push(readCell(scope, roles))
    else others.push(`${scope}/...`)
  }
  return { cells, others }
}

function readCell(scope: string, roles: ReadonlyMap<string, ArrayLike>): Cell {
  const className = scope.slice(scope.lastIndexOf('/') + 1)
  const kind = /coupled/i.test(className) ? 'coupled' : roles.has('state.gamma') ? 'layerNorm' : 'plain'
  const gates = kind === 'coupled' ? 3 : 4
  const { data, shape } = roles.get('kernel') as ArrayLike
  const [rows, columns] = shape as [number, number]
  const hiddenSize = columns / gates
  const projection = roles.get('projection')
  const outputSize = projection?.shape[1] ?? hiddenSize
  const inputSize = rows - outputSize
  const has = `the cell '${scope}' has a kernel ${formatShape(shape)}`
  if (!Number.isInteger(hiddenSize) || hiddenSize < 1) throw malformed(`${has}, expected a multiple of ${gates} columns`)
  if (inputSize < 1) throw malformed(`${has}, expected more rows than the ${outputSize} of h: those of x come first`)
  const weights: Map<LstmWeight, ArrayLike> = new Map()
  // Rows of the canonical order i, f, g, o: gate j is g; a coupled cell has j, f, o, and its i is 1 - f.
  const order = kind === 'coupled' ? [-1, 1, 0, 2] : [0, 2, 1, 3]
  weights.set('inputWeights', stackGates(data as Float32Array, columns, hiddenSize, order, 0, inputSize))
  weights.set('recurrentWeights', stackGates(data as Float32Array, columns, hiddenSize, order, inputSize, outputSize))
  const expect = (role: string, expected: readonly number[]): Float32Array | undefined => {
    const found = roles.get(role)
    if (found !== undefined && !sameShape(found.shape, expected)) {
      throw malformed(`${has}, so its ${role} has ${formatShape(expected)}; got ${formatShape(found.shape)}`)
    }
    return found?.data as Float32Array | undefined
  }
  const bias = expect('bias', [columns])
  if (bias === undefined && kind !== 'layerNorm') throw malformed(`${has}, but no bias`)
  if (bias !== undefined) weights.set('inputBias', new NdArray(stackGates(bias, columns, hiddenSize, order, 0, 1).data, [4 * hiddenSize]))
  const peepholes = ['i', 'f', 'o'].map((gate) => expect(`peephole.${gate}`, [hiddenSize]))
  if (peepholes.some((part) => part !== undefined)) {
    if (peepholes.some((part, gate) => part === undefined && (kind !== 'coupled' || gate > 0))) throw malformed(`${has} and some peepholes, but not all`)
    weights.set('peepholes', new NdArray(joined(peepholes, hiddenSize), [3 * hiddenSize]))
  }
  if (projection !== undefined) {
    const flat = expect('projection', [hiddenSize, outputSize]) as Float32Array
    weights.set('projection', new NdArray(transposed(flat, hiddenSize, outputSize), [outputSize, hiddenSize]))
  }
  const normalised = ['input', 'forget', 'transform', 'output', 'state']
  if (kind === 'layerNorm') {
    for (const [part, weight] of [['gamma', 'normGain'], ['beta', 'normShift']] as const) {
      const rowsOf = normalised.map((gate) => expect(`${gate}.${part}`, [hiddenSize]))
      if (rowsOf.includes(undefined)) throw malformed(`${has} and layer normalisation, but lacks ${part} for ${normalised.filter((_, n) => rowsOf[n] === undefined).join(', ')}`)
      weights.set(weight, new NdArray(joined(rowsOf, hiddenSize), [5, hiddenSize]))
    }
  } else if (normalised.some((gate) => roles.has(`${gate}.gamma`) || roles.has(`${gate}.beta`))) {
    throw malformed(`${has} and a part of the variables of layer normalisation`)
  }
  // CudnnCompatibleLSTMCell, whose weights come from cuDNN, adds nothing.
  const defaultForgetBias = /cudnn/i.test(className) ? 0 : 1
  return { scope, kind, inputSize, hiddenSize, projSize: projection === undefined ? undefined : outputSize, defaultForgetBias, weights }
}

/**
 * Rows `begin` and on of a kernel (rows, gates hiddenSize), columns as gates -> [4 hiddenSize, rows], gates stacked.
 * @param order the gate of the kernel for each of i, f, g, o; -1 for zeros
 */
function stackGates(kernel: Float32Array, columns: number, hiddenSize: number, order: readonly number[], begin: number, rows: number): NdArray<'float32'> {
  const result = new Float32Array(4 * hiddenSize * rows)
  order.forEach((gate, position) => {
    if (gate < 0) return
    for (let unit = 0; unit < hiddenSize; unit++) {
      const to = (position * hiddenSize + unit) * rows
      const from = begin * columns + gate * hiddenSize + unit
      for (let row = 0; row < rows; row++) result[to + row] = kernel[from + row * columns] as number
    }
  })
  return new NdArray(result, [4 * hiddenSize, rows])
}

/** Parts of so many elements one after the other, zeros for those that are absent. */
function joined(parts: readonly (Float32Array | undefined)[], length: number): Float32Array {
  const result = new Float32Array(parts.length * length)
  parts.forEach((part, n) => {
    if (part !== undefined) result.set(part, n * length)
  })
  return result
}

/** (rows, columns) -> (columns, rows) */
export function transposed(data: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(data.length)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = data[row * columns + column] as number
  }
  return result
}
