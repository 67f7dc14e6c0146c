import { lengthOf } from '../../values/shape.ts'
import { integerOf, resolveAxis } from '../node/attributes.ts'
import { requireInput } from '../node/checks.ts'
import type { GraphNode, Operator } from '../operator.ts'
import type { SymbolicShape } from '../../values/shape.ts'

function axisOf(node: GraphNode, shape: SymbolicShape): number {
  return resolveAxis(node, integerOf(node, 'axis', -1), shape.length)
}

/** A function of the rows along an axis; along another axis than the last one they are transposed to and fro. */
function alongAxis(name: string, kernel: 'softmaxF32' | 'logSoftmaxF32'): Operator {
  return {
    name,
    mostInputs: 1,
    attributes: ['axis'],
    infer(node, context) {
      const x = requireInput(node, context, 0, 'float32')
      axisOf(node, x.shape)
      return [x]
    },
    cost: () => ({ detail: '', multiplyAdds: 0 }),
    plan(node, planner) {
      const { transposeF32, [kernel]: run } = planner.kernels
      const shape = planner.shapeOf(0)
      const axis = axisOf(node, shape)
      const [x, y] = [planner.input(0), planner.output(0)]
      const length = shape[axis] as number
      const outer = lengthOf(shape.slice(0, axis))
      const inner = lengthOf(shape.slice(axis + 1))
      if (inner === 1) {
        planner.step(() => run(x.ptr, y.ptr, 0, outer, length))
        return
      }
      const rows = planner.workspace(lengthOf(shape) * 4)
      const bytes = length * inner * 4
      planner.step(() => {
        transposeF32(x.ptr, bytes, rows.ptr, bytes, outer, length, inner)
        run(rows.ptr, rows.ptr, 0, outer * inner, length)
        transposeF32(rows.ptr, bytes, y.ptr, bytes, outer, inner, length)
      })
    },
  }
}

/** e^x / sum(e^x) along `axis` (default -1). Input: x, float32. */
export const softmax: Operator = alongAxis('softmax', 'softmaxF32')
/** log(e^x / sum(e^x)) along `axis` (default -1). Input: x, float32. */
export const logSoftmax: Operator = alongAxis('logSoftmax', 'logSoftmaxF32')
