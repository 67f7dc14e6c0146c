import type { TrainingKernels } from '../../runtime/gradient-kernels.ts'
import { lengthOf } from '../../values/shape.ts'
import { bindFunction, type BoundFunction } from '../elementwise/functions.ts'
import { numberOf } from '../node/attributes.ts'
import { hasInput, label, requireInput } from '../node/checks.ts'
import type { Operator } from '../operator.ts'

/** Functions whose derivative follows from their result. */
const OF_RESULT: readonly string[] = ['sigmoid', 'tanh', 'relu', 'hardSigmoid', 'exp', 'sqrt', 'reciprocal']
/** Those whose derivative is made of both. */
const OF_BOTH: readonly string[] = ['gelu', 'silu', 'mish']

/** Which of x and f(x) the derivative of a function is made of. What is not read needs not be kept. */
export function derivativeReads(name: string): { readonly x: boolean, readonly y: boolean } {
  return { x: !OF_RESULT.includes(name), y: OF_RESULT.includes(name) || OF_BOTH.includes(name) }
}

/**
 * gradient f'(x), element by element. Inputs: gradient, x, y = f(x), float32 of one shape; of x and y, what `derivativeReads` says, the other one
 * may be absent. Attributes: `function`, its name, and its constants `alpha` and `beta`.
 */
export const activationGradient: Operator<BoundFunction> = {
  name: 'activationGradient',
  mostInputs: 3,
  attributes: ['function', 'alpha', 'beta'],
  time: 'unknown',
  parse: (node) => bindFunction(String(node.attributes.function), numberOf(node, 'alpha', undefined), numberOf(node, 'beta', undefined), label(node)),
  infer(node, context, { name }) {
    const gradient = requireInput(node, context, 0, 'float32')
    const reads = derivativeReads(name)
    if (reads.x) requireInput(node, context, 1, 'float32', gradient.shape.length)
    if (reads.y) requireInput(node, context, 2, 'float32', gradient.shape.length)
    return [gradient]
  },
  cost: (_node, _context, { name }) => ({ detail: name, multiplyAdds: 0 }),
  plan(node, planner, { code, alpha, beta }) {
    const { activationGradientF32 } = planner.kernels as TrainingKernels
    const [gradient, out] = [planner.input(0), planner.output(0)]
    const x = planner.input(hasInput(node, 1) ? 1 : 2)
    const y = planner.input(hasInput(node, 2) ? 2 : 1)
    const length = lengthOf(planner.shapeOf(0))
    planner.step(() => activationGradientF32(code, alpha, beta, gradient.ptr, x.ptr, y.ptr, out.ptr, length))
  },
}
