// Arithmetic and choices, element by element. Inputs broadcast: gradients are summed over what was repeated.
import { LstmError } from '../../errors.ts'
import type { Grid } from '../../ops/elementwise/through-integers.ts'
import { hasInput, label } from '../../ops/node/checks.ts'
import type { GraphNode } from '../../ops/graph-data.ts'
import { algebra } from '../algebra.ts'
import type { GradientCall, GradientRule, GradientRules } from '../rule.ts'
import { broadcasting, onlyGradient } from '../usual/elementwise.ts'

const inputsOf = ({ node }: GradientCall): [string, string] => [node.inputs[0] as string, node.inputs[1] as string]
const outputOf = ({ node }: GradientCall): string => node.outputs[0] as string

const sub = broadcasting((call, build) => [() => onlyGradient(call), () => algebra(build).neg(onlyGradient(call))])

/** By b: -gradient a / b^2 = -gradient y / b. */
const div = broadcasting((call, build) => {
  const { mul: times, div: over, neg } = algebra(build)
  const [, b] = inputsOf(call)
  return [() => over(onlyGradient(call), b), () => neg(over(times(onlyGradient(call), outputOf(call)), b))]
})

/** y = a - n b with n whole: floor(a / b), or a / b cut towards zero with `fmod`. */
const mod = broadcasting((call, build) => {
  const { sub: minus, mul: times, div: over } = algebra(build)
  const [a, b] = inputsOf(call)
  return [() => onlyGradient(call), () => times(onlyGradient(call), build.node('round', [over(minus(outputOf(call), a), b)]))]
})

/** By x: y x^(y - 1), 0 for y = 0; by y: x^y log x, 0 where x = 0 and y >= 0: as PyTorch. */
const pow = broadcasting((call, build) => {
  const { mul: times, sub: minus, where } = algebra(build)
  const [x, y] = inputsOf(call)
  const [zero, one] = [build.constant(0), build.constant(1)]
  return [
    () => {
      const made = times(onlyGradient(call), times(y, build.node('pow', [x, minus(y, one)])))
      const isZeroNowhere = build.valueOf(y)?.data.every((exponent) => exponent !== 0) === true
      return isZeroNowhere ? made : where(build.node('equal', [y, zero]), zero, made)
    },
    () => {
      const none = build.node('and', [build.node('equal', [x, zero]), build.node('greaterOrEqual', [y, zero])])
      return where(none, zero, times(onlyGradient(call), times(outputOf(call), build.node('log', [x]))))
    },
  ]
})

/** Equal extremes share the gradient, as in PyTorch. */
const extreme = broadcasting((call, build) => {
  const { add: plus, mul: times, div: over, mask } = algebra(build)
  const { inputs } = call.node
  if (inputs.length === 1) return [() => onlyGradient(call)]
  const masks = inputs.map((name) => mask(build.node('equal', [name, outputOf(call)])))
  const part = over(onlyGradient(call), masks.reduce(plus))
  return masks.map((own) => () => times(part, own))
})

/** Up to and with the bounds, the gradient is x's; beyond, the bound's. */
const clip: GradientRule = (call, build) => {
  const { where } = algebra(build)
  const { node: { inputs }, wanted } = call
  const [x, low, high] = [0, 1, 2].map((position) => (hasInput(call.node, position) ? inputs[position] : undefined)) as [string, string?, string?]
  const [below, above] = [low === undefined ? undefined : build.node('less', [x, low]), high === undefined ? undefined : build.node('greater', [x, high])]
  const gradient = onlyGradient(call)
  const zero = build.constant(0)
  const beyond = [below, above].filter((condition) => condition !== undefined)
  const inside = (): string => beyond.reduce((left, condition) => where(condition, zero, left), gradient)
  const bound = (condition: string | undefined, name: string | undefined): string | undefined => (
    condition === undefined || name === undefined ? undefined : build.sumTo(where(condition, gradient, zero), build.shapeOf(name))
  )
  return [wanted[0] ? inside() : undefined, wanted[1] ? bound(below, low) : undefined, wanted[2] ? bound(above, high) : undefined]
}

const where: GradientRule = ({ node: { inputs }, outputs: [gradient = ''], wanted }, build) => {
  const [condition = '', a = '', b = ''] = inputs
  const zero = build.constant(0)
  const { where: choose } = algebra(build)
  return [
    undefined,
    wanted[1] ? build.sumTo(choose(condition, gradient, zero), build.shapeOf(a)) : undefined,
    wanted[2] ? build.sumTo(choose(condition, zero, gradient), build.shapeOf(b)) : undefined,
  ]
}

/** float32 from float32 alone: whole numbers have no gradient. */
const cast: GradientRule = (call, build) => (build.dtypeOf(call.node.outputs[0] as string) === 'float32' ? [onlyGradient(call)] : [undefined])

/** As if nothing were rounded, within what the whole numbers reach (straight through: PyTorch's fake_quantize). */
const throughIntegers: GradientRule = (call, build) => {
  const { add: plus, div: over, mul: times, mask } = algebra(build)
  const { node: { inputs: [x = ''] }, settings: { scale, zero, least, most } } = call as GradientCall<Grid>
  const whole = plus(build.node('round', [over(x, build.constant(scale))]), build.constant(zero))
  const inside = build.node('and', [build.node('greaterOrEqual', [whole, build.constant(least)]), build.node('lessOrEqual', [whole, build.constant(most)])])
  return [times(onlyGradient(call), mask(inside))]
}

/** Of what has no gradient: positions, truth, whole numbers. */
export const none: GradientRule = ({ node }) => node.inputs.map(() => undefined)

/** @throws LstmError `UNSUPPORTED` */
export function refuse(node: GraphNode, what: string): never {
  throw new LstmError('UNSUPPORTED', `training: ${label(node)}: ${what} has no gradient`)
}

export const ARITHMETIC: GradientRules = {
  sub, div, mod, pow, min: extreme, max: extreme, clip, where, cast, throughIntegers,
  and: none, or: none, xor: none, not: none, equal: none, greater: none, greaterOrEqual: none, less: none, lessOrEqual: none, isNaN: none,
}
