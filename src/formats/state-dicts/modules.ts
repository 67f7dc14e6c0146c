// The modules of a state dict, told by the names and shapes of their tensors.
import type { ArrayLike } from '../../values/ndarray.ts'
import { RECURRENT, type RecurrentOp } from '../../ops/recurrent/kinds.ts'
import { formatShape, lengthOf, sameShape } from '../../values/shape.ts'
import { recurrentTensors, type LstmShape, type StateDict } from '../pytorch-names.ts'

/** `torch.nn.LSTM`, `GRU` or `RNN`, or one of their cells. */
export interface RecurrentModule {
  readonly kind: RecurrentOp
  readonly prefix: string
  readonly shape: LstmShape
  readonly isCell: boolean
}

/** A module found in a state dict. */
export type FoundModule =
  | RecurrentModule
  | { readonly kind: 'linear' | 'embedding', readonly prefix: string, readonly shape: readonly [number, number], readonly bias: boolean }
  /** A convolution over timesteps, its weights [filters, features of a group, timesteps of a window]. How many groups there are, files do not say. */
  | { readonly kind: 'conv', readonly prefix: string, readonly shape: readonly [number, number, number], readonly bias: boolean, readonly groups: number }
  | { readonly kind: 'norm', readonly prefix: string, readonly norm: 'batchNorm' | 'layerNorm', readonly features: number, readonly affine: boolean }
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

/** Whether a module is a recurrent one. */
export function isRecurrent(module: FoundModule): module is RecurrentModule {
  return Object.hasOwn(RECURRENT, module.kind)
}

/** What the tensors of one prefix are. */
export function recognise(prefix: string, group: ReadonlyMap<string, ArrayLike>): FoundModule {
  const recurrent = recogniseRecurrent(group)
  if (recurrent !== undefined) return { prefix, ...recurrent }
  const [rows, columns, ...more] = group.get('weight')?.shape ?? []
  const bias = group.get('bias')
  const isMatrix = rows !== undefined && columns !== undefined && more.length === 0 && rows > 0 && columns > 0
  if (isMatrix && group.size === (bias ? 2 : 1) && (bias === undefined || formatShape(bias.shape) === `[${rows}]`)) {
    // A linear layer without bias looks like an embedding; names tell them apart better than nothing.
    const kind = bias === undefined && /emb/i.test(prefix) ? 'embedding' : 'linear'
    return { kind, prefix, shape: [rows, columns], bias: bias !== undefined }
  }
  const found = recogniseConvolution(group) ?? recogniseNorm(group)
  if (found !== undefined) return { prefix, ...found }
  const names = [...group.keys()]
  return names.some((name) => PARAMETERS.some((parameter) => parameter.test(name))) ? { kind: 'foreign', prefix, what: describe(group) } : { kind: 'loose', prefix, names }
}

/** `FoundModule` without its prefix, of some kinds. */
type Unplaced<Kind extends FoundModule['kind']> = Omit<Extract<FoundModule, { readonly kind: Kind }>, 'prefix'>

/** `torch.nn.Conv1d`, or undefined. */
function recogniseConvolution(group: ReadonlyMap<string, ArrayLike>): Unplaced<'conv'> | undefined {
  const [weight, bias] = [group.get('weight')?.shape ?? [], group.get('bias')?.shape]
  const [filters = 0, channels = 0, taps = 0] = weight
  const fits = weight.length === 3 && lengthOf(weight) > 0 && group.size === (bias === undefined ? 1 : 2) && (bias === undefined || sameShape(bias, [filters]))
  return fits ? { kind: 'conv', shape: [filters, channels, taps], bias: bias !== undefined, groups: 1 } : undefined
}

/** `torch.nn.BatchNorm1d` with its running means, or `LayerNorm` over the features, or undefined. */
function recogniseNorm(group: ReadonlyMap<string, ArrayLike>): Unplaced<'norm'> | undefined {
  const isBatch = group.has('running_mean')
  const affine = group.has('weight')
  const expected = [...affine ? ['weight', 'bias'] : [], ...isBatch ? ['running_mean', 'running_var'] : []]
  const [features = 0] = group.get(isBatch ? 'running_mean' : 'weight')?.shape ?? []
  const size = expected.length + (isBatch && group.has('num_batches_tracked') ? 1 : 0)
  const fits = features > 0 && group.size === size && expected.every((name) => sameShape(group.get(name)?.shape ?? [], [features]))
  return fits ? { kind: 'norm', norm: isBatch ? 'batchNorm' : 'layerNorm', features, affine } : undefined
}

/**
 * The module whose tensors are exactly these, or undefined: `torch.nn.LSTM`, `GRU` or `RNN`, or one of their cells, which have one
 * layer, one direction, and names without `_l0`. How many rows there are for each column of the recurrent weights tells which it is.
 */
function recogniseRecurrent(group: ReadonlyMap<string, ArrayLike>): Omit<RecurrentModule, 'prefix'> | undefined {
  const isCell = group.has('weight_ih')
  const tensors = isCell ? new Map([...group].map(([name, tensor]) => [`${name}_l0`, tensor])) : group
  const [rows = 0, inputSize = 0] = tensors.get('weight_ih_l0')?.shape ?? []
  const kind = kindOf(tensors)
  if (kind === undefined || rows < 1 || inputSize < 1) return undefined
  let numLayers = 1
  while (!isCell && tensors.has(`weight_ih_l${numLayers}`)) numLayers++
  const shape: LstmShape = {
    inputSize,
    hiddenSize: rows / RECURRENT[kind].gates,
    numLayers,
    bidirectional: tensors.has('weight_ih_l0_reverse'),
    bias: tensors.has('bias_ih_l0'),
    projSize: tensors.get('weight_hr_l0')?.shape[0],
  }
  const expected = recurrentTensors(kind, shape)
  const fits = expected.length === group.size && expected.every(({ name, shape: sizes }) => {
    const found = tensors.get(name)
    return found !== undefined && formatShape(found.shape) === formatShape(sizes)
  })
  return fits ? { kind, shape, isCell } : undefined
}

/** The operator that stacks as many gates as these recurrent weights do; only LSTMs have a projection. */
function kindOf(tensors: ReadonlyMap<string, ArrayLike>): RecurrentOp | undefined {
  const [rows = 0, columns = 0] = tensors.get('weight_hh_l0')?.shape ?? []
  if (tensors.has('weight_hr_l0')) return rows % 4 === 0 ? 'lstm' : undefined
  return (Object.keys(RECURRENT) as RecurrentOp[]).find((op) => rows === RECURRENT[op].gates * columns)
}

/** What a layer that is not described here probably is. */
function describe(group: ReadonlyMap<string, ArrayLike>): string {
  const names = [...group.keys()]
  const [rows = 0, columns = 0] = (group.get('weight_hh_l0') ?? group.get('weight_hh'))?.shape ?? []
  const what = rows === 0 ? 'an LSTM' : rows === 3 * columns ? 'a GRU' : rows === columns ? 'a plain RNN' : 'an LSTM'
  if (names.some((name) => /^weight_ih|^weight_hh/.test(name))) return `${what} whose tensors do not fit each other`
  if (group.has('running_mean')) return 'a batch normalisation'
  if (names.some((name) => name.includes('proj_'))) return 'an attention'
  if (names.some((name) => /^(weight_(g|v|orig|u)|original\d)$/.test(name))) return 'a layer with reparametrised weights'
  const rank = group.get('weight')?.shape.length ?? 0
  if (rank === 1) return 'a normalisation'
  return rank >= 3 ? 'a convolution' : 'not a layer that lstm-wasm/layers has'
}
