// GRUCell, GRUBlockCell, CudnnCompatibleGRUCell and BasicRNNCell.
import type { LstmWeight } from '../../ops/recurrent/settings.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import { formatShape, sameShape } from '../../values/shape.ts'
import { malformed, type Cell, type Roles } from './cell.ts'
import { stackGates } from './gates.ts'

const OTHERS = { kind: 'plain', projSize: undefined, defaultForgetBias: 0 } as const

/**
 * r and u stand in one kernel [x; h] and one bias, the candidate in others: u is our z, the candidate our n.
 * The class for cuDNN has kernels of its own for what x and h add to the candidate, each with a bias.
 * @throws LstmError `FORMAT` for variables that do not fit each other
 */
export function readGruCell(scope: string, roles: Roles): Cell {
  const { shape } = roles.get('gates.kernel') as ArrayLike
  const [rows, columns] = shape as [number, number]
  const hiddenSize = columns / 2
  const inputSize = rows - hiddenSize
  const has = `the cell '${scope}' has a kernel of gates ${formatShape(shape)}`
  if (!Number.isInteger(hiddenSize) || hiddenSize < 1) throw malformed(`${has}, expected 2 columns a unit`)
  if (inputSize < 1) throw malformed(`${has}, expected more rows than the ${hiddenSize} of h: those of x come first`)
  const expect = (role: string, ...sizes: readonly number[]): Float32Array => {
    const found = roles.get(role)
    if (found === undefined || !sameShape(found.shape, sizes)) {
      throw malformed(`${has}, so its ${role} has ${formatShape(sizes)}; got ${found === undefined ? 'none' : formatShape(found.shape)}`)
    }
    return found.data as Float32Array
  }
  const resetAfter = roles.has('candidate.input.kernel')
  const gates = expect('gates.kernel', rows, columns)
  const [ofInput, ofState] = resetAfter
    ? [expect('candidate.input.kernel', inputSize, hiddenSize), expect('candidate.hidden.kernel', hiddenSize, hiddenSize)]
    : halves(expect('candidate.kernel', rows, hiddenSize), inputSize * hiddenSize)
  const weights: Map<LstmWeight, ArrayLike> = new Map()
  const add = (role: LstmWeight, begin: number, length: number, candidate: Float32Array): void => {
    const [both, one] = [stackGates(gates, columns, hiddenSize, [0, 1], begin, length), stackGates(candidate, hiddenSize, hiddenSize, [0], 0, length)]
    weights.set(role, new NdArray(joinedData(both.data, one.data), [3 * hiddenSize, length]))
  }
  add('inputWeights', 0, inputSize, ofInput)
  add('recurrentWeights', inputSize, hiddenSize, ofState)
  const bias = (...parts: readonly Float32Array[]): NdArray => new NdArray(joinedData(...parts), [3 * hiddenSize])
  weights.set('inputBias', bias(expect('gates.bias', columns), expect(resetAfter ? 'candidate.input.bias' : 'candidate.bias', hiddenSize)))
  if (resetAfter) weights.set('recurrentBias', bias(new Float32Array(columns), expect('candidate.hidden.bias', hiddenSize)))
  return { scope, op: 'gru', inputSize, hiddenSize, resetAfter, weights, ...OTHERS }
}

/** One kernel [x; h] and one bias. @throws LstmError `FORMAT` for variables that do not fit each other */
export function readRnnCell(scope: string, roles: Roles): Cell {
  const { data, shape } = roles.get('kernel') as ArrayLike
  const [rows, hiddenSize] = shape as [number, number]
  const inputSize = rows - hiddenSize
  const bias = roles.get('bias')
  const has = `the cell '${scope}' has a kernel ${formatShape(shape)}`
  if (hiddenSize < 1 || inputSize < 1) throw malformed(`${has}, expected more rows than the ${hiddenSize} of h: those of x come first`)
  if (bias === undefined || !sameShape(bias.shape, [hiddenSize])) {
    throw malformed(`${has}, so its bias has ${formatShape([hiddenSize])}; got ${bias === undefined ? 'none' : formatShape(bias.shape)}`)
  }
  const weights: ReadonlyMap<LstmWeight, ArrayLike> = new Map([
    ['inputWeights', stackGates(data as Float32Array, hiddenSize, hiddenSize, [0], 0, inputSize)],
    ['recurrentWeights', stackGates(data as Float32Array, hiddenSize, hiddenSize, [0], inputSize, hiddenSize)],
    ['inputBias', bias],
  ])
  return { scope, op: 'rnn', inputSize, hiddenSize, resetAfter: false, weights, ...OTHERS }
}

function halves(data: Float32Array, first: number): [Float32Array, Float32Array] {
  return [data.subarray(0, first), data.subarray(first)]
}

function joinedData(...parts: readonly Float32Array[]): Float32Array {
  const result = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let position = 0
  for (const part of parts) {
    result.set(part, position)
    position += part.length
  }
  return result
}
