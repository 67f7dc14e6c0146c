import { ScatterWindowsCall } from '../../contract/windows/convolve.ts'
import { LstmError } from '../../errors.ts'
import { formatShape, lengthOf, type Dimension } from '../../values/shape.ts'
import { switchOf } from '../node/attributes.ts'
import { label, requireInput } from '../node/checks.ts'
import { integersOf } from '../node/lists.ts'
import { freshSize, knownLength } from '../node/sizes.ts'
import type { GraphNode } from '../graph-data.ts'
import type { InferenceContext, Operator } from '../operator.ts'
import { productCall } from '../products/dense.ts'
import type { PackedConstant } from '../products/matrices.ts'
import { matrixLayout, planPacked, preparePacked } from '../products/packed.ts'
import { channelsLastInput, channelsLastOutput } from './channels-last.ts'
import { checkBias, groupAttribute, weightSizes } from './convolution.ts'
import { joinShape, reachOf, readWindows, requireWindowed, splitShape, twoAxes as two, WINDOW_ATTRIBUTES, type Windows } from './windows.ts'

/** Size of the result along an axis, and what is cut off in front. */
interface Extent {
  readonly size: number
  readonly pad: number
}

function extentOf(node: GraphNode, windows: Windows, axis: number, length: number): Extent {
  const { strides, pads, autoPad } = windows
  const stride = strides[axis] as number
  const outputPadding = integersOf(node, 'outputPadding', strides.map(() => 0), 0)[axis] as number
  const whole = (length - 1) * stride + reachOf(windows, axis) + outputPadding
  if (whole >= 2 ** 31) throw new LstmError('UNSUPPORTED', `${label(node)}: expected a result of less than 2^31 elements before it is cut, got ${whole}`)
  const given = node.attributes.outputShape === undefined ? undefined : integersOf(node, 'outputShape', strides.map(() => NaN), 1)[axis] as number
  if (given === undefined && (autoPad === 'NOTSET' || autoPad === 'VALID')) {
    const [before, after] = autoPad === 'VALID' ? [0, 0] : [pads[axis] as number, pads[axis + strides.length] as number]
    const size = whole - before - after
    if (size < 1) throw new LstmError('SHAPE', `${label(node)}: padding ${before} and ${after} leaves nothing of ${whole} elements`)
    return { size, pad: before }
  }
  // SAME: the result is `stride` times as long.
  const total = Math.max(0, whole - (given ?? length * stride))
  if (given !== undefined && given > whole) throw new LstmError('SHAPE', `${label(node)}: expected an output shape of at most ${whole} along axis ${axis}, got ${given}`)
  const less = Math.floor(total / 2)
  return { size: whole - total, pad: autoPad === 'SAME_UPPER' ? less : total - less }
}

interface Transposed {
  readonly windows: Windows
  readonly shape: Dimension[]
  readonly multiplyAdds: number
}

function readTransposed(node: GraphNode, context: InferenceContext, group: number): Transposed {
  const x = requireInput(node, context, 0, 'float32').shape
  requireWindowed(node, x, switchOf(node, 'channelsLast'))
  const [inputs, groupColumns, ...kernel] = weightSizes(node, context, x.length) as [number, number, ...number[]]
  const windows = readWindows(node, kernel.length, kernel)
  const { batch, channels, sizes } = splitShape<Dimension>(x, windows.channelsLast)
  if (inputs % group !== 0 || (typeof channels === 'number' && channels !== inputs)) {
    throw new LstmError('SHAPE', `${label(node)}: weights ${formatShape([inputs, groupColumns, ...kernel])} with group ${group} do not fit the input ${formatShape(x)}`)
  }
  const columns = groupColumns * group
  checkBias(node, context, columns)
  const extents = sizes.map((size, axis) => (typeof size === 'number' ? extentOf(node, windows, axis, size).size : freshSize(node, axis)))
  return {
    windows,
    shape: joinShape<Dimension>(batch, columns, extents, windows.channelsLast),
    multiplyAdds: inputs * groupColumns * lengthOf(kernel) * knownLength(sizes),
  }
}

/**
 * Transposed convolution over one or two axes. Inputs: x [batch, channels, length] or [batch, channels, height, width], W [channels, columns /
 * group, window...], bias [columns] (optional); float32. Attributes as conv's, `outputPadding` 0, and `outputShape`, the sizes of the result along
 * these axes, instead of pads. Along each axis the result has (length - 1) stride + reach + outputPadding - pads elements; with SAME_UPPER or
 * SAME_LOWER length * stride.
 */
export const convTranspose: Operator<number, PackedConstant | undefined> = {
  name: 'convTranspose',
  onnx: 'ConvTranspose',
  mostInputs: 3,
  attributes: [...WINDOW_ATTRIBUTES, 'group', 'outputPadding', 'outputShape'],
  time: 'unknown',
  parse: groupAttribute,
  infer: (node, context, group) => [{ dtype: 'float32', shape: readTransposed(node, context, group).shape }],
  cost(node, context, group) {
    const { windows, shape, multiplyAdds } = readTransposed(node, context, group)
    return { detail: `${splitShape(shape, windows.channelsLast).channels} filters of ${windows.kernel.join(' x ')}`, multiplyAdds }
  },
  prepare(_node, packer, group) {
    const weights = packer.value(1)
    if (weights === undefined) return undefined
    const [inputs, groupColumns, ...kernel] = weights.shape as [number, number, ...number[]]
    const [k, products] = [inputs / group, groupColumns * lengthOf(kernel)]
    return preparePacked(packer, { weight: 1, columnAxis: -1, count: group, stride: k * products }, matrixLayout(k, products))
  },
  plan(node, planner, group, constant) {
    const { gemmF32, scatterF32 } = planner.kernels
    const [inputs, groupColumns, ...kernel] = planner.shapeOf(1) as unknown as [number, number, ...number[]]
    const windows = readWindows(node, kernel.length, kernel)
    const { batch, sizes } = splitShape(planner.shapeOf(0), windows.channelsLast)
    const extents = sizes.map((size, axis) => extentOf(node, windows, axis, size))
    const [height, width] = two(sizes, 1)
    const [outHeight, outWidth] = two(extents.map(({ size }) => size), 1)
    const [padTop, padLeft] = two(extents.map(({ pad }) => pad), 0)
    const [windowHeight, windowWidth] = two(kernel, 1)
    const [strideRows, strideColumns] = two(windows.strides, 1)
    const [dilationRows, dilationColumns] = two(windows.dilations, 1)
    const k = inputs / group
    const columns = groupColumns * group
    const products = groupColumns * windowHeight * windowWidth
    const layout = matrixLayout(k, products)
    const packed = planPacked(planner, { weight: 1, columnAxis: -1, count: group, stride: k * products }, layout, constant)
    const bias = planner.hasInput(2) ? planner.input(2) : undefined
    const workspace = planner.workspace(width * products * 4)
    const x = channelsLastInput(planner, windows.channelsLast, batch, inputs, height * width)
    const y = channelsLastOutput(planner, windows.channelsLast, batch, columns, outHeight * outWidth)
    const product = productCall(planner, width, inputs, products)
    const call = planner.record(ScatterWindowsCall, {
      width, windowHeight, windowWidth, channels: groupColumns, strideRows, strideColumns, dilationRows, dilationColumns, padTop, padLeft,
      outHeight, outWidth, outPixelBytes: columns * 4,
    })
    planner.step(() => {
      for (let n = 0; n < batch; n++) {
        for (let g = 0; g < group; g++) {
          for (let row = 0; row < height; row++) {
            const xPtr = x.ptr + ((n * height + row) * width * inputs + g * k) * 4
            gemmF32(product.ptr, packed.ptr + g * packed.bytes, xPtr, workspace.ptr, 0)
            scatterF32(
              call.ptr, row, workspace.ptr, bias === undefined ? 0 : bias.ptr + g * groupColumns * 4,
              y.slot.ptr + (n * outHeight * outWidth * columns + g * groupColumns) * 4,
            )
          }
        }
      }
    })
    y.turnBack()
  },
}
