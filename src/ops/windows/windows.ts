// Windows that slide over one or two axes: what convolutions and pools have in common.
import { LstmError } from '../../errors.ts'
import { formatShape, type Dimension, type SymbolicShape } from '../../values/shape.ts'
import { switchOf, wordOf } from '../node/attributes.ts'
import { label } from '../node/checks.ts'
import { integersOf } from '../node/lists.ts'
import { freshSize } from '../node/sizes.ts'
import type { GraphNode } from '../graph-data.ts'
import { timeAxis, type TimeContext } from '../time/timing.ts'

/** Attributes every sliding window has. */
export const WINDOW_ATTRIBUTES: readonly string[] = ['kernelShape', 'strides', 'pads', 'autoPad', 'dilations', 'channelsLast']

/** Sizes along the one or two axes that windows slide over. */
export interface Windows {
  readonly kernel: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly channelsLast: boolean
  /** Padding before and after, where it is given: it does not depend on the length. */
  readonly pads: readonly number[]
  readonly autoPad: 'NOTSET' | 'SAME_UPPER' | 'SAME_LOWER' | 'VALID'
}

/** Kernels count positions in int32: sizes, pads and strides up to this leave room for their sums. */
const MOST_OF_WINDOW = 2 ** 28

/**
 * @param kernel the window's sizes where the weights tell them; `kernelShape` must agree
 * @throws LstmError `UNSUPPORTED` for windows that reach further than positions are counted
 */
export function readWindows(node: GraphNode, axes: number, kernel: readonly number[] | undefined): Windows {
  const each = (value: number): number[] => Array.from({ length: axes }, () => value)
  const given = node.attributes.kernelShape === undefined && kernel !== undefined ? kernel : integersOf(node, 'kernelShape', each(NaN), 1)
  if (kernel !== undefined && given.some((size, axis) => size !== kernel[axis])) {
    throw new LstmError('SHAPE', `${label(node)}: expected 'kernelShape' as in the weights, ${formatShape(kernel)}, got ${formatShape(given)}`)
  }
  const windows: Windows = {
    kernel: given,
    strides: integersOf(node, 'strides', each(1), 1),
    dilations: integersOf(node, 'dilations', each(1), 1),
    channelsLast: switchOf(node, 'channelsLast'),
    pads: integersOf(node, 'pads', [...each(0), ...each(0)], 0),
    autoPad: wordOf(node, 'autoPad', ['NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID']),
  }
  const reaches = given.map((_, axis) => reachOf(windows, axis))
  const largest = Math.max(...windows.strides, ...windows.dilations, ...windows.pads, ...reaches)
  if (largest > MOST_OF_WINDOW) {
    throw new LstmError('UNSUPPORTED', `${label(node)}: expected strides, dilations, pads and windows that reach no further than ${MOST_OF_WINDOW} elements, got ${largest}`)
  }
  return windows
}

/** Elements from the first to the last one of a window. */
export function reachOf({ kernel, dilations }: Windows, axis: number): number {
  return ((kernel[axis] as number) - 1) * (dilations[axis] as number) + 1
}

/** Padding before and after an axis of `size` elements. */
export function paddingOf(windows: Windows, axis: number, size: number): [before: number, after: number] {
  const { strides, pads, autoPad } = windows
  if (autoPad === 'NOTSET') return [pads[axis] as number, pads[axis + strides.length] as number]
  if (autoPad === 'VALID') return [0, 0]
  const stride = strides[axis] as number
  const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + reachOf(windows, axis) - size)
  const less = Math.floor(total / 2)
  return autoPad === 'SAME_UPPER' ? [less, total - less] : [total - less, less]
}

/**
 * How many windows there are along an axis. A length that is not known stays the same name where windows keep it, and gets a
 * name of its own otherwise.
 * @throws LstmError `SHAPE` where no window fits
 */
export function countWindows(node: GraphNode, windows: Windows, axis: number, size: Dimension, ceilMode: boolean = false): Dimension {
  const stride = windows.strides[axis] as number
  const reach = reachOf(windows, axis)
  const same = windows.autoPad === 'SAME_UPPER' || windows.autoPad === 'SAME_LOWER'
  if (typeof size === 'string') {
    const [before, after] = same ? [0, reach - 1] : paddingOf(windows, axis, 0)
    return stride === 1 && before + after === reach - 1 ? size : freshSize(node, axis)
  }
  if (same) return Math.ceil(size / stride)
  const [before, after] = paddingOf(windows, axis, size)
  const steps = (size + before + after - reach) / stride
  if (steps < 0) {
    throw new LstmError('SHAPE', `${label(node)}: a window of ${reach} does not fit ${size} elements with padding ${before} and ${after}`)
  }
  if (!ceilMode) return Math.floor(steps) + 1
  const count = Math.ceil(steps) + 1
  // A window that begins in the padding at the end is none.
  return (count - 1) * stride >= size + before ? count - 1 : count
}

/** Which axis holds the channels, and the sizes of the axes that windows slide over. */
export function splitShape<Size extends Dimension>(shape: readonly Size[], channelsLast: boolean): { batch: Size, channels: Size, sizes: readonly Size[] } {
  const batch = shape[0] as Size
  if (channelsLast) return { batch, channels: shape.at(-1) as Size, sizes: shape.slice(1, -1) }
  return { batch, channels: shape[1] as Size, sizes: shape.slice(2) }
}

export function joinShape<Size extends Dimension>(batch: Size, channels: Size, sizes: readonly Size[], channelsLast: boolean): Size[] {
  return channelsLast ? [batch, ...sizes, channels] : [batch, channels, ...sizes]
}

/** @throws LstmError unless there are one or two axes besides batch and channels */
export function requireWindowed(node: GraphNode, shape: SymbolicShape, channelsLast: boolean): void {
  if (shape.length === 3 || shape.length === 4) return
  const expected = channelsLast ? '[batch, length, channels] or [batch, height, width, channels]' : '[batch, channels, length] or [batch, channels, height, width]'
  throw new LstmError('SHAPE', `${label(node)}: expected ${expected}, got ${formatShape(shape)}`)
}

/** One axis as two: the first of them has the value that changes nothing. */
export function twoAxes(values: readonly number[], absent: number): [number, number] {
  return values.length === 1 ? [absent, values[0] as number] : values as [number, number]
}

/** Sizes of windows over two axes, as kernels take them. */
type Geometry = Readonly<Record<
  'height' | 'width' | 'outHeight' | 'outWidth' | 'windowHeight' | 'windowWidth' | 'strideRows' | 'strideColumns' | 'dilationRows' | 'dilationColumns'
  | 'padTop' | 'padLeft', number
>>

/**
 * Sizes of windows over an array of `sizes`, as kernels take them: over two axes, with those of one axis as the second.
 * @param counts how many windows there are along each axis
 */
export function geometryOf(windows: Windows, sizes: readonly number[], counts: readonly number[]): Geometry {
  const [height, width] = twoAxes(sizes, 1)
  const [outHeight, outWidth] = twoAxes(counts, 1)
  const [windowHeight, windowWidth] = twoAxes(windows.kernel, 1)
  const [strideRows, strideColumns] = twoAxes(windows.strides, 1)
  const [dilationRows, dilationColumns] = twoAxes(windows.dilations, 1)
  const [padTop, padLeft] = twoAxes(sizes.map((size, axis) => paddingOf(windows, axis, size)[0]), 0)
  return { height, width, outHeight, outWidth, windowHeight, windowWidth, strideRows, strideColumns, dilationRows, dilationColumns, padTop, padLeft }
}

/** The windows of a node, and which of their axes the timesteps are; undefined where they are batch or channels. */
export function windowsOverTime(node: GraphNode, context: TimeContext, kernel: readonly number[] | undefined): { windows: Windows, over: number } | undefined {
  const rank = context.shape(0)?.length as number
  const windows = readWindows(node, rank - 2, kernel)
  const over = timeAxis(context) as number - (windows.channelsLast ? 1 : 2)
  return over < 0 || over >= rank - 2 ? undefined : { windows, over }
}
