// Convolutions and pools.
import { lengthOf, type Shape } from '../../values/shape.ts'
import type { PoolKind } from '../../ops/windows/pooling.ts'
import { paddingOf, readWindows, reachOf, splitShape, type Windows } from '../../ops/windows/windows.ts'
import type { Attribute } from '../../ops/graph-data.ts'
import { poolGradient } from '../../ops/training/pool-gradient.ts'
import { unfold } from '../../ops/training/unfold.ts'
import { algebra } from '../algebra.ts'
import type { GradientFamily } from '../family.ts'
import type { GradientBuilder, GradientCall, GradientRule } from '../rule.ts'
import { onlyGradient } from '../usual/elementwise.ts'
import { weightsOf } from './trained-weights.ts'
import { withParametersAt } from './weights.ts'

type Attributes = Readonly<Record<string, Attribute>>

/** The attributes of windows, with pads that are numbers. */
function attributesOf(windows: Windows, pads: readonly (readonly [number, number])[], group: number): Attributes {
  const { kernel, strides, dilations, channelsLast } = windows
  return { kernelShape: kernel, strides, dilations, group, channelsLast, pads: [...pads.map(([before]) => before), ...pads.map(([, after]) => after)] }
}

/** A value with its channels last. */
function channelsLast(build: GradientBuilder, value: string, isLast: boolean): string {
  const rank = build.shapeOf(value).length
  return isLast ? value : algebra(build).transpose(value, [0, ...Array.from({ length: rank - 2 }, (_, n) => n + 2), 1])
}

/**
 * The gradient of a convolution by its weights [columns, channels / group, window...]: the product of what came in, its windows unfolded, with the
 * gradient of what came out.
 * @param slidOver what windows slide over, of `channels`
 * @param each what has an element for each window, of `columns`
 */
function weightGradient(
  build: GradientBuilder, slidOver: string, each: string, windows: Windows, pads: readonly (readonly [number, number])[], group: number, weights: Shape,
): string {
  const { transpose } = algebra(build)
  const [columns = 0, groupChannels = 0] = weights
  const taps = lengthOf(windows.kernel)
  const [large, small] = [channelsLast(build, slidOver, windows.channelsLast), channelsLast(build, each, windows.channelsLast)]
  const { sizes: counts } = splitShape(build.shapeOf(small), true)
  const unfolded = build.node('unfold', [large], { ...attributesOf({ ...windows, channelsLast: true }, pads, group), counts })
  const rows = build.shapeOf(unfolded)[1] as number
  const flat = build.reshape(small, [rows, columns])
  const product = group === 1
    ? build.node('gemm', [flat, build.reshape(unfolded, [rows, taps * groupChannels])], { transA: true })
    : build.node('matMul', [transpose(build.reshape(flat, [rows, group, columns / group]), [1, 2, 0]), unfolded])
  return build.reshape(transpose(build.reshape(product, [columns, taps, groupChannels]), [0, 2, 1]), weights)
}

/** The sum of a gradient for each channel. */
function biasGradient(build: GradientBuilder, gradient: string, isLast: boolean): string {
  const shape = build.shapeOf(gradient)
  const channelAxis = isLast ? shape.length - 1 : 1
  const beside = shape.map((size, axis) => (axis === channelAxis ? size : 1))
  return build.reshape(build.sumTo(gradient, beside), [shape[channelAxis] as number])
}

const conv: GradientRule = (call, build) => {
  const { node, settings: group, wanted } = call as GradientCall<number>
  const [x = '', w = ''] = node.inputs
  const weights = build.shapeOf(w)
  const windows = readWindows(node, weights.length - 2, weights.slice(2))
  const gradient = onlyGradient(call)
  const { sizes } = splitShape(build.shapeOf(x), windows.channelsLast)
  const { sizes: counts } = splitShape(build.shapeOf(gradient), windows.channelsLast)
  const pads = sizes.map((size, axis) => paddingOf(windows, axis, size))
  /** By the input: each element of the gradient times the weights, put where the window was. */
  const back = (): string => {
    const outputPadding = sizes.map((size, axis) => {
      const [before, after] = pads[axis] as [number, number]
      return size + before + after - ((counts[axis] as number) - 1) * (windows.strides[axis] as number) - reachOf(windows, axis)
    })
    return build.node('convTranspose', [gradient, w], { ...attributesOf(windows, pads, group), outputPadding })
  }
  return [
    wanted[0] ? back() : undefined,
    wanted[1] ? weightGradient(build, x, gradient, windows, pads, group, weights) : undefined,
    wanted[2] ? biasGradient(build, gradient, windows.channelsLast) : undefined,
  ]
}

/** The way back of a convolution: its gradient by the input is a convolution. */
const convTranspose: GradientRule = (call, build) => {
  const { node, settings: group, wanted } = call as GradientCall<number>
  const [x = '', w = ''] = node.inputs
  const weights = build.shapeOf(w)
  const windows = readWindows(node, weights.length - 2, weights.slice(2))
  const gradient = onlyGradient(call)
  const { sizes: counts } = splitShape(build.shapeOf(x), windows.channelsLast)
  const { sizes } = splitShape(build.shapeOf(gradient), windows.channelsLast)
  // What was cut off in front is padding now; behind, as much as the last window reaches over the end, or nothing where some was added.
  const pads = sizes.map((size, axis) => {
    const before = cutInFront(node.attributes, windows, axis, size, counts[axis] as number)
    const reach = ((counts[axis] as number) - 1) * (windows.strides[axis] as number) + reachOf(windows, axis)
    return [before, Math.max(0, reach - before - size)] as const
  })
  const back = (): string => build.node('conv', [gradient, w], attributesOf(windows, pads, group))
  return [
    wanted[0] ? back() : undefined,
    wanted[1] ? weightGradient(build, gradient, x, windows, pads, group, weights) : undefined,
    wanted[2] ? biasGradient(build, gradient, windows.channelsLast) : undefined,
  ]
}

/** As `convTranspose` has it: pads that are given, or half of what is too much. */
function cutInFront(attributes: Attributes, { autoPad, pads, strides, kernel, dilations }: Windows, axis: number, size: number, count: number): number {
  if (autoPad === 'VALID' && attributes.outputShape === undefined) return 0
  if (autoPad === 'NOTSET' && attributes.outputShape === undefined) return pads[axis] as number
  const outputPadding = (attributes.outputPadding as readonly number[] | undefined)?.[axis] ?? 0
  const reach = ((kernel[axis] as number) - 1) * (dilations[axis] as number) + 1
  const total = (count - 1) * (strides[axis] as number) + reach + outputPadding - size
  const less = Math.floor(total / 2)
  return autoPad === 'SAME_UPPER' ? less : total - less
}

function pooling(kind: PoolKind): GradientRule {
  return (call, build) => {
    const { node } = call
    const [x = ''] = node.inputs
    return [build.node('poolGradient', [onlyGradient(call), kind === 'max' ? x : ''], { ...node.attributes, kind, shape: build.shapeOf(x) })]
  }
}

function globalPooling(average: boolean): GradientRule {
  return (call, build) => {
    const { mul, div, sum, mask } = algebra(build)
    const [x = ''] = call.node.inputs
    const [shape, kept] = [build.shapeOf(x), build.shapeOf(onlyGradient(call))]
    const axes = shape.flatMap((_, axis) => (kept[axis] === 1 && axis > 0 && axis !== (call.settings === true ? shape.length - 1 : 1) ? [axis] : []))
    if (average) {
      const part = mul(onlyGradient(call), build.constant(lengthOf(kept) / lengthOf(shape)))
      return [build.node('expand', [part, build.constant({ dtype: 'int32', shape: [shape.length], data: Int32Array.from(shape) })])]
    }
    const chosen = mask(build.node('equal', [x, call.node.outputs[0] as string]))
    return [mul(chosen, div(onlyGradient(call), sum(chosen, axes)))]
  }
}

export const family: GradientFamily = {
  operators: [unfold, poolGradient],
  lowerings: { conv: withParametersAt(1, 2), convTranspose: withParametersAt(1, 2) },
  rules: {
    conv, convTranspose, averagePool: pooling('mean'), maxPool: pooling('max'), sumPool: pooling('sum'), globalAveragePool: globalPooling(true),
    globalMaxPool: globalPooling(false),
  },
  weightsOf,
}
