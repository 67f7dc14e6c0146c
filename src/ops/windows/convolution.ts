import { ProductCall } from '../../contract/products/gemm.ts'
import { ConvolveCall } from '../../contract/windows/convolve.ts'
import { LstmError } from '../../errors.ts'
import type { RecordValues } from '../../values/record.ts'
import { formatShape, lengthOf, type Dimension, type Shape, type SymbolicShape } from '../../values/shape.ts'
import { integerOf, switchOf } from '../node/attributes.ts'
import { hasInput, label, requireInput } from '../node/checks.ts'
import { freshSize, knownLength } from '../node/sizes.ts'
import type { GraphNode } from '../graph-data.ts'
import type { InferenceContext, Operator, Packer, Planner, Slot } from '../operator.ts'
import type { PackedMatrices } from '../products/dense.ts'
import type { MatrixInputs, MatrixLayout, PackedConstant } from '../products/matrices.ts'
import { planPacked, preparePacked, workspaceOf } from '../products/packed.ts'
import { along, timeAxis, type TimeRule } from '../time/timing.ts'
import { channelsLastInput, channelsLastOutput } from './channels-last.ts'
import { countWindows, geometryOf, joinShape, paddingOf, reachOf, readWindows, requireWindowed, splitShape, WINDOW_ATTRIBUTES, windowsOverTime, type Windows } from './windows.ts'

interface Convolution {
  readonly windows: Windows
  readonly shape: SymbolicShape
  readonly channelsPerGroup: number
  /** Output channels of all groups. */
  readonly columns: number
}

/** Into how many groups the channels are divided. */
export function groupAttribute(node: GraphNode): number {
  return integerOf(node, 'group', 1, 1)
}

/** Sizes of the weights, which must be numbers. @throws LstmError `SHAPE` */
export function weightSizes(node: GraphNode, context: InferenceContext, rank: number): number[] {
  const { shape } = requireInput(node, context, 1, 'float32', rank)
  if (shape.some((size) => typeof size !== 'number' || size < 1)) {
    throw new LstmError('SHAPE', `${label(node)}: expected weights whose sizes are known, got ${formatShape(shape)}`)
  }
  return shape as number[]
}

/** The bias, if there is one, must be a vector of that length. */
export function checkBias(node: GraphNode, context: InferenceContext, length: number): void {
  if (context.input(2) === undefined) return
  const { shape } = requireInput(node, context, 2, 'float32', 1)
  if (shape[0] !== length) throw new LstmError('SHAPE', `${label(node)}: expected a bias of shape [${length}], got ${formatShape(shape)}`)
}

function readConvolution(node: GraphNode, context: InferenceContext, group: number): Convolution {
  const x = requireInput(node, context, 0, 'float32').shape
  const channelsLast = switchOf(node, 'channelsLast')
  requireWindowed(node, x, channelsLast)
  const [columns, channelsPerGroup, ...kernel] = weightSizes(node, context, x.length) as [number, number, ...number[]]
  const { batch, channels, sizes } = splitShape<Dimension>(x, channelsLast)
  if (columns % group !== 0 || (typeof channels === 'number' && channels !== channelsPerGroup * group)) {
    throw new LstmError('SHAPE', `${label(node)}: weights ${formatShape([columns, channelsPerGroup, ...kernel])} with group ${group} do not fit the input ${formatShape(x)}`)
  }
  checkBias(node, context, columns)
  const windows = readWindows(node, sizes.length, kernel)
  const counts = sizes.map((size, axis) => countWindows(node, windows, axis, size))
  return { windows, shape: joinShape<Dimension>(batch, columns, counts, channelsLast), channelsPerGroup, columns }
}

/** The weights of one group as a matrix (window positions x channels, columns). */
function layoutOf(channels: number, taps: number, columns: number): MatrixLayout {
  return { outer: taps, inner: channels, columns, outerStride: 1, innerStride: taps, columnStride: channels * taps }
}

/** One matrix for each group. */
function matricesOf(node: GraphNode, group: number, weightShape: Shape): MatrixInputs {
  return { weight: 1, columnAxis: 0, bias: hasInput(node, 2) ? 2 : undefined, count: group, stride: lengthOf(weightShape) / group }
}

function prepareConvolution(node: GraphNode, packer: Packer, group: number): PackedConstant | undefined {
  const weights = packer.value(1)
  // The bias is packed with the weights.
  if (weights === undefined || (hasInput(node, 2) && packer.value(2) === undefined)) return undefined
  const [columns, channels, ...kernel] = weights.shape as [number, number, ...number[]]
  return preparePacked(packer, matricesOf(node, group, weights.shape), layoutOf(channels, lengthOf(kernel), columns / group))
}

/**
 * One output for each step, from it and the steps before: stride 1 over the timesteps, padded in front only, by as much
 * as the window reaches back; or from it alone, where the timesteps are the batch.
 */
const convolution: TimeRule = (node, context) => {
  const weights = context.shape(1)
  if (timeAxis(context) === undefined || weights === undefined || context.timing(1) !== undefined) return 'slides over other things than timesteps'
  // A picture a step.
  if (timeAxis(context) === 0) return context.lead > 0 ? 'takes timesteps that are padded' : along(node, 0)
  const found = windowsOverTime(node, context, weights.slice(2) as number[])
  if (found === undefined) return 'takes the timesteps as another axis'
  const { windows, over } = found
  const reach = reachOf(windows, over)
  if (windows.strides[over] !== 1) return `makes one step of ${windows.strides[over]}`
  const shape = windows.channelsLast ? context.shape(0)?.slice(1, -1) ?? [] : context.shape(0)?.slice(2) ?? []
  const pads = shape.map((size, axis) => (typeof size === 'number' ? paddingOf(windows, axis, size) : paddingOf(windows, axis, reach)))
  if (shape.some((size, axis) => axis !== over && typeof size === 'string' && windows.autoPad !== 'NOTSET')) return 'is padded by a size that is not known'
  const [before, after] = pads[over] as [number, number]
  if (after > 0) return `looks ${after} ${after === 1 ? 'step' : 'steps'} ahead; streams take padding in front only ('causal')`
  if (before + context.lead !== reach - 1) return `has its first output after ${reach - before - context.lead} steps; streams take windows that are padded in front ('causal')`
  if (reach === 1) return along(node, context.timing(0))
  pads[over] = [0, 0]
  const instead = {
    ...node,
    inputs: [freshSize(node, 'window'), ...node.inputs.slice(1)],
    attributes: { ...node.attributes, autoPad: 'NOTSET', pads: [...pads.map(([begin]) => begin), ...pads.map(([, end]) => end)] },
  }
  return { ...along(node, context.timing(0)), instead, history: reach - 1 }
}

/**
 * Convolution over one or two axes. Inputs: x [batch, channels, length] or [batch, channels, height, width], W [columns,
 * channels / group, window...], bias [columns] (optional); float32. Attributes: `kernelShape` (as W has it), `strides` 1, `pads` 0
 * (all beginnings, then all ends), `autoPad` NOTSET, `dilations` 1, `group` 1. `channelsLast` (not ONNX, false): x and the result
 * are [batch, length, channels] or [batch, height, width, channels]; W is as without it.
 */
export const conv: Operator<number, PackedConstant | undefined> = {
  name: 'conv',
  onnx: 'Conv',
  mostInputs: 3,
  attributes: [...WINDOW_ATTRIBUTES, 'group'],
  time: convolution,
  padding: 'used',
  parse: groupAttribute,
  infer: (node, context, group) => [{ dtype: 'float32', shape: readConvolution(node, context, group).shape }],
  cost(node, context, group) {
    const { windows, shape, channelsPerGroup, columns } = readConvolution(node, context, group)
    const taps = lengthOf(windows.kernel)
    const { sizes } = splitShape<Dimension>(shape, windows.channelsLast)
    return { detail: `${columns} filters of ${windows.kernel.join(' x ')}`, multiplyAdds: taps * channelsPerGroup * columns * knownLength(sizes) }
  },
  // The values of a window differ far more from each other than those of a state do.
  narrowWeights: ({ inputs: [, constant = ''] }) => [{ constant, axis: 0, products: 'either' }],
  prepare: prepareConvolution,
  plan(node, planner, group, constant) {
    const [columns, channelsPerGroup, ...kernel] = planner.shapeOf(1) as unknown as [number, number, ...number[]]
    const windows = readWindows(node, kernel.length, kernel)
    const { batch, channels, sizes } = splitShape(planner.shapeOf(0), windows.channelsLast)
    const { sizes: counts } = splitShape(planner.outputShape(0), windows.channelsLast)
    const layout = layoutOf(channelsPerGroup, lengthOf(kernel), columns / group)
    const packed = planPacked(planner, matricesOf(node, group, planner.shapeOf(1)), layout, constant)
    const x = channelsLastInput(planner, windows.channelsLast, batch, channels, lengthOf(sizes))
    const y = channelsLastOutput(planner, windows.channelsLast, batch, columns, lengthOf(counts))
    planWindows(planner, { x, y: y.slot, packed, windows, batch, sizes, counts, channels, columns, group })
    y.turnBack()
  },
}

/** Windows over an array with its channels last. */
interface SlidingWindows {
  readonly windows: Windows
  readonly sizes: readonly number[]
  readonly counts: readonly number[]
  readonly channels: number
  readonly columns: number
  readonly group: number
}

interface WindowsCall extends SlidingWindows {
  readonly x: Slot
  readonly y: Slot
  /** A matrix for each group. */
  readonly packed: PackedMatrices
  readonly batch: number
}

/** What the kernel is told of one group of channels. */
export function convolveFields({ windows, sizes, counts, channels, columns, group }: SlidingWindows): RecordValues<typeof ConvolveCall> {
  return { ...geometryOf(windows, sizes, counts), channels: channels / group, xPixelBytes: channels * 4, outPixelBytes: columns * 4 }
}

/** y = windows of x times the weights; x and y have the channels last. */
function planWindows(planner: Planner, { x, y, packed, windows, batch, sizes, counts, channels, columns, group }: WindowsCall): void {
  const { gemmF32, convolveF32, convolveWorkspaceBytes } = planner.kernels
  const fields = convolveFields({ windows, sizes, counts, channels, columns, group })
  const { height, width, windowHeight, windowWidth, strideColumns, dilationColumns, outHeight, outWidth } = fields
  const groupChannels = channels / group
  const groupColumns = columns / group
  const k = windowHeight * windowWidth * groupChannels
  const unpadded = sizes.every((size, axis) => paddingOf(windows, axis, size).every((pad) => pad === 0))
  if (group === 1 && unpadded && height === 1 && windowHeight === 1 && (dilationColumns === 1 || windowWidth === 1)) {
    // A window is a run of memory: nothing needs to be gathered.
    const workspace = workspaceOf(planner, packed, outWidth)
    const product = planner.record(ProductCall, {
      steps: batch, rows: outWidth, aStepBytes: width * channels * 4, aRowBytes: strideColumns * channels * 4, outRowBytes: columns * 4,
    })
    planner.step(() => gemmF32(product.ptr, packed.ptr, x.ptr, y.ptr, workspace.ptr))
    return
  }
  const workspace = planner.workspace(convolveWorkspaceBytes(outHeight * outWidth, k, Number(packed.isInt8)))
  const call = planner.record(ConvolveCall, fields)
  planner.step(() => {
    for (let n = 0; n < batch; n++) {
      for (let g = 0; g < group; g++) {
        convolveF32(
          call.ptr, packed.ptr + g * packed.bytes, x.ptr + (n * height * width * channels + g * groupChannels) * 4,
          y.ptr + (n * outHeight * outWidth * columns + g * groupColumns) * 4, workspace.ptr,
        )
      }
    }
  })
}
