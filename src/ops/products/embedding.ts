import { LstmError } from '../../errors.ts'
import { int8Along, type PlacedTable } from '../constant.ts'
import type { ArrayLike } from '../../values/ndarray.ts'
import { lengthOf } from '../../values/shape.ts'
import { label, requireInput, requireMatrix } from '../node/checks.ts'
import type { GraphNode } from '../graph-data.ts'
import type { InferenceContext, Operator } from '../operator.ts'
import { along } from '../time/timing.ts'
import { narrowByRows } from './dense.ts'

/** `[rows, width]` of the table. */
const sizes = (node: GraphNode, context: Pick<InferenceContext, 'parameter'>): [number, number] => requireMatrix(node, context, '[vocabulary, width]')

/**
 * Rows of a table: int32 indices [...] -> [..., width].
 * Weight: `weight` [vocabulary, width]. An index outside the vocabulary is an error at run time.
 */
export const embedding: Operator<unknown, PlacedTable> = {
  name: 'embedding',
  mostInputs: 1,
  roles: ['weight'],
  attributes: [],
  time: (node, context) => along(node, context.timing(0)),
  infer(node, context) {
    const x = requireInput(node, context, 0, 'int32')
    const [, width] = sizes(node, context)
    return [{ dtype: 'float32', shape: [...x.shape, width] }]
  },
  cost(node, context) {
    const [rows, width] = sizes(node, context)
    return { detail: `${rows} entries of ${width}`, multiplyAdds: 0 }
  },
  mayRefuse: () => true,
  indexBounds: (node, context) => ({ input: 0, least: 0, most: sizes(node, context)[0] - 1 }),
  narrowWeights: narrowByRows,
  prepare(_node, packer) {
    const weight = packer.parameter('weight') as ArrayLike
    return int8Along(weight, 0)?.placeTable(packer) ?? [packer.place(weight.data)]
  },
  plan(node, planner, _settings, [tablePtr, scalePtr]) {
    const [rows, width] = sizes(node, planner)
    const { kernels } = planner
    const x = planner.input(0)
    const y = planner.output(0)
    const length = lengthOf(planner.shapeOf(0))
    planner.step(() => {
      const bad = scalePtr === undefined
        ? kernels.embeddingF32(x.ptr, 0, length, tablePtr, rows, width, y.ptr)
        : kernels.embeddingI8(x.ptr, 0, length, tablePtr, scalePtr, rows, width, y.ptr)
      if (bad >= 0) {
        throw new LstmError('VALUE', `${label(node)}: expected indices from 0 to ${rows - 1}, got another one at element ${bad} of the input`)
      }
    })
  },
}
