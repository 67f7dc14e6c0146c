// Graphs made of bare state dicts of PyTorch.
import { LstmError } from '../errors.ts'
import type { Graph, GraphInput } from '../graph/graph.ts'
import type { ArrayLike } from '../values/ndarray.ts'
import { formatShape } from '../values/shape.ts'
import { graphOfCell } from './pytorch-cell.ts'
import { joinName, lstmTensors, type LstmShape, type StateDict } from './pytorch-names.ts'

/** Modules that are put in order for a message. */
const MOST_ORDERED = 100

/** A module found in a state dict by the names and shapes of its tensors. */
type FoundModule =
  | { readonly kind: 'lstm', readonly prefix: string, readonly lstm: LstmShape }
  | { readonly kind: 'linear' | 'embedding', readonly prefix: string, readonly shape: readonly [number, number], readonly bias: boolean }
  | { readonly kind: 'unknown', readonly prefix: string, readonly names: readonly string[] }

/** `encoder.rnn.weight_ih_l0` -> `['encoder.rnn', 'weight_ih_l0']`. */
function splitName(name: string): [string, string] {
  const dot = name.lastIndexOf('.')
  return dot < 0 ? ['', name] : [name.slice(0, dot), name.slice(dot + 1)]
}

/** The tensors of each module, by prefix, in the order of the state dict. */
function groupsOf(stateDict: StateDict): Map<string, Map<string, ArrayLike>> {
  const groups: Map<string, Map<string, ArrayLike>> = new Map()
  for (const [name, tensor] of stateDict) {
    const [prefix, rest] = splitName(name)
    const group = groups.get(prefix) ?? new Map<string, ArrayLike>()
    groups.set(prefix, group.set(rest, tensor))
  }
  return groups
}

function recognise(prefix: string, group: ReadonlyMap<string, ArrayLike>): FoundModule {
  const lstm = recogniseLstm(group)
  if (lstm !== undefined) return { kind: 'lstm', prefix, lstm }
  const [rows, columns, ...more] = group.get('weight')?.shape ?? []
  const bias = group.get('bias')
  if (rows !== undefined && columns !== undefined && more.length === 0 && group.size === (bias ? 2 : 1)) {
    // A linear layer without bias looks like an embedding; names tell them apart better than nothing.
    const kind = bias === undefined && /emb/i.test(prefix) ? 'embedding' : 'linear'
    return { kind, prefix, shape: [rows, columns], bias: bias !== undefined }
  }
  return { kind: 'unknown', prefix, names: [...group.keys()] }
}

/** The settings of an LSTM whose tensors are exactly these, or undefined. */
function recogniseLstm(group: ReadonlyMap<string, ArrayLike>): LstmShape | undefined {
  const [gates, inputSize] = group.get('weight_ih_l0')?.shape ?? []
  if (gates === undefined || inputSize === undefined || gates % 4 !== 0) return undefined
  let numLayers = 1
  while (group.has(`weight_ih_l${numLayers}`)) numLayers++
  const shape: LstmShape = {
    inputSize,
    hiddenSize: gates / 4,
    numLayers,
    bidirectional: group.has('weight_ih_l0_reverse'),
    bias: group.has('bias_ih_l0'),
    projSize: group.get('weight_hr_l0')?.shape[0],
  }
  const tensors = lstmTensors(shape)
  const fits = tensors.length === group.size && tensors.every(({ name, shape: expected }) => {
    const found = group.get(name)
    return found !== undefined && formatShape(found.shape) === formatShape(expected)
  })
  return fits ? shape : undefined
}

/** How the lines that a message shows get a state dict: what they import, and the line that makes `tensors`. */
export interface ReadingLines {
  readonly name: string
  readonly from: string
  readonly line: string
}

const READING_SAFETENSORS: ReadingLines = { name: 'readSafetensors', from: 'lstm-wasm', line: 'const { tensors } = readSafetensors(bytes)' }

/**
 * A state dict that is one `torch.nn.LSTM` and nothing else, as a graph: input `input`
 * [batch, timesteps, features] and optional `h_0`, `c_0`; outputs `output`, `h_n`, `c_n`. One `torch.nn.LSTMCell` is
 * one step: see `graphOfCell`.
 *
 * @throws LstmError `UNSUPPORTED` for any other state dict: the message lists its tensors and shows
 *   the lines that would load it
 */
export function graphOfStateDict(stateDict: StateDict, reading: ReadingLines = READING_SAFETENSORS): Graph {
  const groups = [...groupsOf(stateDict)]
  const cell = groups.length === 1 ? graphOfCell(...groups[0] as [string, Map<string, ArrayLike>], stateDict) : undefined
  if (cell !== undefined) return cell
  const modules = groups.map(([prefix, group]) => recognise(prefix, group))
  const [found] = modules
  if (found?.kind !== 'lstm' || modules.length > 1) throw cannotGuess(stateDict, modules, reading)
  const { inputSize, hiddenSize, numLayers, bidirectional, projSize } = found.lstm
  const state = (size: number): Pick<GraphInput, 'dtype' | 'shape' | 'optional'> => ({
    dtype: 'float32', shape: [numLayers * (bidirectional ? 2 : 1), 'batch', size], optional: true,
  })
  return {
    inputs: [
      { name: 'input', dtype: 'float32', shape: ['batch', 'timesteps', inputSize] },
      { name: 'h_0', ...state(projSize ?? hiddenSize) },
      { name: 'c_0', ...state(hiddenSize) },
    ],
    outputs: ['output', 'h_n', 'c_n'].map((name) => ({ name, value: name })),
    nodes: [{
      name: found.prefix === '' ? 'lstm' : found.prefix,
      op: 'lstm',
      inputs: ['input', 'h_0', 'c_0'],
      outputs: ['output', 'h_n', 'c_n'],
      parameters: Object.fromEntries(lstmTensors(found.lstm).map(({ name, role }) => [role, joinName(found.prefix, name)])),
      attributes: {
        hiddenSize, numLayers, direction: bidirectional ? 'bidirectional' : 'forward', returnSequences: true,
        ...(projSize !== undefined && { projSize }),
      },
    }],
    constants: stateDict,
  }
}

function cannotGuess(stateDict: StateDict, modules: readonly FoundModule[], reading: ReadingLines): LstmError {
  const tensors = [...stateDict].map(([name, { dtype, shape }]) => `  ${name} ${dtype} ${formatShape(shape)}`)
  return new LstmError('UNSUPPORTED', [
    'this file holds weights, but not how they are connected (it is a plain state dict). Its tensors:',
    ...tensors,
    'Say what the layers are, in the order they run, and load the weights into them:',
    ...loadingLines(likelyOrder(modules), reading).map((line) => `  ${line}`),
  ].join('\n'))
}

/** Features a module takes and gives; undefined where it takes indices, or is not recognised. */
function widths(module: FoundModule): [from: number | undefined, to: number | undefined] {
  if (module.kind === 'unknown') return [undefined, undefined]
  if (module.kind === 'lstm') return [module.lstm.inputSize, (module.lstm.projSize ?? module.lstm.hiddenSize) * (module.lstm.bidirectional ? 2 : 1)]
  const [rows, columns] = module.shape
  return module.kind === 'embedding' ? [undefined, columns] : [columns, rows]
}

/**
 * The order in which modules probably run: files have them by name. Embeddings come before LSTMs and
 * these before linear layers, and each takes as many features as the one before it gives.
 */
function likelyOrder(modules: readonly FoundModule[]): FoundModule[] {
  const ranks = ['embedding', 'lstm', 'linear', 'unknown']
  const left = [...modules].sort((a, b) => ranks.indexOf(a.kind) - ranks.indexOf(b.kind))
  // The search below takes cubic time: a stranger's file may have any number of modules.
  if (left.length > MOST_ORDERED) return left
  const ordered: FoundModule[] = []
  let width: number | undefined
  while (left.length > 0) {
    const isFed = (module: FoundModule): boolean => left.some((other) => other !== module && widths(other)[1] === widths(module)[0])
    let next = width === undefined ? left.findIndex((module) => !isFed(module)) : left.findIndex((module) => widths(module)[0] === width)
    if (next < 0) next = 0
    const [module] = left.splice(next, 1) as [FoundModule]
    ordered.push(module)
    width = widths(module)[1]
  }
  return ordered
}

/** A name of a file as it may stand in JavaScript: whatever it holds, it ends where it should. */
function quote(name: string): string {
  return /^[\w. /-]*$/.test(name) ? `'${name}'` : JSON.stringify(name).replace(/[\u2028\u2029]/g, ' ')
}

function plain(name: string): string {
  return quote(name).replaceAll("'", '')
}

/** JavaScript that would load a state dict, were its modules to run one after the other. */
function loadingLines(modules: readonly FoundModule[], { name: reader, from, line }: ReadingLines): string[] {
  const used: Set<string> = new Set(['sequential'])
  const lstms = modules.filter((module) => module.kind === 'lstm')
  const layers = modules.map((module) => {
    const name = quote(module.prefix)
    if (module.kind === 'unknown') return `  // ${name}: ${module.names.map(plain).join(', ')} (not a layer this library recognises)`
    if (module.kind === 'lstm') {
      used.add('lstm')
      const { hiddenSize, numLayers, bidirectional, bias, projSize } = module.lstm
      const options = [
        `name: ${name}`,
        ...(numLayers > 1 ? [`numLayers: ${numLayers}`] : []),
        ...(bidirectional ? ['bidirectional: true'] : []),
        ...(bias ? [] : ['bias: false']),
        ...(projSize === undefined ? [] : [`projSize: ${projSize}`]),
        ...(module === lstms.at(-1) ? ['returnSequences: true /* or false: the last step only */'] : ['returnSequences: true']),
      ]
      return `  lstm(${hiddenSize}, { ${options.join(', ')} }),`
    }
    const [rows, columns] = module.shape
    if (module.kind === 'embedding') {
      used.add('embedding')
      return `  embedding(${rows}, ${columns}, { name: ${name} }),`
    }
    used.add('dense')
    return `  dense(${rows}, { name: ${name}${module.bias ? '' : ', bias: false'} }),`
  })
  return [
    `import { ${from === 'lstm-wasm' ? `compile, ${reader}` : 'compile'} } from 'lstm-wasm'`,
    ...(from === 'lstm-wasm' ? [] : [`import { ${reader} } from '${from}'`]),
    `import { ${[...used].sort().join(', ')} } from 'lstm-wasm/layers'`,
    line,
    'const net = sequential([',
    ...layers,
    ']).loadStateDict(tensors)',
    'const model = await compile(net)',
  ]
}
