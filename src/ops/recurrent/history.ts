import { bytesOf } from '../../values/dtype.ts'
import { lengthOf } from '../../values/shape.ts'
import { integerOf, resolveAxis } from '../node/attributes.ts'
import { anyInput } from '../node/checks.ts'
import { freshSize } from '../node/sizes.ts'
import type { Operator } from '../operator.ts'

interface HistorySettings {
  /** The axis as it is written: it may count from the end. */
  readonly given: number
  readonly steps: number
}

/**
 * The last steps of the runs before, then those of this run: what a window over timesteps sees in a stream. Zeros at first.
 * Input: x [batch, ...], any dtype. Attributes: `axis` of the timesteps, `steps` that are remembered.
 */
export const history: Operator<HistorySettings> = {
  name: 'history',
  mostInputs: 1,
  attributes: ['axis', 'steps'],
  time: 'unknown',
  parse: (node) => ({ given: integerOf(node, 'axis'), steps: integerOf(node, 'steps', undefined, 0) }),
  infer(node, context, { given, steps }) {
    const { dtype, shape } = anyInput(node, context, 0)
    const axis = resolveAxis(node, given, shape.length)
    return [{ dtype, shape: shape.map((size, n) => (n !== axis ? size : typeof size === 'number' ? size + steps : freshSize(node, axis))) }]
  },
  cost: (_node, _context, { steps }) => ({ detail: `${steps} steps remembered`, multiplyAdds: 0 }),
  plan(node, planner, { given, steps }) {
    const { copyRows } = planner.kernels
    const shape = planner.shapeOf(0)
    const axis = resolveAxis(node, given, shape.length)
    const outer = lengthOf(shape.slice(0, axis))
    const stepBytes = lengthOf(shape.slice(axis + 1)) * bytesOf(planner.dtypeOf(0))
    const keptBytes = steps * stepBytes
    const newBytes = (shape[axis] as number) * stepBytes
    const [x, y] = [planner.input(0), planner.output(0)]
    const rows = shape[0] as number
    const kept = planner.state('window', 1, rows, outer / rows * keptBytes)
    planner.step(() => {
      copyRows(kept.ptr, keptBytes, y.ptr, keptBytes + newBytes, outer, keptBytes)
      copyRows(x.ptr, newBytes, y.ptr + keptBytes, keptBytes + newBytes, outer, newBytes)
      copyRows(y.ptr + newBytes, keptBytes + newBytes, kept.ptr, keptBytes, outer, keptBytes)
    })
  },
}
