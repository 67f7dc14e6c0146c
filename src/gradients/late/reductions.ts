// Reductions, running sums and softmax.
import { resolveAxis } from '../../ops/node/attributes.ts'
import { hasInput } from '../../ops/node/checks.ts'
import { resolveAxes } from '../../ops/node/lists.ts'
import { knownIntegers } from '../../ops/node/sizes.ts'
import { lengthOf } from '../../values/shape.ts'
import { algebra, type Algebra } from '../algebra.ts'
import { onlyGradient } from '../usual/elementwise.ts'
import { none } from './arithmetic.ts'
import type { GradientBuilder, GradientCall, GradientRule, GradientRules } from '../rule.ts'

/** What the gradient of a reduction is made of. */
interface Reduced extends Algebra {
  readonly build: GradientBuilder
  readonly x: string
  /** The result and its gradient, with axes of one element for those that went. */
  readonly y: string
  readonly gradient: string
  /** The axes that went. */
  readonly axes: readonly number[]
  /** How many elements became one. */
  readonly count: number
}

interface ReductionSettings {
  readonly noop: boolean
}

/** A rule of a reduction, from the gradient of an element of x; it may have the shape of the result: then it is repeated. */
function reducing(gradientOf: (reduced: Reduced) => string): GradientRule {
  return (call, build) => {
    const { node, settings: { noop } } = call as GradientCall<ReductionSettings>
    const [x = ''] = node.inputs
    const shape = build.shapeOf(x)
    const given = hasInput(node, 1) ? knownIntegers(node, { value: (at) => build.valueOf(node.inputs[at] as string) }, 1, 'axes') : []
    const axes = given.length === 0 ? (noop ? [] : shape.map((_, axis) => axis)) : resolveAxes(node, given, shape.length)
    const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
    const made = gradientOf({
      ...algebra(build), build, x, axes, count: lengthOf(axes.map((axis) => shape[axis] as number)),
      y: build.reshape(node.outputs[0] as string, kept), gradient: build.reshape(onlyGradient(call), kept),
    })
    return [repeated(build, made, shape), undefined]
  }
}

/** A value of that shape, repeated along axes of one element. */
function repeated(build: GradientBuilder, value: string, shape: readonly number[]): string {
  if (lengthOf(build.shapeOf(value)) === lengthOf(shape)) return value
  return build.node('expand', [value, shapeConstant(build, shape)])
}

function shapeConstant(build: GradientBuilder, shape: readonly number[]): string {
  return build.constant({ dtype: 'int32', shape: [shape.length], data: Int32Array.from(shape) })
}

/** Equal extremes share the gradient, as in PyTorch's amax. */
const extreme = reducing(({ build, x, y, gradient, axes, mul, div, sum, mask }) => {
  const chosen = mask(build.node('equal', [x, y]))
  return mul(chosen, div(gradient, sum(chosen, axes)))
})

/**
 * The product of the others, without a quotient by zero: the product of all that are not zero over the element, where there is no zero; of
 * one zero all that of the others, and the rest nothing.
 */
const product = reducing(({ build, x, gradient, axes, mul, div, sum, mask, where }) => {
  const isZero = build.node('equal', [x, build.constant(0)])
  const others = where(isZero, build.constant(1), x)
  const whole = axes.length === 0 ? others : build.node('reduceProd', [others, shapeConstant(build, axes)], { keepdims: true })
  const zeros = sum(mask(isZero), axes)
  const wanted = mask(build.node('equal', [zeros, mask(isZero)]))
  return mul(gradient, mul(wanted, div(whole, others)))
})

/** Nothing at 0, as in PyTorch. */
const norm = reducing(({ build, x, y, gradient, mul, div, where }) => {
  const zero = build.constant(0)
  return mul(x, where(build.node('equal', [y, zero]), zero, div(gradient, y)))
})

interface CumSumSettings {
  readonly exclusive: boolean
  readonly reverse: boolean
}

/** The sums the other way round. */
const cumSum: GradientRule = ({ node, settings, outputs: [gradient = ''] }: GradientCall<CumSumSettings>, build) => (
  [build.node('cumSum', [gradient, node.inputs[1] as string], { exclusive: settings.exclusive, reverse: !settings.reverse }), undefined]
)

/** y (gradient - sum(gradient y)) */
const softmax: GradientRule = (call, build) => {
  const { mul, sub, sum } = algebra(build)
  const { node, settings } = call as GradientCall<number>
  const y = node.outputs[0] as string
  const axis = resolveAxis(node, settings, build.shapeOf(y).length)
  return [mul(y, sub(onlyGradient(call), sum(mul(onlyGradient(call), y), [axis])))]
}

/** gradient - e^y sum(gradient) */
const logSoftmax: GradientRule = (call, build) => {
  const { mul, sub, sum, exp } = algebra(build)
  const { node, settings } = call as GradientCall<number>
  const y = node.outputs[0] as string
  const axis = resolveAxis(node, settings, build.shapeOf(y).length)
  return [sub(onlyGradient(call), mul(exp(y), sum(onlyGradient(call), [axis])))]
}

/** The values' gradients go to the places that the indices say. */
const topK: GradientRule = ({ node, outputs: [gradient] }, build) => {
  if (gradient === undefined) return [undefined, undefined]
  const zeros = build.filled(0, build.shapeOf(node.inputs[0] as string))
  const axis = (node.attributes.axis as number | undefined) ?? -1
  const given = node.outputs[1] ?? ''
  const indices = given === '' ? build.nodes('topK', node.inputs, node.attributes, 2)[1] as string : given
  return [build.node('scatterElements', [zeros, indices, gradient], { axis, reduction: 'add' }), undefined]
}

export const REDUCTIONS: GradientRules = {
  reduceSum: reducing(({ gradient }) => gradient),
  reduceMean: reducing(({ build, gradient, count, mul }) => mul(gradient, build.constant(1 / count))),
  reduceL1: reducing(({ build, x, gradient, mul }) => mul(gradient, build.node('sign', [x]))),
  reduceL2: norm,
  reduceLogSum: reducing(({ y, gradient, div, exp }) => div(gradient, exp(y))),
  reduceLogSumExp: reducing(({ x, y, gradient, mul, sub, exp }) => mul(gradient, exp(sub(x, y)))),
  reduceSumSquare: reducing(({ x, gradient, add, mul }) => mul(x, add(gradient, gradient))),
  reduceMax: extreme,
  reduceMin: extreme,
  reduceProd: product,
  cumSum,
  softmax,
  logSoftmax,
  topK,
  argMax: none,
  argMin: none,
}
