import { LstmError } from '../../errors.ts'
import { checkKind, NUMBER, readOptions, RECORD, TEXT, type Kind, type OptionTable } from '../../options.ts'
import { ARRAY, ARRAYS } from '../given.ts'
import { joinName } from '../pytorch-names.ts'
import type { LstmWeight } from '../../ops/recurrent/settings.ts'
import { NdArray } from '../../values/ndarray.ts'
import { formatShape } from '../../values/shape.ts'
import type { Cell } from './cell.ts'
import { findCells } from './cells.ts'
import { transposed } from './gates.ts'
import type { Variables } from './variables.ts'

/** Scopes of cells by the name of the layer that they are. */
export type RecurrentScopes = Readonly<Record<string, readonly string[] | { readonly forward: string, readonly backward: string }>>

/** Which variables are which layers, each by the name of the layer. */
export interface Tensorflow1StateDictOptions {
  /**
   * The scopes of the cells of an LSTM layer, from the lowest up: `{ lstm: ['rnn/basic_lstm_cell'] }`; of a layer in both
   * directions, one cell for each: `{ lstm: { forward: 'rnn/fw/lstm_cell', backward: 'rnn/bw/lstm_cell' } }`. Default: none.
   */
  readonly lstm?: RecurrentScopes | undefined
  /** The same of GRU layers; they are `gru(units, { resetAfter: false })`, but for weights of CudnnCompatibleGRUCell. Default: none. */
  readonly gru?: RecurrentScopes | undefined
  /** The same of plain recurrent layers, BasicRNNCell. Default: none. */
  readonly simpleRnn?: RecurrentScopes | undefined
  /** Kernel [in, units] and bias [units], if any: `{ dense: ['softmax_w', 'softmax_b'] }`. Default: none. */
  readonly dense?: Readonly<Record<string, readonly [kernel: string, bias?: string]>> | undefined
  /** Table [rows, width]: `{ embedding: 'embedding' }`. Default: none. */
  readonly embedding?: Readonly<Record<string, string>> | undefined
  /** Added to the forget gates at run time by TensorFlow. Default 1, as there. */
  readonly forgetBias?: number | undefined
}

const areTexts = (value: unknown): boolean => Array.isArray(value) && Array.from(value).every(TEXT.test)
const byLayer = (expected: string, test: Kind['test']): Kind => ({ expected, test: (value) => RECORD.test(value) && Object.values(value as object).every(test) })
const SCOPES: Kind = byLayer(
  'lists of scopes, or { forward, backward }, by the names of layers',
  (value) => areTexts(value) || (RECORD.test(value) && areTexts([(value as { forward?: unknown }).forward, (value as { backward?: unknown }).backward])),
)
const OPTIONS: OptionTable<Tensorflow1StateDictOptions> = {
  lstm: SCOPES, gru: SCOPES, simpleRnn: SCOPES, dense: byLayer('lists of variables by the names of layers', areTexts),
  embedding: byLayer('variables by the names of layers', TEXT.test), forgetBias: NUMBER,
}

/**
 * Variables of TensorFlow 1 as a state dict for `sequential([...]).loadStateDict`, under PyTorch's names.
 * There is no forget bias in a state dict: it is added to the biases here, which rounds them once (TensorFlow rounds the
 * same sum at every step).
 *
 * @throws LstmError `VALUE` for a variable that is not there or of another shape, `UNSUPPORTED` for cells with
 *   coupled gates or layer normalisation: a state dict has no names for these
 */
export function tensorflow1StateDict(variables: Variables, options: Tensorflow1StateDictOptions = {}): Map<string, NdArray> {
  const { lstm = {}, gru = {}, simpleRnn = {}, dense = {}, embedding = {}, forgetBias } = readOptions(options, OPTIONS, 'tensorflow1StateDict')
  checkKind(variables, ARRAYS, 'tensorflow1StateDict')
  for (const [name, array] of variables) checkKind(array, ARRAY, 'tensorflow1StateDict', name)
  const { cells } = findCells(variables)
  const tensors: Map<string, NdArray> = new Map()
  const layers = [...Object.entries(lstm).map((entry) => ['lstm', entry] as const), ...Object.entries(gru).map((entry) => ['gru', entry] as const), ...Object.entries(simpleRnn).map((entry) => ['rnn', entry] as const)]
  for (const [op, [layer, scopes]] of layers) {
    const places = isList(scopes) ? scopes.map((scope, index) => [scope, `_l${index}`] as const) : [[scopes.forward, '_l0'], [scopes.backward, '_l0_reverse']] as const
    for (const [scope, suffix] of places) {
      const alike = cells.filter((found) => found.op === op)
      const cell = alike.find((found) => found.scope === scope)
      if (cell === undefined) throw missing(`${WORDS[op]}cell`, scope, alike.map((found) => found.scope))
      for (const [name, tensor] of cellTensors(cell, suffix, forgetBias ?? cell.defaultForgetBias)) tensors.set(joinName(layer, name), tensor)
    }
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

/** In front of `cell`. */
const WORDS = { lstm: '', gru: 'GRU ', rnn: 'plain RNN ' } as const

function missing(what: string, name: string, there: readonly string[]): LstmError {
  return new LstmError('VALUE', `tensorflow1StateDict: no ${what} '${name}'; there are ${there.map((other) => `'${other}'`).join(', ') || 'none'}`)
}

function isList(scopes: readonly string[] | object): scopes is readonly string[] {
  return Array.isArray(scopes)
}

/** Tensors of one layer and direction of `torch.nn.LSTM`, `GRU` or `RNN`, and the peepholes that our own layer has. */
function cellTensors({ scope, op, kind, hiddenSize, projSize, weights }: Cell, suffix: string, forgetBias: number): [string, NdArray][] {
  if (kind !== 'plain') {
    const what = kind === 'coupled' ? 'coupled gates' : 'layer normalisation'
    throw new LstmError('UNSUPPORTED', `tensorflow1StateDict: the cell '${scope}' has ${what}, for which a state dict has no names`)
  }
  const tensor = (weight: LstmWeight): NdArray => weights.get(weight) as NdArray
  const bias = Float32Array.from(tensor('inputBias').data)
  // Gates i, f, g, o.
  if (op === 'lstm') for (let unit = hiddenSize; unit < 2 * hiddenSize; unit++) bias[unit] = (bias[unit] as number) + forgetBias
  return [
    [`weight_ih${suffix}`, tensor('inputWeights')],
    [`weight_hh${suffix}`, tensor('recurrentWeights')],
    [`bias_ih${suffix}`, new NdArray(bias, [bias.length])],
    [`bias_hh${suffix}`, weights.has('recurrentBias') ? tensor('recurrentBias') : new NdArray(new Float32Array(bias.length), [bias.length])],
    ...(projSize === undefined ? [] : [[`weight_hr${suffix}`, tensor('projection')] as [string, NdArray]]),
    ...(weights.has('peepholes') ? [[`peepholes${suffix}`, tensor('peepholes')] as [string, NdArray]] : []),
  ]
}
