import type { TrainingKernels } from '../../runtime/gradient-kernels.ts'
import { lengthOf } from '../../values/shape.ts'
import { requireInput } from '../node/checks.ts'
import { integerOf } from '../node/attributes.ts'
import type { GraphNode, ValueType } from '../graph-data.ts'
import type { Operator, Slot } from '../operator.ts'
import { productCall } from '../products/dense.ts'
import { inputOf, outputOf } from './layer.ts'

interface LinearSettings {
  readonly units: number
}

const parse = (node: GraphNode): LinearSettings => ({ units: integerOf(node, 'units', undefined, 1) })

/**
 * `linear` for training, with its weights as values: y = x w + bias along the last axis.
 * Inputs: x; w, packed; bias [units], optional. Output: y.
 */
export const trainedLinear: Operator<LinearSettings> = {
  name: 'trainedLinear',
  mostInputs: 3,
  attributes: ['units'],
  time: 'unknown',
  parse,
  infer(node, context, { units }) {
    const x = requireInput(node, context, 0, 'float32')
    return [{ dtype: 'float32', shape: [...x.shape.slice(0, -1), units] }]
  },
  cost: () => ({ detail: '', multiplyAdds: 0 }),
  plan(_node, planner, { units }) {
    const kernels = planner.kernels as TrainingKernels
    const [x, w, y] = [planner.input(0), planner.input(1), planner.output(0)]
    const bias = inputOf(planner, 2)
    const inputSize = planner.shapeOf(0).at(-1) as number
    const rows = lengthOf(planner.shapeOf(0)) / inputSize
    const call = productCall(planner, rows, inputSize, units)
    planner.step(() => {
      kernels.setBias(w.ptr, bias.ptr, 0, 0)
      kernels.gemmF32(call.ptr, w.ptr, x.ptr, y.ptr, 0)
    })
  },
}

/** The way back through `trainedLinear`. Inputs: x, w, the gradient of y. Outputs: the gradients of x, of w (packed) and of the bias [units]. */
export const linearBackward: Operator<LinearSettings> = {
  name: 'linearBackward',
  mostInputs: 3,
  attributes: ['units'],
  time: 'unknown',
  parse,
  infer(node, context, { units }) {
    const like = (position: number): ValueType => requireInput(node, context, position, 'float32')
    return [like(0), like(1), { dtype: 'float32', shape: [units] }]
  },
  cost: () => ({ detail: '', multiplyAdds: 0 }),
  plan(_node, planner, { units }) {
    const kernels = planner.kernels as TrainingKernels
    const [x, w, dy] = [planner.input(0), planner.input(1), planner.input(2)]
    const [dx, dw, dbias] = [0, 1, 2].map((position) => outputOf(planner, position)) as [Slot, Slot, Slot]
    const inputSize = planner.shapeOf(0).at(-1) as number
    const rows = lengthOf(planner.shapeOf(0)) / inputSize
    const workspace = planner.workspace(kernels.denseBackwardBytes(inputSize, units, rows))
    const call = productCall(planner, rows, inputSize, units)
    planner.step(() => kernels.denseBackwardF32(call.ptr, w.ptr, x.ptr, dy.ptr, dx.ptr, dw.ptr, dbias.ptr, workspace.ptr))
  },
}
