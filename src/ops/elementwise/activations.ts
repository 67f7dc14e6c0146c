import { lengthOf } from '../../values/shape.ts'
import { numberOf } from '../node/attributes.ts'
import { label, requireInput } from '../node/checks.ts'
import { bindFunction, COMMON_FUNCTIONS, constantNames, findFunction, type BoundFunction } from './functions.ts'
import type { Operator } from '../operator.ts'

/** out = f(in), element by element, any shape; constants of the function are attributes. */
export function elementwise(name: string): Operator<BoundFunction> {
  return {
    name,
    onnx: findFunction(name)?.onnx,
    mostInputs: 1,
    attributes: constantNames(name),
    time: 'pointwise',
    parse(node) {
      const [alpha, beta] = ['alpha', 'beta'].map((constant) => numberOf(node, constant, undefined))
      return bindFunction(name, alpha, beta, label(node))
    },
    infer: (node, context) => [requireInput(node, context, 0, 'float32')],
    cost: () => ({ detail: '', multiplyAdds: 0 }),
    plan(_node, planner, { code, alpha, beta }) {
      const { activateF32 } = planner.kernels
      const x = planner.input(0)
      const y = planner.output(0)
      const length = lengthOf(planner.shapeOf(0))
      planner.step(() => activateF32(code, alpha, beta, x.ptr, y.ptr, length))
    },
  }
}

/** Operators for the common functions: sigmoid, tanh, relu. As an operator, `linear` is the dense layer. */
export const functionOperators: readonly Operator[] = COMMON_FUNCTIONS.filter((name) => name !== 'linear').map(elementwise)

/** Identity: dropout acts in training only. `rate` is kept so that a model can be written back whole. */
export const dropout: Operator<number> = {
  name: 'dropout',
  onnx: 'Dropout',
  mostInputs: 1,
  attributes: ['rate'],
  time: 'pointwise',
  padding: 'kept',
  carriesZeros: true,
  parse: (node) => numberOf(node, 'rate', 0),
  infer: (node, context) => [requireInput(node, context, 0, 'float32')],
  cost: (_node, _context, rate) => ({ detail: `rate ${rate}, identity at inference`, multiplyAdds: 0 }),
  plan: (_node, planner) => planner.alias(0, 0),
}
