// The modules of a state dict, told by the names and shapes of their tensors.
import type { ArrayLike } from '../../values/ndarray.ts'
import { formatShape } from '../../values/shape.ts'
import { lstmTensors, type LstmShape, type StateDict } from '../pytorch-names.ts'

/** A module found in a state dict. */
export type FoundModule =
  | { readonly kind: 'lstm', readonly prefix: string, readonly lstm: LstmShape, readonly isCell: boolean }
  | { readonly kind: 'linear' | 'embedding', readonly prefix: string, readonly shape: readonly [number, number], readonly bias: boolean }
  /** A layer that `lstm-wasm/layers` has no word for. */
  | { readonly kind: 'foreign', readonly prefix: string, readonly what: string }
  /** Tensors that are no parameters of a layer: `torch.nn.Parameter`, buffers. */
  | { readonly kind: 'loose', readonly prefix: string, readonly names: readonly string[] }

/** Names of parameters in torch.nn: of most layers; recurrent ones; attention; reparametrised weights. */
const PARAMETERS = [
  /^(weight|bias|running_(mean|var)|num_batches_tracked)$/, /^(weight|bias)_(ih|hh|hr)(_l\d+(_reverse)?)?$/,
  /^(in_proj_(weight|bias)|[qkv]_proj_weight|bias_[kv])$/, /^(weight_(g|v|orig|u)|original\d)$/,
]

/** `encoder.rnn.weight_ih_l0` -> `['encoder.rnn', 'weight_ih_l0']`. */
function splitName(name: string): [string, string] {
  const dot = name.lastIndexOf('.')
  return dot < 0 ? ['', name] : [name.slice(0, dot), name.slice(dot + 1)]
}

/** The tensors of each module, by prefix, in the order of the state dict. */
export function groupsOf(stateDict: StateDict): Map<string, Map<string, ArrayLike>> {
  const groups: Map<string, Map<string, ArrayLike>> = new Map()
  for (const [name, tensor] of stateDict) {
    const [prefix, rest] = splitName(name)
    const group = groups.get(prefix) ?? new Map<string, ArrayLike>()
    groups.set(prefix, group.set(rest, tensor))
  }
  return groups
}

/** What the tensors of one prefix are. */
export function recognise(prefix: string, group: ReadonlyMap<string, ArrayLike>): FoundModule {
  const cell = recogniseCell(group)
  const lstm = cell ?? recogniseLstm(group)
  if (lstm !== undefined) return { kind: 'lstm', prefix, lstm, isCell: cell !== undefined }
  const [rows, columns, ...more] = group.get('weight')?.shape ?? []
  const bias = group.get('bias')
  const isMatrix = rows !== undefined && columns !== undefined && more.length === 0 && rows > 0 && columns > 0
  if (isMatrix && group.size === (bias ? 2 : 1) && (bias === undefined || formatShape(bias.shape) === `[${rows}]`)) {
    // A linear layer without bias looks like an embedding; names tell them apart better than nothing.
    const kind = bias === undefined && /emb/i.test(prefix) ? 'embedding' : 'linear'
    return { kind, prefix, shape: [rows, columns], bias: bias !== undefined }
  }
  const names = [...group.keys()]
  return names.some((name) => PARAMETERS.some((parameter) => parameter.test(name))) ? { kind: 'foreign', prefix, what: describe(group) } : { kind: 'loose', prefix, names }
}

/** The settings of an LSTM whose tensors are exactly these, or undefined. */
function recogniseLstm(group: ReadonlyMap<string, ArrayLike>): LstmShape | undefined {
  const [gates, inputSize] = group.get('weight_ih_l0')?.shape ?? []
  if (!isGates(gates) || inputSize === undefined || inputSize < 1) return undefined
  let numLayers = 1
  while (group.has(`weight_ih_l${numLayers}`)) numLayers++
  return ifExactly(group, {
    inputSize,
    hiddenSize: gates / 4,
    numLayers,
    bidirectional: group.has('weight_ih_l0_reverse'),
    bias: group.has('bias_ih_l0'),
    projSize: group.get('weight_hr_l0')?.shape[0],
  })
}

/** `torch.nn.LSTMCell`: one layer, one direction, names without `_l0`. */
function recogniseCell(group: ReadonlyMap<string, ArrayLike>): LstmShape | undefined {
  const [gates, inputSize] = group.get('weight_ih')?.shape ?? []
  if (!isGates(gates) || inputSize === undefined || inputSize < 1) return undefined
  const renamed = new Map([...group].map(([name, tensor]) => [`${name}_l0`, tensor]))
  return ifExactly(renamed, { inputSize, hiddenSize: gates / 4, numLayers: 1, bidirectional: false, bias: group.has('bias_ih') })
}

function isGates(rows: number | undefined): rows is number {
  return rows !== undefined && rows > 0 && rows % 4 === 0
}

function ifExactly(group: ReadonlyMap<string, ArrayLike>, shape: LstmShape): LstmShape | undefined {
  const tensors = lstmTensors(shape)
  const fits = tensors.length === group.size && tensors.every(({ name, shape: expected }) => {
    const found = group.get(name)
    return found !== undefined && formatShape(found.shape) === formatShape(expected)
  })
  return fits ? shape : undefined
}

/** What a layer that is not described here probably is. */
function describe(group: ReadonlyMap<string, ArrayLike>): string {
  const names = [...group.keys()]
  const rows = (group.get('weight_hh_l0') ?? group.get('weight_hh'))?.shape
  if (rows !== undefined) {
    const [gates = 0, hidden = 0] = rows
    if (gates === 3 * hidden) return 'a GRU'
    return gates === hidden ? 'a plain RNN' : 'an LSTM whose tensors do not fit each other'
  }
  if (names.some((name) => /^weight_ih|^weight_hh/.test(name))) return 'an LSTM whose tensors do not fit each other'
  if (group.has('running_mean')) return 'a batch normalisation'
  if (names.some((name) => name.includes('proj_'))) return 'an attention'
  if (names.some((name) => /^(weight_(g|v|orig|u)|original\d)$/.test(name))) return 'a layer with reparametrised weights'
  const rank = group.get('weight')?.shape.length ?? 0
  if (rank === 1) return 'a normalisation'
  return rank >= 3 ? 'a convolution' : 'not a layer that lstm-wasm/layers has'
}
