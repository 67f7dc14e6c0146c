import { LstmError } from '../../errors.ts'
import { lengthOf } from '../../values/shape.ts'
import { label, requireInput } from '../node/checks.ts'
import { movementCost } from '../layout/movement.ts'
import type { Operator } from '../operator.ts'

/**
 * `embedding` with a table that is no constant. Inputs: table [vocabulary, width], float32; indices [...], int32, from 0 to vocabulary - 1: another
 * one is an error at run time. Result: [..., width].
 */
export const lookUp: Operator = {
  name: 'lookUp',
  mostInputs: 2,
  attributes: [],
  time: 'unknown',
  mayRefuse: () => true,
  infer(node, context) {
    const { shape } = requireInput(node, context, 0, 'float32', 2)
    return [{ dtype: 'float32', shape: [...requireInput(node, context, 1, 'int32').shape, shape[1] as number] }]
  },
  cost: movementCost,
  plan(node, planner) {
    const { embeddingF32 } = planner.kernels
    const [rows, width] = planner.shapeOf(0) as unknown as [number, number]
    const [table, indices, out] = [planner.input(0), planner.input(1), planner.output(0)]
    const length = lengthOf(planner.shapeOf(1))
    planner.step(() => {
      const bad = embeddingF32(indices.ptr, 0, length, table.ptr, rows, width, out.ptr)
      if (bad >= 0) throw new LstmError('VALUE', `${label(node)}: expected indices from 0 to ${rows - 1}, got another one at element ${bad} of the input`)
    })
  },
}
