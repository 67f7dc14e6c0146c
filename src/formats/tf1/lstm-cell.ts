// LSTM cells: BasicLSTMCell, LSTMCell and their relatives.
import type { LstmWeight } from '../../ops/recurrent/settings.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import { formatShape, sameShape } from '../../values/shape.ts'
import { malformed, type Cell, type Roles } from './cell.ts'
import { joined, stackGates, transposed } from './gates.ts'

/** @throws LstmError `FORMAT` for variables that do not fit each other */
export function readLstmCell(scope: string, roles: Roles): Cell {
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
  return { scope, op: 'lstm', kind, inputSize, hiddenSize, projSize: projection === undefined ? undefined : outputSize, defaultForgetBias, resetAfter: false, weights }
}
