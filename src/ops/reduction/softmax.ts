import { lengthOf } from '../../values/shape.ts'
import { integerOf, resolveAxis } from '../node/attributes.ts'
import { requireInput } from '../node/checks.ts'
import type { Operator } from '../operator.ts'
import { rowwise } from '../time/rules.ts'

/** A function of the rows along an axis; along another axis than the last one they are transposed to and fro. */
export function alongAxis(name: string, onnx: string, kernel: 'softmaxF32' | 'logSoftmaxF32'): Operator<number> {
  return {
    name,
    onnx,
    mostInputs: 1,
    attributes: ['axis'],
    time: rowwise((_node, _shape, axis) => [axis]),
    parse: (node) => integerOf(node, 'axis', -1),
    infer(node, context, axis) {
      const x = requireInput(node, context, 0, 'float32')
      resolveAxis(node, axis, x.shape.length)
      return [x]
    },
    cost: () => ({ detail: '', multiplyAdds: 0 }),
    plan(node, planner, given) {
      const { transposeF32, [kernel]: run } = planner.kernels
      const shape = planner.shapeOf(0)
      const axis = resolveAxis(node, given, shape.length)
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
export const softmax: Operator<number> = alongAxis('softmax', 'Softmax', 'softmaxF32')
