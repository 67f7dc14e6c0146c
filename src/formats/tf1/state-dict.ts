import { LstmError } from '../../errors.ts'
import { joinName } from '../pytorch-names.ts'
import { NdArray } from '../../values/ndarray.ts'
import { formatShape } from '../../values/shape.ts'
import { findCells, transposed, type Cell } from './cells.ts'
import type { Variables } from './variables.ts'

/** Which variables are which layers, each by the name of the layer. */
export interface Tensorflow1StateDictOptions {
  /** The scopes of the cells of an LSTM layer, from the lowest up: `{ lstm: ['rnn/basic_lstm_cell'] }`. Default: none. */
  readonly lstm?: Readonly<Record<string, readonly string[]>>
  /** Kernel [in, units] and bias [units], if any: `{ dense: ['softmax_w', 'softmax_b'] }`. Default: none. */
  readonly dense?: Readonly<Record<string, readonly [kernel: string, bias?: string]>>
  /** Table [rows, width]: `{ embedding: 'embedding' }`. Default: none. */
  readonly embedding?: Readonly<Record<string, string>>
  /** Added to the forget gates at run time by TensorFlow. Default 1, as there. */
  readonly forgetBias?: number
}

/**
 * Variables of TensorFlow 1 as a state dict for `sequential([...]).loadStateDict`, under PyTorch's names.
 * There is no forget bias in a state dict: it is added to the biases here, which rounds them once (TensorFlow rounds the
 * same sum at every step).
 *
 * @throws LstmError `VALUE` for a variable that is not there or of another shape, `UNSUPPORTED` for cells with
 *   peepholes, coupled gates or layer normalisation: PyTorch has no names for these
 */
export function tensorflow1StateDict(variables: Variables, options: Tensorflow1StateDictOptions): Map<string, NdArray> {
  const { lstm = {}, dense = {}, embedding = {}, forgetBias } = options
  const { cells } = findCells(variables)
  const tensors: Map<string, NdArray> = new Map()
  for (const [layer, scopes] of Object.entries(lstm)) {
    scopes.forEach((scope, index) => {
      const cell = cells.find((found) => found.scope === scope)
      if (cell === undefined) throw missing('cell', scope, cells.map((found) => found.scope))
      for (const [name, tensor] of cellTensors(cell, index, forgetBias ?? cell.defaultForgetBias)) tensors.set(joinName(layer, name), tensor)
    })
  }
  const variable = (name: string, rank: number): NdArray => {
    const found = variables.get(name)
    if (found === undefined) throw missing('variable', name, [...variables.keys()])
    if (found.shape.length !== rank || found.dtype !== 'float32') {
      throw new LstmError('VALUE', `tensorflow1StateDict: expected float32 with ${rank} axes for '${name}', got ${found.dtype} ${formatShape(found.shape)}`)
    }
    return found
  }
  for (const [layer, [kernel, bias]] of Object.entries(dense)) {
    const { data, shape } = variable(kernel, 2)
    const [rows, columns] = shape as [number, number]
    tensors.set(joinName(layer, 'weight'), new NdArray(transposed(data as Float32Array, rows, columns), [columns, rows]))
    if (bias !== undefined) tensors.set(joinName(layer, 'bias'), variable(bias, 1))
  }
  for (const [layer, table] of Object.entries(embedding)) tensors.set(joinName(layer, 'weight'), variable(table, 2))
  return tensors
}

function missing(what: string, name: string, there: readonly string[]): LstmError {
  return new LstmError('VALUE', `tensorflow1StateDict: no ${what} '${name}'; there are ${there.map((other) => `'${other}'`).join(', ') || 'none'}`)
}

/** Tensors of one layer of `torch.nn.LSTM`. */
function cellTensors({ scope, kind, hiddenSize, projSize, weights }: Cell, layer: number, forgetBias: number): [string, NdArray][] {
  if (kind !== 'plain' || weights.has('peepholes')) {
    const what = kind === 'coupled' ? 'coupled gates' : kind === 'layerNorm' ? 'layer normalisation' : 'peepholes'
    throw new LstmError('UNSUPPORTED', `tensorflow1StateDict: the cell '${scope}' has ${what}, for which a state dict has no names`)
  }
  const tensor = (weight: 'inputWeights' | 'recurrentWeights' | 'projection' | 'inputBias'): NdArray => weights.get(weight) as NdArray
  const bias = Float32Array.from(tensor('inputBias').data)
  // Gates i, f, g, o.
  for (let unit = hiddenSize; unit < 2 * hiddenSize; unit++) bias[unit] = (bias[unit] as number) + forgetBias
  return [
    [`weight_ih_l${layer}`, tensor('inputWeights')],
    [`weight_hh_l${layer}`, tensor('recurrentWeights')],
    [`bias_ih_l${layer}`, new NdArray(bias, [4 * hiddenSize])],
    [`bias_hh_l${layer}`, new NdArray(new Float32Array(4 * hiddenSize), [4 * hiddenSize])],
    ...(projSize === undefined ? [] : [[`weight_hr_l${layer}`, tensor('projection')] as [string, NdArray]]),
  ]
}
