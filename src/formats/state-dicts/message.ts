// The error for a state dict that is not one recurrent module and nothing else: its tensors, and the way on.
import { LstmError } from '../../errors.ts'
import type { ArrayLike } from '../../values/ndarray.ts'
import { formatShape } from '../../values/shape.ts'
import { joinName, type StateDict } from '../pytorch-names.ts'
import { loadingLines, type LayerLine, type Reading } from './lines.ts'
import { groupsOf, isRecurrent, recognise, type FoundModule } from './modules.ts'
import { quote } from './quote.ts'

/** Tensors of no layer, and layers without a word here, that a message names. */
const MOST_IGNORED = 100
const MOST_NAMED = 20
/** Bytes of a message; a longer one would lose its middle, and with it code. */
const MOST_BYTES = 3900
/** Bytes of lines of code, so that some tensors are listed, too. */
const MOST_LINE_BYTES = 3000

/** What to do about PyTorch models that `lstm-wasm/layers` cannot describe. */
export const EXPORT_FROM_PYTORCH: readonly string[] = [
  'Export the model as ONNX where it was trained, with an example of its input, and load that file:',
  "  torch.onnx.export(model.eval(), (example,), 'model.onnx', input_names=['input'], dynamic_axes={'input': {0: 'batch', 1: 'timesteps'}}, dynamo=False)",
]

/** @returns the error, `UNSUPPORTED`; the lines that load the file are the last of its message */
export function cannotGuess(
  stateDict: StateDict, reading: Reading, what: string = 'this file holds weights, but not how they are connected (it is a plain state dict). Its tensors:',
): LstmError {
  return new LstmError('UNSUPPORTED', messageOf(what, stateDict, wayOn(stateDict, reading)))
}

const bytesOf = (text: string): number => new TextEncoder().encode(text).length

/** Whether lines of code are few enough for a message. */
export function fits(lines: readonly string[]): boolean {
  return bytesOf(lines.join('\n')) <= MOST_LINE_BYTES
}

/** What is wrong; names, dtypes and shapes of tensors, one a line, as many as there is room for; what to do. */
export function messageOf(what: string, tensors: ReadonlyMap<string, ArrayLike>, wayOn: readonly string[]): string {
  const lines = [what]
  let bytes = bytesOf([what, ...wayOn].join('\n')) + 40
  let listed = 0
  for (const [name, { dtype, shape }] of tensors) {
    const line = `  ${name} ${dtype} ${formatShape(shape)}`
    bytes += bytesOf(line) + 1
    if (bytes > MOST_BYTES) break
    lines.push(line)
    listed++
  }
  if (listed < tensors.size) lines.push(`  and ${tensors.size - listed} more`)
  return [...lines, ...wayOn].join('\n')
}

/** What to do: lines that load the tensors, or why there are none and what to do then. */
export function wayOn(stateDict: StateDict, reading: Reading): string[] {
  const modules = [...groupsOf(stateDict)].map(([prefix, group]) => recognise(prefix, group))
  const foreign = modules.flatMap((module) => (module.kind === 'foreign' ? [`${quote(module.prefix)} is ${module.what}`] : []))
  if (foreign.length > 0) {
    const named = [...foreign.slice(0, MOST_NAMED), ...(foreign.length > MOST_NAMED ? [`and ${foreign.length - MOST_NAMED} more`] : [])]
    return [`lstm-wasm/layers cannot describe it: ${named.join(', ')}.`, ...reading.otherwise]
  }
  const loose = modules.flatMap((module) => (module.kind === 'loose' ? module.names.map((name) => joinName(module.prefix, name)) : []))
  const names: [string, string][] = []
  // A module without a name of its own.
  const nameOf = (prefix: string): string => {
    if (prefix !== '') return prefix
    let name = 'main'
    while (modules.some((module) => module.prefix === name)) name += '_'
    names.push([name, ''])
    return name
  }
  let why: string | undefined
  for (const variant of variantsOf(modules)) {
    names.length = 0
    const layers = variant.flatMap((module) => (module.kind === 'foreign' || module.kind === 'loose' ? [] : [lineOf(module, nameOf(module.prefix), reading)]))
    const lines = loose.length > MOST_IGNORED ? 'it has more tensors of no layer than a message holds' : loadingLines(layers, reading, loose, names)
    why ??= typeof lines === 'string' ? lines : undefined
    if (typeof lines === 'string') continue
    if (!fits(lines)) return ['lstm-wasm/layers can describe it, in more lines than a message holds.', ...reading.otherwise]
    return ['Say what the layers are, in the order they run, and load the weights into them:', ...lines.map((line) => `  ${line}`)]
  }
  return [`lstm-wasm/layers cannot describe it: ${layerless(modules) ? 'there is no layer in it' : why ?? ''}.`, ...reading.otherwise]
}

function layerless(modules: readonly FoundModule[]): boolean {
  return modules.every(({ kind }) => kind === 'loose')
}

/**
 * A table is a linear layer without bias, or an embedding: names may mislead, sizes tell then. And a convolution of one feature may be one
 * of every feature by itself.
 */
function* variantsOf(modules: readonly FoundModule[]): Generator<readonly FoundModule[]> {
  yield modules
  const tables = modules.filter((module) => (module.kind === 'linear' || module.kind === 'embedding') && !module.bias)
  for (const table of tables.slice(0, MOST_NAMED)) {
    yield modules.map((module) => (module === table ? { ...module, kind: module.kind === 'linear' ? 'embedding' : 'linear' } as FoundModule : module))
  }
  for (const single of modules.filter((module) => module.kind === 'conv' && module.shape[1] === 1 && module.shape[0] > 1).slice(0, MOST_NAMED)) {
    yield modules.map((module) => (module === single && module.kind === 'conv' ? { ...module, groups: module.shape[0] } : module))
  }
}

/** A number, or one in a list; or a padding by its name. */
function windowSetting(value: unknown): number | string | undefined {
  const single: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value
  return typeof single === 'number' || single === 'same' || single === 'valid' ? single : undefined
}

/** The function that describes a recurrent module, and what it is where it is a cell. */
const RECURRENT_LINES = { lstm: ['lstm', 'an LSTMCell'], gru: ['gru', 'a GRUCell'], rnn: ['simpleRnn', 'an RNNCell'] } as const

function lineOf(module: Exclude<FoundModule, { kind: 'foreign' | 'loose' }>, name: string, { resetBefore, settings }: Reading): LayerLine {
  const { prefix } = module
  const known = settings?.get(prefix)
  if (isRecurrent(module)) {
    const { inputSize, hiddenSize, numLayers, bidirectional, bias, projSize } = module.shape
    const [uses, cell] = RECURRENT_LINES[module.kind]
    const relu = known?.get('mode') === 'RNN_RELU' || known?.get('nonlinearity') === 'relu'
    const comments = [
      ...(module.isCell ? [`${cell}, run over all timesteps; ${module.kind}Cell is one step`] : []),
      ...(!module.isCell && known?.get('batch_first') === false ? ['batch_first=False there; [batch, timesteps, features] here'] : []),
      ...(uses === 'simpleRnn' && known === undefined ? ["its function is not in the file: tanh, unless activation: 'relu' is added"] : []),
    ]
    const options = [
      `name: ${quote(name)}`,
      ...(numLayers > 1 ? [`numLayers: ${numLayers}`] : []),
      ...(bidirectional ? ['bidirectional: true'] : []),
      ...(bias ? [] : ['bias: false']),
      ...(projSize === undefined ? [] : [`projSize: ${projSize}`]),
      ...(resetBefore?.has(prefix) === true ? ['resetAfter: false'] : []),
      ...(relu ? ["activation: 'relu'"] : []),
      'returnSequences: true',
    ]
    return {
      name: prefix, prefix, kind: 'recurrent', uses, from: inputSize, to: (projSize ?? hiddenSize) * (bidirectional ? 2 : 1),
      code: `${uses}(${hiddenSize}, { ${options.join(', ')} })`, comment: comments.join('; ') || undefined,
    }
  }
  if (module.kind === 'norm') {
    const { norm, features, affine } = module
    const epsilon = known?.get('eps')
    const comment = typeof epsilon === 'number' ? undefined : `epsilon is not in the file${norm === 'layerNorm' ? '; a GroupNorm has the same tensors, and is none' : ''}`
    const code = `${norm}({ name: ${quote(name)}, epsilon: ${typeof epsilon === 'number' ? epsilon : '1e-5'}${affine ? '' : ', affine: false'} })`
    return { name: prefix, prefix, kind: 'norm', uses: norm, from: features, to: features, code, comment }
  }
  if (module.kind === 'conv') {
    const { shape: [filters, channels, taps], bias } = module
    const [stride = 1, padding = 0, dilation = 1] = ['stride', 'padding', 'dilation'].map((word) => windowSetting(known?.get(word)))
    const groups = Number(known?.get('groups') ?? module.groups)
    const more = `${groups > 1 ? `, groups: ${groups}` : ''}${bias ? '' : ', bias: false'}`
    return {
      name: prefix, prefix, kind: 'conv', uses: 'conv1d', from: channels * groups, to: filters,
      code: `conv1d(${filters}, ${taps}, { name: ${quote(name)}, stride: ${stride}, padding: ${typeof padding === 'string' ? `'${padding}'` : padding}, dilation: ${dilation}${more} })`,
      comment: known?.has('stride') !== true ? 'stride, padding and dilation are not in the file; over [batch, timesteps, features]' : 'over [batch, timesteps, features]',
    }
  }
  const [rows, columns] = module.shape
  return module.kind === 'embedding'
    ? { name: prefix, prefix, kind: 'embedding', uses: 'embedding', from: undefined, to: columns, code: `embedding(${rows}, ${columns}, { name: ${quote(name)} })` }
    : { name: prefix, prefix, kind: 'linear', uses: 'dense', from: columns, to: rows, code: `dense(${rows}, { name: ${quote(name)}${module.bias ? '' : ', bias: false'} })` }
}
