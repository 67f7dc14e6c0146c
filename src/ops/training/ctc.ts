import { CtcCall } from '../../contract/gradients/ctc.ts'
import { LstmError } from '../../errors.ts'
import { integerOf, switchOf } from '../node/attributes.ts'
import { label, requireInput } from '../node/checks.ts'
import type { Operator, Planner } from '../operator.ts'
import { checkTarget, gradientOf, kernelsOf, NO_COST, outputsOf } from './losses.ts'

interface Ctc {
  readonly blank: number
  readonly perLabel: boolean
  readonly zeroInfinity: boolean
}

/**
 * Connectionist temporal classification of softmax(x): PyTorch's `ctc_loss`. Inputs: x float32 [batch, timesteps, classes]; labels int32 [batch, labels];
 * how many timesteps each row has, and how many labels, int32 [batch]. Attributes: `blank` (default 0), from the end where negative; `perLabel` (default
 * true): divided by the row's labels; `zeroInfinity` (default false): a row that no alignment fits has no loss. Outputs: losses [batch], their gradient by x.
 */
export const ctc: Operator<Ctc> = {
  name: 'ctc',
  mostInputs: 4,
  attributes: ['blank', 'perLabel', 'zeroInfinity'],
  time: 'unknown',
  parse: (node) => ({ blank: integerOf(node, 'blank', 0), perLabel: switchOf(node, 'perLabel', true), zeroInfinity: switchOf(node, 'zeroInfinity') }),
  infer(node, context, { blank }) {
    const { shape } = requireInput(node, context, 0, 'float32', 3)
    const [batch = 1, , classes = 1] = shape
    const labels = requireInput(node, context, 1, 'int32', 2).shape
    checkTarget(node, context, 1, 'int32', [batch, labels[1] ?? 1])
    checkTarget(node, context, 2, 'int32', [batch])
    checkTarget(node, context, 3, 'int32', [batch])
    if (typeof classes === 'number' && (blank >= classes || blank < -classes)) {
      throw new LstmError('VALUE', `${label(node)}: expected a blank from ${-classes} to ${classes - 1}, got ${blank}`)
    }
    return outputsOf([batch], shape)
  },
  cost: () => NO_COST,
  mayRefuse: () => true,
  plan(node, planner, { blank, perLabel, zeroInfinity }) {
    const { ctcF32 } = kernelsOf(planner)
    const [rows, steps, columns] = planner.shapeOf(0) as [number, number, number]
    const labels = planner.shapeOf(1)[1] as number
    const call = planner.record(CtcCall, {
      rows, steps, columns, labels, blank: blank < 0 ? blank + columns : blank, perLabel: Number(perLabel), zeroInfinity: Number(zeroInfinity),
    })
    const [x, given, stepCounts, labelCounts] = [0, 1, 2, 3].map((n) => planner.input(n)) as [Slotted, Slotted, Slotted, Slotted]
    const [losses, gradient] = [planner.output(0), gradientOf(planner)]
    const workspace = planner.workspace(8 * (steps * (2 * labels + 2) + 2 * (2 * labels + 1) + columns))
    planner.step(() => {
      const bad = ctcF32(call.ptr, x.ptr, given.ptr, stepCounts.ptr, labelCounts.ptr, losses.ptr, gradient.ptr, workspace.ptr)
      if (bad < 0) return
      throw new LstmError('VALUE', `${label(node)}: row ${bad}: expected 1 to ${steps} timesteps, and 0 to ${labels} labels that are classes from 0 to ${columns - 1} and not the blank; its counts or labels are others`)
    })
  },
}

type Slotted = ReturnType<Planner['input']>
