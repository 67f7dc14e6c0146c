import { LstmError } from '../errors.ts'
import type { Kernels } from '../runtime/kernels.ts'
import { lengthOf } from '../values/shape.ts'
import { label, requireInput } from './checks.ts'
import type { Operator } from './operator.ts'

type ElementwiseKernel = 'sigmoidF32' | 'tanhF32' | 'reluF32'

/** out = f(in), element by element, any shape. */
function elementwise(name: string, kernel: ElementwiseKernel & keyof Kernels): Operator {
  return {
    name,
    attributes: [],
    infer: (node, context) => [requireInput(node, context, 0, 'float32')],
    cost: () => ({ detail: '', multiplyAdds: 0 }),
    plan(_node, planner) {
      const run = planner.kernels[kernel]
      const x = planner.input(0)
      const y = planner.output(0)
      const length = lengthOf(planner.shapeOf(0))
      planner.step(() => run(x.ptr, y.ptr, length))
    },
  }
}

/** 1 / (1 + e^-x). */
export const sigmoid: Operator = elementwise('sigmoid', 'sigmoidF32')
/** tanh x. */
export const tanh: Operator = elementwise('tanh', 'tanhF32')
/** max(0, x). */
export const relu: Operator = elementwise('relu', 'reluF32')

/** e^x / sum(e^x) along the last axis. */
export const softmax: Operator = {
  name: 'softmax',
  attributes: [],
  infer(node, context) {
    const x = requireInput(node, context, 0, 'float32')
    if (x.shape.length === 0) throw new LstmError('SHAPE', `${label(node)}: expected at least one axis, got a scalar`)
    return [x]
  },
  cost: () => ({ detail: '', multiplyAdds: 0 }),
  plan(_node, planner) {
    const { softmaxF32 } = planner.kernels
    const x = planner.input(0)
    const y = planner.output(0)
    const shape = planner.shapeOf(0)
    const columns = shape.at(-1) as number
    const rows = lengthOf(shape) / columns
    planner.step(() => softmaxF32(x.ptr, y.ptr, 0, rows, columns))
  },
}

/** Identity: dropout acts in training only. `rate` is kept so that a model can be written back whole. */
export const dropout: Operator = {
  name: 'dropout',
  attributes: ['rate'],
  infer: (node, context) => [requireInput(node, context, 0, 'float32')],
  cost: (node) => ({ detail: `rate ${String(node.attributes.rate ?? 0)}, identity at inference`, multiplyAdds: 0 }),
  plan: (_node, planner) => planner.alias(0, 0),
}
