// Products, reductions and normalisations, in operators of ONNX.
import type { ArrayLike } from '../../values/ndarray.ts'
import { transposed } from '../turned.ts'
import type { AttributeMessage } from './messages.ts'
import type { Attributes, NodeExport, NodeWriter } from './node-export.ts'

/** x W^T + b: a Gemm of two axes, else a product with the turned weight. */
const linear: NodeWriter = (c) => {
  const bias = c.weight('bias') === undefined ? '' : c.weightName('bias')
  if (c.rank(0) === 2) return c.emitOutput('Gemm', [c.any(0), c.weightName('weight'), bias], { transB: 1 })
  const turned = c.emission.file.turned(c.weight('weight') as ArrayLike, transposed)
  const inputs = [c.any(0), c.constant('weight', turned)]
  if (bias === '') c.emitOutput('MatMul', inputs)
  else c.emitOutput('Add', [c.emit('MatMul', inputs), bias])
}

const float = (value: unknown, absent: number): AttributeMessage => ({ float: Number(value ?? absent) })
const flag = (value: unknown, absent: number): number => Number(value ?? absent)

const gemm: NodeWriter = (c) => {
  const { alpha, beta, transA, transB } = c.node.attributes
  c.emitOutput('Gemm', [0, 1, 2].map((n) => c.as(n, 'float32')), { alpha: float(alpha, 1), beta: float(beta, 1), transA: flag(transA, 0), transB: flag(transB, 0) })
}

const reduction = (op: string): NodeWriter => (c) => {
  const { name, type } = c.input(0)
  const { keepdims, noopWithEmptyAxes } = c.node.attributes
  const inputs = [name, c.as(1, 'int64')]
  // With no axes, ONNX does not even take roots or squares where nothing is reduced; ours do.
  const isNoop = flag(noopWithEmptyAxes, 0) === 1 && (!c.has(1) || c.value(1)?.data.length === 0)
  if (!isNoop) return c.emitOutput(op, inputs, { keepdims: flag(keepdims, 1) }, type)
  const unit = c.emit('Unsqueeze', [name, c.integers('axis', [0])])
  c.emitOutput(op, [unit, c.integers('axis', [0])], { keepdims: 0 }, type)
}

const alongAxis = (op: string): NodeWriter<number> => (c) => c.emitOutput(op, [c.any(0)], { axis: c.settings })

const layerNormalization: NodeWriter<{ readonly given: number, readonly epsilon: number }> = (c) => {
  c.emitOutput('LayerNormalization', [0, 1, 2].map((n) => c.as(n, 'float32')), { axis: c.settings.given, epsilon: { float: c.settings.epsilon } })
}

/** x / sqrt(mean(x^2) + epsilon) * scale: an operator of its own since opset 23 only. */
const rmsNormalization: NodeWriter<{ readonly given: number, readonly epsilon: number }> = (c) => {
  const { given, epsilon } = c.settings
  const x = c.any(0)
  const first = given < 0 ? given + c.rank(0) : given
  const axes = c.integers('axes', Array.from({ length: c.rank(0) - first }, (_, n) => first + n))
  const mean = c.emit('ReduceMean', [c.emit('Mul', [x, x]), axes], { keepdims: 1 })
  const normal = c.emit('Div', [x, c.emit('Sqrt', [c.emit('Add', [mean, c.number('epsilon', epsilon)])])])
  c.emitOutput('Mul', [normal, c.as(1, 'float32')])
}

/** The orders of axes that bring the channels from the last place to the second one, and back. */
export function channelMoves(rank: number): { readonly first: number[], readonly last: number[] } {
  const windows = Array.from({ length: rank - 2 }, (_, n) => n + 1)
  return { first: [0, rank - 1, ...windows], last: [0, ...windows.map((n) => n + 1), 1] }
}

/** Adds a node whose input and output have the channels second, for one of ours that may have them last. */
export function withChannelsSecond(c: NodeExport, channelsLast: boolean, op: string, others: readonly string[], attributes: Attributes): void {
  const rank = c.rank(0)
  if (!channelsLast || rank === 2) return c.emitOutput(op, [c.any(0), ...others], attributes)
  const { first, last } = channelMoves(rank)
  const turned = c.emit('Transpose', [c.any(0)], { perm: first })
  c.emitOutput('Transpose', [c.emit(op, [turned, ...others], attributes)], { perm: last })
}

const batchNormalization: NodeWriter<{ readonly epsilon: number, readonly channelsLast: boolean }> = (c) => {
  const { epsilon, channelsLast } = c.settings
  withChannelsSecond(c, channelsLast, 'BatchNormalization', [1, 2, 3, 4].map((n) => c.as(n, 'float32')), { epsilon: { float: epsilon } })
}

const REDUCTIONS = ['L1', 'L2', 'LogSum', 'LogSumExp', 'Max', 'Mean', 'Min', 'Prod', 'Sum', 'SumSquare']

export const PRODUCTS: Readonly<Record<string, NodeWriter<never>>> = {
  linear, gemm, layerNormalization, rmsNormalization, batchNormalization,
  matMul: (c: NodeExport) => c.emitOutput('MatMul', [c.as(0, 'float32'), c.as(1, 'float32')]),
  embedding: (c: NodeExport) => c.emitOutput('Gather', [c.weightName('weight'), c.any(0)], { axis: 0 }),
  softmax: alongAxis('Softmax'), logSoftmax: alongAxis('LogSoftmax'),
  ...Object.fromEntries(REDUCTIONS.map((name) => [`reduce${name}`, reduction(`Reduce${name}`)])),
}
