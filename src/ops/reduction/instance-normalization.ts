import { NormalizeCall } from '../../contract/arrays/normalize.ts'
import { LstmError } from '../../errors.ts'
import { formatShape, lengthOf } from '../../values/shape.ts'
import { label } from '../node/checks.ts'
import type { Operator } from '../operator.ts'
import { rowwise } from '../time/rules.ts'
import { channelInput, epsilonAttribute } from './normalization.ts'

/** Normalisation of each channel of each batch row by itself. Inputs: x [batch, channels, ...], scale and bias [channels]. Attribute: `epsilon` 1e-5. */
export const instanceNormalization: Operator<number> = {
  name: 'instanceNormalization',
  onnx: 'InstanceNormalization',
  mostInputs: 3,
  attributes: ['epsilon'],
  time: rowwise((_node, shape) => shape.map((_, axis) => axis).slice(2)),
  parse: epsilonAttribute,
  infer(node, context) {
    const x = channelInput(node, context, false, [1, 2])
    if (x.shape.length < 3) throw new LstmError('SHAPE', `${label(node)}: expected [batch, channels, ...], got ${formatShape(x.shape)}`)
    return [x]
  },
  cost: () => ({ detail: '', multiplyAdds: 0 }),
  plan(_node, planner, epsilon) {
    const { normalizeF32 } = planner.kernels
    const shape = planner.shapeOf(0)
    const channels = shape[1] as number
    const [rows, columns] = [(shape[0] as number) * channels, lengthOf(shape.slice(2))]
    const [x, scale, bias, y] = [planner.input(0), planner.input(1), planner.input(2), planner.output(0)]
    const call = planner.record(NormalizeCall, { centred: 1, rows, columns, channels, epsilon })
    planner.step(() => normalizeF32(call.ptr, x.ptr, y.ptr, scale.ptr, bias.ptr))
  },
}
