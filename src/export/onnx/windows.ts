// Sliding windows, in operators of ONNX.
import { paddingOf, reachOf, readWindows, splitShape, type Windows } from '../../ops/windows/windows.ts'
import { NdArray } from '../../values/ndarray.ts'
import { lengthOf, type Dimension } from '../../values/shape.ts'
import type { AttributeMessage } from './messages.ts'
import { channelMoves, withChannelsSecond } from './products.ts'
import type { NodeExport, NodeWriter } from './node-export.ts'

/** Sizes along the axes of windows. */
function sizesOf(c: NodeExport, { channelsLast }: Windows): readonly Dimension[] {
  return splitShape<Dimension>(c.shape(0), channelsLast).sizes
}

/** Padding as numbers wherever it does not depend on a size that is not known: onnxruntime refuses SAME with dilations. */
function paddingAttributes(c: NodeExport, windows: Windows): Record<string, AttributeMessage | undefined> {
  const { autoPad, strides, pads } = windows
  if (autoPad === 'NOTSET') return { pads }
  if (autoPad === 'VALID') return {}
  const sizes = sizesOf(c, windows)
  const known = sizes.map((size, axis) => (typeof size === 'number' ? size : strides[axis] === 1 ? reachOf(windows, axis) : undefined))
  if (known.includes(undefined)) return { auto_pad: autoPad }
  const both = known.map((size, axis) => paddingOf(windows, axis, size as number))
  return { pads: [...both.map(([before]) => before), ...both.map(([, after]) => after)] }
}

const windowAttributes = (c: NodeExport, windows: Windows): Record<string, AttributeMessage | undefined> => ({
  kernel_shape: windows.kernel, strides: windows.strides, dilations: windows.dilations, ...paddingAttributes(c, windows),
})

const convolution: NodeWriter<number> = (c) => {
  const kernel = c.shape(1).slice(2) as readonly number[]
  const windows = readWindows(c.node, kernel.length, kernel)
  withChannelsSecond(c, windows.channelsLast, 'Conv', [c.as(1, 'float32'), c.as(2, 'float32')], { ...windowAttributes(c, windows), group: c.settings })
}

/** What it is padded by is said of the result, so that it is written as it is. */
const transposedConvolution: NodeWriter<number> = (c) => {
  const kernel = c.shape(1).slice(2) as readonly number[]
  const windows = readWindows(c.node, kernel.length, kernel)
  const { outputPadding, outputShape } = c.node.attributes as { readonly outputPadding?: readonly number[], readonly outputShape?: readonly number[] }
  withChannelsSecond(c, windows.channelsLast, 'ConvTranspose', [c.as(1, 'float32'), c.as(2, 'float32')], {
    kernel_shape: windows.kernel, strides: windows.strides, dilations: windows.dilations, group: c.settings,
    output_padding: outputPadding, output_shape: outputShape,
    ...(windows.autoPad === 'NOTSET' ? { pads: outputShape === undefined ? windows.pads : undefined } : { auto_pad: windows.autoPad }),
  })
}

/**
 * Padding at the ends by which windows that reach past them fit, instead of `ceil_mode`, of which onnx and onnxruntime have different notions
 * where a window begins in the padding. Of means it would change what they are divided by.
 */
function paddedForCeil(c: NodeExport, windows: Windows): readonly number[] | undefined {
  const sizes = sizesOf(c, windows)
  const counts = splitShape<Dimension>(c.emission.typeOf(c.node.outputs[0] as string).shape, windows.channelsLast).sizes
  const pads = sizes.map((size, axis): [before: number, after: number] => {
    const count = counts[axis]
    if (typeof size === 'string' || typeof count !== 'number') return [NaN, NaN]
    const [before] = paddingOf(windows, axis, size)
    const after = Math.max(0, (count - 1) * (windows.strides[axis] as number) + reachOf(windows, axis) - size - before)
    return [before, after < reachOf(windows, axis) ? after : NaN]
  })
  const list = [...pads.map(([before]) => before), ...pads.map(([, after]) => after)]
  return list.some(Number.isNaN) ? undefined : list
}

const pool = (op: string): NodeWriter<{ readonly ceilMode: boolean, readonly countPad: boolean }> => (c) => {
  const windows = readWindows(c.node, c.rank(0) - 2, undefined)
  const padded = c.settings.ceilMode && op === 'MaxPool' ? paddedForCeil(c, windows) : undefined
  withChannelsSecond(c, windows.channelsLast, op, [], {
    ...windowAttributes(c, windows), ...(padded === undefined ? { ceil_mode: Number(c.settings.ceilMode) } : { auto_pad: undefined, pads: padded }),
    count_include_pad: op === 'AveragePool' ? Number(c.settings.countPad) : undefined,
  })
}

/** Sums of windows: a convolution with ones of each channel, which is a batch row of its own. */
const sumPool: NodeWriter<{ readonly ceilMode: boolean }> = (c) => {
  const windows = readWindows(c.node, c.rank(0) - 2, undefined)
  const padded = c.settings.ceilMode ? paddedForCeil(c, windows) : undefined
  if (c.settings.ceilMode && padded === undefined) throw c.unsupported('ceilMode with sizes that are not known')
  const shape = [1, 1, ...windows.kernel]
  const ones = c.constant('ones', new NdArray(new Float32Array(lengthOf(shape)).fill(1), shape))
  const { first, last } = channelMoves(c.rank(0))
  const x = windows.channelsLast ? c.emit('Transpose', [c.any(0)], { perm: first }) : c.any(0)
  const apart = c.emit('Reshape', [x, c.integers('apart', [-1, 1, ...windows.kernel.map(() => 0)])])
  const sums = c.emit('Conv', [apart, ones], { ...windowAttributes(c, windows), ...(padded && { auto_pad: undefined, pads: padded }) })
  const together = [sums, c.emit('Concat', [c.emit('Shape', [x], { end: 2 }), c.emit('Shape', [sums], { start: 2 })], { axis: 0 })]
  if (windows.channelsLast) c.emitOutput('Transpose', [c.emit('Reshape', together)], { perm: last })
  else c.emitOutput('Reshape', together)
}

const globalPool = (op: string): NodeWriter<boolean> => (c) => {
  if (!c.settings) return c.emitOutput(op, [c.any(0)])
  const { first, last } = channelMoves(c.rank(0))
  c.emitOutput('Transpose', [c.emit(op, [c.emit('Transpose', [c.any(0)], { perm: first })])], { perm: last })
}

const resize: NodeWriter<{ readonly scales: readonly number[] | undefined, readonly axes: readonly number[] | undefined }> = (c) => {
  const { scales, axes } = c.settings
  const { mode, coordinateTransformationMode, nearestMode, cubicCoeffA } = c.node.attributes as Readonly<Record<string, string | number | undefined>>
  const given = scales === undefined ? '' : c.constant('scales', { dtype: 'float32', shape: [scales.length], data: Float32Array.from(scales) })
  c.emitOutput('Resize', [c.any(0), '', given, c.as(1, 'int64')], {
    axes, mode, coordinate_transformation_mode: coordinateTransformationMode, nearest_mode: nearestMode,
    cubic_coeff_a: cubicCoeffA === undefined ? undefined : { float: Number(cubicCoeffA) },
  })
}

export const WINDOW_WRITERS: Readonly<Record<string, NodeWriter<never>>> = {
  conv: convolution, convTranspose: transposedConvolution, maxPool: pool('MaxPool'), averagePool: pool('AveragePool'), sumPool,
  globalMaxPool: globalPool('GlobalMaxPool'), globalAveragePool: globalPool('GlobalAveragePool'), resize,
  instanceNormalization: (c: NodeExport<number>) => (
    c.emitOutput('InstanceNormalization', [0, 1, 2].map((n) => c.as(n, 'float32')), { epsilon: { float: c.settings } })
  ),
}
