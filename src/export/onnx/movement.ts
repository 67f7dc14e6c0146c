// Elements moved, chosen and counted, in operators of ONNX.
import { resolveAxis } from '../../ops/node/attributes.ts'
import { NdArray } from '../../values/ndarray.ts'
import { rawElements } from './elements.ts'
import type { AttributeMessage, OnnxType } from './messages.ts'
import type { NodeExport, NodeWriter } from './node-export.ts'

/** Attributes that a file has under the same meaning, by their names there. */
const renamed = (c: NodeExport, names: Readonly<Record<string, string>>): Record<string, AttributeMessage | undefined> => (
  Object.fromEntries(Object.entries(names).map(([theirs, ours]) => {
    const value = c.attribute(ours)
    return [theirs, typeof value === 'boolean' ? Number(value) : value]
  }))
)

/** The first input moved as int64 lists say. */
const withLists = (op: string, names: Readonly<Record<string, string>> = {}): NodeWriter => (c) => {
  const { name, type } = c.input(0)
  c.emitOutput(op, [name, ...c.node.inputs.slice(1).map((_, n) => c.as(n + 1, 'int64'))], renamed(c, names), type)
}

/** Indices of 32 or 64 bits. */
const indices = (c: NodeExport, position: number): string => c.as(position, c.input(position).type === 'int64' ? 'int64' : 'int32')

const concat: NodeWriter = (c) => {
  const positions = c.node.inputs.map((_, n) => n)
  const type = c.common(...positions)
  c.emitOutput('Concat', positions.map((n) => c.as(n, type)), renamed(c, { axis: 'axis' }), type)
}

const split: NodeWriter = (c) => {
  const { name, type } = c.input(0)
  const outputs = c.node.outputs.map((_, n) => c.output(n, type) || c.emission.file.names.unused(`${c.node.name}.${n}`))
  const hasSizes = c.has(1)
  c.emission.emitNode('Split', [name, c.as(1, 'int64')], { axis: Number(c.attribute('axis') ?? 0), num_outputs: hasSizes ? undefined : outputs.length }, outputs)
}

const pad: NodeWriter = (c) => {
  const { name, type } = c.input(0)
  c.emitOutput('Pad', [name, c.as(1, 'int64'), c.scalar(2, type), c.as(3, 'int64')], renamed(c, { mode: 'mode' }), type)
}

const scatter = (op: string, indexType: (c: NodeExport) => string): NodeWriter => (c) => {
  const type = c.common(0, 2)
  c.emitOutput(op, [c.as(0, type), indexType(c), c.as(2, type)], renamed(c, { axis: 'axis', reduction: 'reduction' }), type)
}

const where: NodeWriter = (c) => {
  const type = c.common(1, 2)
  c.emitOutput('Where', [c.as(0, 'bool'), c.as(1, type), c.as(2, type)], {}, type)
}

/** onnxruntime has it for float32 values and int64 indices. */
const oneHot: NodeWriter = (c) => {
  const axis = Number(c.attribute('axis') ?? -1)
  const inputs = [c.as(0, 'int64'), c.as(1, 'int64'), c.as(2, 'float32')]
  const { dtype } = c.type(2)
  if (dtype === 'float32') return c.emitOutput('OneHot', inputs, { axis })
  c.alias({ name: c.emission.cast({ name: c.emit('OneHot', inputs, { axis }), type: 'float32' }, dtype), type: dtype })
}

const constantOfShape: NodeWriter<{ readonly value: number, readonly dtype: 'float32' | 'int32' | 'uint8' }> = (c) => {
  const { value, dtype } = c.settings
  const { data } = dtype === 'float32' ? { data: Float32Array.of(value) } : dtype === 'int32' ? { data: Int32Array.of(value) } : { data: Uint8Array.of(value) }
  c.emitOutput('ConstantOfShape', [c.as(0, 'int64')], { value: { tensor: { name: '', dims: [1], type: dtype, raw: rawElements(data, dtype) } } })
}

/** `open` is the axis whose size is what is left over. */
const reshape: NodeWriter = (c) => {
  const { name, type } = c.input(0)
  const open = c.attribute('open') as number | undefined
  const target = c.value(1)
  let shape = c.as(1, 'int64')
  if (open !== undefined && open >= 0) {
    if (target === undefined) throw c.unsupported("its attribute 'open' with sizes that are computed")
    shape = c.integers('sizes', Array.from(target.data, (size, axis) => (axis === open ? -1 : size)))
  }
  c.emitOutput('Reshape', [name, shape], renamed(c, { allowzero: 'allowzero' }), type)
}

const reverseSequence: NodeWriter = (c) => {
  const { name, type } = c.input(0)
  c.emitOutput('ReverseSequence', [name, c.as(1, 'int64')], renamed(c, { batch_axis: 'batchAxis', time_axis: 'timeAxis' }), type)
}

const range: NodeWriter = (c) => {
  const type: OnnxType = c.common(0, 1, 2)
  c.emitOutput('Range', [0, 1, 2].map((n) => c.scalar(n, type)), {}, type)
}

const gather = (op: string): NodeWriter => (c) => {
  const { name, type } = c.input(0)
  c.emitOutput(op, [name, indices(c, 1)], { axis: Number(c.attribute('axis') ?? 0) }, type)
}

/** Values and positions, which are int64. */
const topK: NodeWriter = (c) => {
  const { name, type } = c.input(0)
  // Both outputs have names, wanted or not.
  const outputs = [c.output(0, type) || c.emission.file.names.unused(`${c.node.name}.values`), c.output(1, 'int64') || c.emission.file.names.unused(`${c.node.name}.positions`)]
  c.emission.emitNode('TopK', [name, c.emit('Reshape', [c.as(1, 'int64'), c.integers('one', [1])])], renamed(c, { axis: 'axis', largest: 'largest', sorted: 'sorted' }), outputs)
}

/** The axis of a running sum, without any axis of its own. */
const cumSum: NodeWriter = (c) => {
  const { name, type } = c.input(0)
  const axis = c.constant('axis', new NdArray(Int32Array.of(resolveAxis(c.node, c.value(1)?.data[0] as number, c.rank(0))), []), 'int64')
  c.emitOutput('CumSum', [name, axis], renamed(c, { exclusive: 'exclusive', reverse: 'reverse' }), type)
}

const argument = (op: string): NodeWriter => (c) => (
  c.emitOutput(op, [c.any(0)], renamed(c, { axis: 'axis', keepdims: 'keepdims', select_last_index: 'selectLastIndex' }), 'int64')
)

export const MOVEMENT: Readonly<Record<string, NodeWriter<never>>> = {
  concat, split, pad, where, oneHot, constantOfShape, reshape, reverseSequence, range, topK, cumSum,
  argMax: argument('ArgMax'), argMin: argument('ArgMin'),
  gather: gather('Gather'), gatherElements: gather('GatherElements'),
  gatherNd(c: NodeExport) {
    const { name, type } = c.input(0)
    c.emitOutput('GatherND', [name, c.as(1, 'int64')], renamed(c, { batch_dims: 'batchDims' }), type)
  },
  scatterElements: scatter('ScatterElements', (c) => indices(c, 1)), scatterNd: scatter('ScatterND', (c) => c.as(1, 'int64')),
  shape: (c: NodeExport) => c.emitOutput('Shape', [c.any(0)], renamed(c, { start: 'start', end: 'end' }), 'int64'),
  size: (c: NodeExport) => c.emitOutput('Size', [c.any(0)], {}, 'int64'),
  expand: withLists('Expand'), slice: withLists('Slice'), squeeze: withLists('Squeeze'), unsqueeze: withLists('Unsqueeze'), tile: withLists('Tile'),
  trilu(c: NodeExport) {
    const { name, type } = c.input(0)
    c.emitOutput('Trilu', [name, c.scalar(1, 'int64')], renamed(c, { upper: 'upper' }), type)
  },
  transpose: withLists('Transpose', { perm: 'perm' }), flatten: withLists('Flatten', { axis: 'axis' }),
}
