import { LstmError } from '../../errors.ts'
import type { TrainingKernels } from '../../runtime/gradient-kernels.ts'
import { formatShape, lengthOf } from '../../values/shape.ts'
import { finiteOf, integerOf } from '../node/attributes.ts'
import { label, requireInput } from '../node/checks.ts'
import type { Operator } from '../operator.ts'

interface DropSettings {
  readonly rate: number
  readonly stream: number
}

/**
 * Dropout as training has it: each element becomes 0 with the probability `rate`, and is divided by 1 - rate otherwise. Inputs: x [batch, ...],
 * float32; seed, int32 [3]: the seed of the run, the number of the step, and the number of the first row in its batch. Attributes: `rate`, from 0 to 1;
 * `stream`: nodes of different streams drop different elements.
 *
 * The same seed, step and stream drop the same elements: the gradient is the same node of the gradient.
 */
export const drop: Operator<DropSettings> = {
  name: 'drop',
  mostInputs: 2,
  attributes: ['rate', 'stream'],
  time: 'unknown',
  draws: true,
  parse(node) {
    const rate = finiteOf(node, 'rate', 0)
    if (rate > 1) throw new LstmError('VALUE', `${label(node)}: expected a number from 0 to 1 for 'rate', got ${rate}`)
    return { rate, stream: integerOf(node, 'stream', 0) }
  },
  infer(node, context) {
    const x = requireInput(node, context, 0, 'float32')
    const seed = requireInput(node, context, 1, 'int32', 1)
    if (seed.shape[0] !== 3) throw new LstmError('SHAPE', `${label(node)}: expected a seed [3], got ${formatShape(seed.shape)}`)
    return [x]
  },
  cost: (_node, _context, { rate }) => ({ detail: `rate ${rate}`, multiplyAdds: 0 }),
  plan(_node, planner, { rate, stream }) {
    const { dropoutF32 } = planner.kernels as TrainingKernels
    const [rows = 1, ...row] = planner.shapeOf(0)
    const columns = lengthOf(row)
    const [x, seed, out] = [planner.input(0), planner.input(1), planner.output(0)]
    planner.step(() => dropoutF32(rate, stream, seed.ptr, x.ptr, out.ptr, rows, columns))
  },
}
