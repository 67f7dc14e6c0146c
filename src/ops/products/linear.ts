import { lengthOf } from '../../values/shape.ts'
import { requireFeatures, requireInput, requireMatrix, requireParameter } from '../node/checks.ts'
import type { GraphNode } from '../graph-data.ts'
import type { InferenceContext, Operator } from '../operator.ts'
import { rowwise } from '../time/rules.ts'
import { narrowByRows, packDense, productCall, productWorkspace } from './dense.ts'

/** Checks the weights and returns `[inputSize, units]`. */
function sizes(node: GraphNode, context: Pick<InferenceContext, 'parameter'>): [number, number] {
  const [units, inputSize] = requireMatrix(node, context, '[units, inputSize]')
  if (node.parameters.bias !== undefined) requireParameter(node, context, 'bias', [units])
  return [inputSize, units]
}

/**
 * y = x W^T + b along the last axis: PyTorch's Linear, Keras's Dense.
 * Weights: `weight` [units, inputSize], `bias` [units] (optional).
 */
export const linear: Operator<unknown, number> = {
  name: 'linear',
  mostInputs: 1,
  roles: ['weight', 'bias'],
  attributes: [],
  time: rowwise(() => [-1]),
  infer(node, context) {
    const x = requireInput(node, context, 0, 'float32')
    const [inputSize, units] = sizes(node, context)
    requireFeatures(node, x, inputSize)
    return [{ dtype: 'float32', shape: [...x.shape.slice(0, -1), units] }]
  },
  cost(node, context) {
    const [inputSize, units] = sizes(node, context)
    return { detail: `${inputSize} -> ${units}`, multiplyAdds: inputSize * units }
  },
  narrowWeights: narrowByRows,
  prepare(node, packer) {
    const [inputSize, units] = sizes(node, packer)
    return packDense(packer, 'weight', packer.upload('bias'), inputSize, units)
  },
  plan(_node, planner, _settings, packedPtr) {
    const { gemmF32 } = planner.kernels
    const x = planner.input(0)
    const y = planner.output(0)
    const inputSize = planner.shapeOf(0).at(-1) as number
    const units = planner.outputShape(0).at(-1) as number
    const rows = lengthOf(planner.shapeOf(0)) / inputSize
    const workspace = productWorkspace(planner, packedPtr, rows)
    const call = productCall(planner, rows, inputSize, units)
    planner.step(() => gemmF32(call.ptr, packedPtr, x.ptr, y.ptr, workspace.ptr))
  },
}
