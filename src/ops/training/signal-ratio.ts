import { SignalRatioCall } from '../../contract/gradients/losses.ts'
import { LstmError } from '../../errors.ts'
import { formatShape } from '../../values/shape.ts'
import { numberOf } from '../node/attributes.ts'
import { label } from '../node/checks.ts'
import type { Operator } from '../operator.ts'
import { checkTarget, gradientOf, kernelsOf, NO_COST, outputsOf, predictionOf } from './losses.ts'

interface SignalRatio {
  readonly preEmphasis: number
  readonly ratioWeight: number
  readonly meanWeight: number
  readonly epsilon: number
}

/**
 * The error-to-signal ratio of sounds (see `signalRatioF32`). Inputs: p and targets, float32 [batch, timesteps] or [batch, timesteps, channels]. Attributes:
 * `preEmphasis` (default 0.85), `ratioWeight` (0.75), `meanWeight` (0.25), `epsilon` (1e-5). Outputs: losses [batch], and their gradient by p.
 */
export const signalRatio: Operator<SignalRatio> = {
  name: 'signalRatio',
  mostInputs: 2,
  attributes: ['preEmphasis', 'ratioWeight', 'meanWeight', 'epsilon'],
  time: 'unknown',
  parse: (node) => ({
    preEmphasis: numberOf(node, 'preEmphasis', 0.85), ratioWeight: numberOf(node, 'ratioWeight', 0.75), meanWeight: numberOf(node, 'meanWeight', 0.25),
    epsilon: numberOf(node, 'epsilon', 1e-5),
  }),
  infer(node, context) {
    const shape = predictionOf(node, context, 2)
    if (shape.length > 3) throw new LstmError('SHAPE', `${label(node)}: expected [batch, timesteps] or [batch, timesteps, channels], got ${formatShape(shape)}`)
    checkTarget(node, context, 1, 'float32', shape)
    return outputsOf(shape.slice(0, 1), shape)
  },
  cost: () => NO_COST,
  plan(_node, planner, settings) {
    const { signalRatioF32 } = kernelsOf(planner)
    const [rows, steps, channels = 1] = planner.shapeOf(0) as [number, number, number?]
    const [p, targets, losses, gradient] = [planner.input(0), planner.input(1), planner.output(0), gradientOf(planner)]
    const call = planner.record(SignalRatioCall, { rows, steps, channels, ...settings })
    planner.step(() => signalRatioF32(call.ptr, p.ptr, targets.ptr, losses.ptr, gradient.ptr))
  },
}
