// Normalisations: (x - mean) / sqrt(variance + epsilon) * scale + bias, and what becomes of its gradient.
import { resolveAxis } from '../../ops/node/attributes.ts'
import { algebra } from '../algebra.ts'
import { onlyGradient } from '../usual/elementwise.ts'
import type { GradientBuilder, GradientCall, GradientRule, GradientRules } from '../rule.ts'

/** A value that is normalised. */
export interface Normalized {
  /** As x, but 1 along the axes. */
  readonly mean: string | undefined
  /** Of all elements, so that n stands below: as x, but 1 along the axes. Without a mean, that of the squares. */
  readonly variance: string
  /** 1 / sqrt(variance + epsilon) */
  readonly factor: string
  /** (x - mean) factor */
  readonly normal: string
}

/** x, normalised over axes. */
export function normalize(build: GradientBuilder, x: string, axes: readonly number[], epsilon: number, centred: boolean): Normalized {
  const { mean: meanOf, sub, mul, square } = algebra(build)
  const mean = centred ? meanOf(x, axes) : undefined
  const moved = mean === undefined ? x : sub(x, mean)
  const variance = meanOf(square(moved), axes)
  const factor = inverseRoot(build, variance, epsilon)
  return { mean, variance, factor, normal: mul(moved, factor) }
}

/** 1 / sqrt(variance + epsilon) */
function inverseRoot(build: GradientBuilder, variance: string, epsilon: number): string {
  return build.node('pow', [algebra(build).add(variance, build.constant(epsilon)), build.constant(-0.5)])
}

/** The gradient by x from that by what was normalised: factor (g - mean(g) - normal mean(g normal)). */
function backThrough(build: GradientBuilder, { mean, factor, normal }: Normalized, gradient: string, axes: readonly number[]): string {
  const { mean: meanOf, sub, mul } = algebra(build)
  const along = mul(normal, meanOf(mul(gradient, normal), axes))
  return mul(factor, sub(mean === undefined ? gradient : sub(gradient, meanOf(gradient, axes)), along))
}

/** Over which axes is normalised, and along which scale and bias lie. */
interface NormalizedAxes {
  readonly axes: readonly number[]
  readonly parameterAxes: readonly number[]
  readonly epsilon: number
}

/** A rule of a normalisation over axes. */
function normalizing(read: (call: GradientCall, rank: number) => NormalizedAxes, centred: boolean): GradientRule {
  return (call, build) => {
    const { mul } = algebra(build)
    const { node: { inputs: [x = '', scale = '', bias = ''] }, wanted } = call
    const shape = build.shapeOf(x)
    const { axes, epsilon, parameterAxes } = read(call, shape.length)
    const beside = shape.map((size, axis) => (parameterAxes.includes(axis) ? size : 1))
    const gradient = onlyGradient(call)
    const normalized = normalize(build, x, axes, epsilon, centred)
    const summed = (value: string, like: string): string => build.reshape(build.sumTo(value, beside), build.shapeOf(like))
    return [
      wanted[0] ? backThrough(build, normalized, mul(gradient, build.reshape(scale, beside)), axes) : undefined,
      wanted[1] ? summed(mul(gradient, normalized.normal), scale) : undefined,
      wanted[2] ? summed(gradient, bias) : undefined,
    ]
  }
}

/** The axes from one on; so are scale and bias. */
function rowAxes({ node, settings }: GradientCall, rank: number): NormalizedAxes {
  const { given, epsilon } = settings as { readonly given: number, readonly epsilon: number }
  const first = resolveAxis(node, given, rank)
  const axes = Array.from({ length: rank - first }, (_, n) => first + n)
  return { axes, parameterAxes: axes, epsilon }
}

/** All axes of a channel. */
function channelAxes({ settings }: GradientCall, rank: number): NormalizedAxes {
  return { axes: Array.from({ length: rank - 2 }, (_, n) => n + 2), parameterAxes: [1], epsilon: settings as number }
}

interface BatchSettings {
  readonly epsilon: number
  readonly channelsLast: boolean
}

/** Mean and variance are given: a product and a sum of each channel. */
const batchNormalization: GradientRule = (call, build) => {
  const { mul, sub, neg } = algebra(build)
  const { node: { inputs }, settings: { epsilon, channelsLast }, wanted } = call as GradientCall<BatchSettings>
  const [x = '', scale = '', bias = '', mean = '', variance = ''] = inputs
  const shape = build.shapeOf(x)
  const channelAxis = channelsLast ? shape.length - 1 : 1
  const beside = shape.map((size, axis) => (axis === channelAxis ? size : 1))
  const vector = (value: string): string => build.reshape(value, beside)
  const channels = [shape[channelAxis] as number]
  const gradient = onlyGradient(call)
  const factor = inverseRoot(build, variance, epsilon)
  const total = wanted[2] === true || wanted[3] === true ? build.reshape(build.sumTo(gradient, beside), channels) : ''
  // sum(gradient (x - mean) factor)
  const along = wanted[1] === true || wanted[4] === true
    ? mul(build.reshape(build.sumTo(mul(gradient, sub(x, vector(mean))), beside), channels), factor)
    : ''
  return [
    wanted[0] ? mul(gradient, vector(mul(scale, factor))) : undefined,
    wanted[1] ? along : undefined,
    wanted[2] ? build.reshape(total, build.shapeOf(bias)) : undefined,
    wanted[3] ? neg(mul(total, mul(scale, factor))) : undefined,
    wanted[4] ? mul(mul(along, mul(scale, mul(factor, factor))), build.constant(-0.5)) : undefined,
  ]
}

export const NORMALIZATION: GradientRules = {
  layerNormalization: normalizing(rowAxes, true),
  rmsNormalization: normalizing(rowAxes, false),
  instanceNormalization: normalizing(channelAxes, true),
  batchNormalization,
}
