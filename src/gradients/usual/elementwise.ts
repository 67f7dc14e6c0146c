// Functions, sums and products, element by element. Inputs broadcast: gradients are summed over what was repeated.
import { FUNCTION_NAMES } from '../../ops/elementwise/function-table.ts'
import type { BoundFunction } from '../../ops/elementwise/functions.ts'
import { derivativeReads } from '../../ops/training/activation-gradient.ts'
import type { GradientBuilder, GradientCall, GradientRule, GradientRules } from '../rule.ts'

/** The gradient of the only output. */
export function onlyGradient({ outputs }: GradientCall): string {
  return outputs[0] as string
}

/** What the gradient of each input is before it is summed over what was repeated. */
type Parts = (call: GradientCall, build: GradientBuilder) => readonly (() => string)[]

/** A rule of inputs that broadcast. */
export function broadcasting(parts: Parts): GradientRule {
  return (call, build) => {
    const made = parts(call, build)
    return call.node.inputs.map((name, position) => (
      call.wanted[position] === true ? build.sumTo((made[position] as () => string)(), build.shapeOf(name)) : undefined
    ))
  }
}

const add = broadcasting((call) => call.node.inputs.map(() => () => onlyGradient(call)))

const mul = broadcasting((call, build) => {
  const [a = '', b = ''] = call.node.inputs
  const times = (factor: string) => (): string => build.node('mul', [onlyGradient(call), factor])
  return [times(b), times(a)]
})

/** f'(x) by one kernel. */
const functionOf: GradientRule = (call: GradientCall<BoundFunction>, build) => {
  const { node: { inputs: [x = ''], outputs: [y = ''] }, settings: { name, alpha, beta } } = call
  if (STEPS.includes(name)) return [undefined]
  const reads = derivativeReads(name)
  return [build.node('activationGradient', [onlyGradient(call), reads.x ? x : '', reads.y ? y : ''], { function: name, alpha, beta })]
}

/** Functions that are level wherever they have a derivative. */
const STEPS: readonly string[] = ['floor', 'ceil', 'round', 'sign']

export const ELEMENTWISE: GradientRules = {
  add, sum: add, mul, ...Object.fromEntries(FUNCTION_NAMES.filter((name) => name !== 'linear').map((name) => [name, functionOf])),
}
