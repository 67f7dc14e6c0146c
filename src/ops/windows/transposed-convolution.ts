import { ScatterWindowsCall } from '../../contract/windows/convolve.ts'
import { LstmError } from '../../errors.ts'
import { formatShape, type Dimension } from '../../values/shape.ts'
import { label, requireInput } from '../node/checks.ts'
import { integersOf } from '../node/lists.ts'
import { freshSize, knownLength } from '../node/sizes.ts'
import { checkBias, groupAttribute, weightSizes } from './convolution.ts'
import type { GraphNode, InferenceContext, Operator, Slot } from '../operator.ts'
import { matrixLayout, packedBytes, planPacked, preparePacked, type PackedConstant } from '../products/packed.ts'
import { joinShape, reachOf, readWindows, splitShape, WINDOW_ATTRIBUTES, type Windows } from './windows.ts'

interface TransposedSettings {
  readonly group: number
  readonly outputPadding: number
}

function readSettings(node: GraphNode): TransposedSettings {
  const [outputPadding] = integersOf(node, 'outputPadding', [0], 0) as [number]
  return { group: groupAttribute(node), outputPadding }
}

/** Length of the result, and what is cut off in front. */
function lengthsOf(node: GraphNode, { outputPadding }: TransposedSettings, windows: Windows, length: number): { outLength: number, pad: number } {
  const [stride] = windows.strides as [number]
  const whole = (length - 1) * stride + reachOf(windows, 0) + outputPadding
  if (whole >= 2 ** 31) throw new LstmError('UNSUPPORTED', `${label(node)}: expected a result of less than 2^31 elements before it is cut, got ${whole}`)
  if (windows.autoPad === 'NOTSET' || windows.autoPad === 'VALID') {
    const [before, after] = windows.autoPad === 'VALID' ? [0, 0] : windows.pads as [number, number]
    const outLength = whole - before - after
    if (outLength < 1) throw new LstmError('SHAPE', `${label(node)}: padding ${before} and ${after} leaves nothing of ${whole} elements`)
    return { outLength, pad: before }
  }
  // SAME: the result is `stride` times as long.
  const total = Math.max(0, whole - length * stride)
  const less = Math.floor(total / 2)
  return { outLength: whole - total, pad: windows.autoPad === 'SAME_UPPER' ? less : total - less }
}

function readSizes(node: GraphNode, context: InferenceContext, settings: TransposedSettings): { windows: Windows, shape: Dimension[], multiplyAdds: number } {
  const x = requireInput(node, context, 0, 'float32', 3).shape
  const [inputs, groupColumns, kernel] = weightSizes(node, context, 3) as [number, number, number]
  const windows = readWindows(node, 1, [kernel])
  const { group } = settings
  const { batch, channels, sizes } = splitShape<Dimension>(x, windows.channelsLast)
  if (inputs % group !== 0 || (typeof channels === 'number' && channels !== inputs)) {
    throw new LstmError('SHAPE', `${label(node)}: weights ${formatShape([inputs, groupColumns, kernel])} with group ${group} do not fit the input ${formatShape(x)}`)
  }
  const columns = groupColumns * group
  checkBias(node, context, columns)
  const [length] = sizes as [Dimension]
  const outLength = typeof length === 'number' ? lengthsOf(node, settings, windows, length).outLength : freshSize(node, 0)
  return {
    windows,
    shape: joinShape<Dimension>(batch, columns, [outLength], windows.channelsLast),
    multiplyAdds: inputs * groupColumns * kernel * knownLength([length]),
  }
}

/**
 * Transposed convolution over one axis. Inputs: x [batch, channels, length], W [channels, columns / group, window], bias [columns]
 * (optional); float32. Attributes as conv's, and `outputPadding` 0; ONNX's `output_shape` is not known. The result has
 * (length - 1) stride + reach + outputPadding - pads elements; with SAME_UPPER or SAME_LOWER length * stride.
 */
export const convTranspose: Operator<TransposedSettings, PackedConstant | undefined> = {
  name: 'convTranspose',
  onnx: 'ConvTranspose',
  mostInputs: 3,
  attributes: [...WINDOW_ATTRIBUTES, 'group', 'outputPadding'],
  time: 'unknown',
  parse: readSettings,
  infer: (node, context, settings) => [{ dtype: 'float32', shape: readSizes(node, context, settings).shape }],
  cost(node, context, settings) {
    const { windows, shape, multiplyAdds } = readSizes(node, context, settings)
    return { detail: `${splitShape(shape, windows.channelsLast).channels} filters of ${windows.kernel.join(' x ')}`, multiplyAdds }
  },
  prepare(_node, packer, { group }) {
    const weights = packer.value(1)
    if (weights === undefined) return undefined
    const [inputs, groupColumns, kernel] = weights.shape as [number, number, number]
    const [k, products] = [inputs / group, groupColumns * kernel]
    return preparePacked(packer, { weight: 1, count: group, stride: k * products }, matrixLayout(k, products))
  },
  plan(node, planner, settings, constant) {
    const { gemmF32, scatterF32, transposeF32 } = planner.kernels
    const [inputs, groupColumns, kernel] = planner.shapeOf(1) as [number, number, number]
    const windows = readWindows(node, 1, [kernel])
    const { group } = settings
    const { batch, sizes } = splitShape(planner.shapeOf(0), windows.channelsLast)
    const [length] = sizes as [number]
    const { outLength, pad } = lengthsOf(node, settings, windows, length)
    const [stride, dilation] = [windows.strides[0] as number, windows.dilations[0] as number]
    const k = inputs / group
    const columns = groupColumns * group
    const products = groupColumns * kernel
    const layout = matrixLayout(k, products)
    const packed = planPacked(planner, { weight: 1, count: group, stride: k * products }, layout, constant)
    const bytes = packedBytes(planner, layout)
    const bias = planner.hasInput(2) ? planner.input(2) : undefined
    const [given, wanted] = [planner.input(0), planner.output(0)]
    const workspace = planner.workspace(length * products * 4)
    let x: Slot = given
    if (!windows.channelsLast) {
      const turned = planner.workspace(batch * length * inputs * 4)
      planner.step(() => transposeF32(given.ptr, inputs * length * 4, turned.ptr, inputs * length * 4, batch, inputs, length))
      x = turned
    }
    const y = windows.channelsLast ? wanted : planner.workspace(batch * outLength * columns * 4)
    const call = planner.record(ScatterWindowsCall, {
      length, window: kernel, channels: groupColumns, stride, dilation, pad, outLength, outPixelBytes: columns * 4,
    })
    planner.step(() => {
      for (let n = 0; n < batch; n++) {
        for (let g = 0; g < group; g++) {
          const xPtr = x.ptr + (n * length * inputs + g * k) * 4
          gemmF32(packed.ptr + g * bytes, 1, length, xPtr, 0, inputs * 4, workspace.ptr, products * 4)
          scatterF32(
            call.ptr, workspace.ptr, bias === undefined ? 0 : bias.ptr + g * groupColumns * 4,
            y.ptr + (n * outLength * columns + g * groupColumns) * 4,
          )
        }
      }
    })
    if (!windows.channelsLast) {
      const outBytes = outLength * columns * 4
      planner.step(() => transposeF32(y.ptr, outBytes, wanted.ptr, outBytes, batch, outLength, columns))
    }
  },
}
