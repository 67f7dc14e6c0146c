// Operators that onnxruntime's optimiser makes of several: https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
import type { Conversion } from '../conversion.ts'
import { groupQueryAttention } from './group-query-attention.ts'
import { microsoftAttention, multiHeadAttention } from './microsoft-attention.ts'

/** What comes after a product or a convolution: names of ONNX, and names and default constants of ours. */
const ACTIVATIONS: Readonly<Record<string, readonly [op: string, alpha?: number, beta?: number]>> = {
  Elu: ['elu', 1], HardSigmoid: ['hardSigmoid', 0.2, 0.5], LeakyRelu: ['leakyRelu', 0.01], Relu: ['relu'], Sigmoid: ['sigmoid'], Softplus: ['softplus'], Softsign: ['softsign'],
  Tanh: ['tanh'], ThresholdedRelu: ['thresholdedRelu', 1],
}

/** Adds the function `activation` with its constants, as the output. */
function activated(c: Conversion, value: string, constants: readonly (number | undefined)[]): void {
  const name = c.string('activation', '')
  const [first, second] = constants
  // Clip of a convolution: from the first constant to the second.
  if (name === 'Clip') return c.emitOutputs('clip', [value, c.scalar('min', first ?? -Infinity), c.scalar('max', second ?? Infinity)])
  if (name === 'HardSwish') return c.emitOutputs('hardSwish', [value])
  if (!Object.hasOwn(ACTIVATIONS, name)) throw c.unsupported(`the activation ${JSON.stringify(name)}`)
  const [op, alpha, beta] = ACTIVATIONS[name] as readonly [string, number?, number?]
  c.emitOutputs(op, [value], { alpha: alpha === undefined ? undefined : first ?? alpha, beta: beta === undefined ? undefined : second ?? beta })
}

function fusedGemm(c: Conversion): void {
  const constants = ['activation_alpha', 'activation_beta'].map((name) => (c.hasAttribute(name) ? c.float(name, 0) : undefined))
  const product = c.emit('gemm', c.inputs, c.attributes('activation', 'activation_alpha', 'activation_beta', 'activation_gamma'))
  activated(c, product, constants)
}

/** Inputs: x, weights, bias, and what is added before the activation. */
function fusedConv(c: Conversion): void {
  const convolved = c.emit('conv', c.inputs.slice(0, c.has(2) ? 3 : 2), c.attributes('activation', 'activation_params'))
  activated(c, c.has(3) ? c.emit('add', [convolved, c.input(3)]) : convolved, c.floats('activation_params') ?? [])
}

/** Whole stacks of matrices, each of which may be stored the other way, or have the first axis of the stack before the columns. */
function turned(c: Conversion, position: number, isTransposed: boolean, isBatchInside: boolean): string {
  const value = c.input(position)
  const rank = c.type(value).shape.length
  if (rank < 2 || (!isTransposed && !isBatchInside)) return value
  const axes = Array.from({ length: rank }, (_, axis) => axis)
  // [rows, batch.., columns] -> [batch.., rows, columns]
  const inside = isBatchInside ? [...axes.slice(1, -1), 0, rank - 1] : axes
  const perm = isTransposed ? [...inside.slice(0, -2), inside.at(-1) as number, inside.at(-2) as number] : inside
  return c.emit('transpose', [value], { perm })
}

function fusedMatMul(c: Conversion): void {
  c.onlyAttributes(['alpha', 'transA', 'transB', 'transBatchA', 'transBatchB'])
  const a = turned(c, 0, c.int('transA', 0) !== 0, c.int('transBatchA', 0) !== 0)
  const b = turned(c, 1, c.int('transB', 0) !== 0, c.int('transBatchB', 0) !== 0)
  const alpha = c.float('alpha', 1)
  if (alpha === 1) return c.emitOutputs('matMul', [a, b])
  c.emitOutputs('mul', [c.emit('matMul', [a, b]), c.scalar('alpha', alpha)])
}

/** x, or x + bias where there is one. */
function withBias(c: Conversion): string {
  return c.has(1) ? c.emit('add', [c.input(0), c.input(1)]) : c.input(0)
}

/** A gelu, exact or by tanh. */
function gelu(op: 'gelu' | 'geluTanh'): (c: Conversion) => void {
  return (c) => {
    c.onlyAttributes([])
    c.emitOutputs(op, [withBias(c)])
  }
}

/** x sigmoid(alpha x) */
function quickGelu(c: Conversion): void {
  c.onlyAttributes(['alpha'])
  const x = c.input(0)
  const alpha = Math.fround(c.float('alpha', 1.702))
  if (alpha === 1) return c.emitOutputs('silu', [x])
  c.emitOutputs('mul', [x, c.emit('sigmoid', [c.emit('mul', [x, c.scalar('alpha', alpha)])])])
}

/** onnxruntime's own default. */
const EPSILON = 1e-12
/** The position of the output that is the sum which is normalised. */
const SUM = 3

/** Normalises x + skip + bias. Inputs: x, skip, scale, then bias of the normalisation where it is centred, and what is added. */
function skipNormalization(op: 'layerNormalization' | 'rmsNormalization'): (c: Conversion) => void {
  return (c) => {
    c.onlyAttributes(['epsilon'])
    if (c.isNeeded(1) || c.isNeeded(2)) throw c.unsupported('the output of means or deviations')
    const added = op === 'layerNormalization' ? 4 : 3
    const sum = c.emit('add', [c.input(0), c.input(1)])
    const whole = c.has(added) ? c.emit('add', [sum, c.input(added)]) : sum
    c.alias(SUM, whole)
    const factors = c.inputs.slice(2, added)
    c.emit(op, [whole, ...factors], { axis: -1, epsilon: c.float('epsilon', EPSILON) }, [c.output(0)])
  }
}

/** Scale only: by the mean of squares. `SimplifiedLayerNormalization` stands among the standard operators. */
export function simplifiedLayerNormalization(c: Conversion): void {
  c.requireInt('stash_type', 1)
  c.onlyOutputs(1)
  c.emitOutputs('rmsNormalization', c.inputs, { axis: -1, ...c.attributes('stash_type') })
}

/** Words, their positions and segments looked up, added and normalised. Outputs: the result, how long rows are, the sum. */
function embedLayerNormalization(c: Conversion): void {
  c.onlyAttributes(['epsilon', 'mask_index_type'])
  if (c.has(7) || c.isNeeded(1)) throw c.unsupported('a mask')
  const words = c.input(0)
  const [table, positions, segments] = [2, 3, 4].map((position) => c.inputs[position] ?? '') as [string, string, string]
  const lookUp = (weights: string, indices: string): string => c.emit('gather', [weights, indices], { axis: 0 })
  const places = c.has(8) ? lookUp(positions, c.input(8)) : firstRows(c, positions, words)
  const sum = c.emit('add', [lookUp(table, words), places])
  const whole = segments === '' ? sum : c.emit('add', [sum, lookUp(segments, c.input(1))])
  c.alias(2, whole)
  c.emit('layerNormalization', [whole, c.input(5), c.input(6)], { axis: -1, epsilon: c.float('epsilon', EPSILON) }, [c.output(0)])
}

/** A row for each step of `words` [batch, steps]. */
function firstRows(c: Conversion, table: string, words: string): string {
  const steps = c.emit('shape', [words], { start: 1, end: 2 })
  return c.emit('slice', [table, c.integers('start', [0]), steps, c.integers('axes', [0])])
}

/** By name, without the domain `com.microsoft`. */
const OPERATORS: Readonly<Record<string, (c: Conversion) => void>> = {
  Attention: microsoftAttention,
  BiasGelu: gelu('gelu'),
  EmbedLayerNormalization: embedLayerNormalization,
  FastGelu: gelu('geluTanh'),
  FusedConv: fusedConv,
  FusedGemm: fusedGemm,
  FusedMatMul: fusedMatMul,
  Gelu: gelu('gelu'),
  GroupQueryAttention: groupQueryAttention,
  MultiHeadAttention: multiHeadAttention,
  QuickGelu: quickGelu,
  SkipLayerNormalization: skipNormalization('layerNormalization'),
  SkipSimplifiedLayerNormalization: skipNormalization('rmsNormalization'),
}

/** Operators of the domain `com.microsoft`, under their whole names. */
export const MICROSOFT_OPERATORS: readonly (readonly [name: string, convert: (c: Conversion) => void])[] = (
  Object.entries(OPERATORS).map(([name, convert]) => [`com.microsoft.${name}`, convert])
)

/** Layouts of one processor, in which onnxruntime writes convolutions at its highest level. */
const LAYOUTS = /^com\.microsoft\.nchwc\.|^com\.ms\.internal\.nhwc\.|^com\.microsoft\.Nhwc/

/** Whether an operator is of a layout that only the machine has on which a file was optimised. */
export function isOfOneMachine(name: string): boolean {
  return LAYOUTS.test(name)
}
