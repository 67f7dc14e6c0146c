// Recurrent layers without gates.
import type { RnnSettings } from '../../ops/recurrent/rnn.ts'
import { rnnBackward, RNN_INPUTS, trainedRnn } from '../../ops/training/rnn.ts'
import type { GradientFamily } from '../family.ts'
import { backwardRule, biasSum, lowerStack, rowFunction, type CellLowering } from '../usual/recurrent.ts'

const rnnCell: CellLowering<RnnSettings> = {
  states: 1,
  refusal: ({ functions }) => rowFunction(functions.flat()),
  add(call, { hiddenSize }) {
    const { build, x, mask, drop, states, constantOf, attributes } = call
    const [w, u] = (['inputWeights', 'recurrentWeights'] as const).map((weight) => {
      const k = weight === 'inputWeights' ? build.shapeOf(x)[2] as number : hiddenSize
      return build.packed(constantOf(weight) as string, { k, units: hiddenSize, gates: 1 })
    })
    const [y, h] = build.nodes('trainedRnn', [x, w as string, u as string, biasSum(call), states[0] as string, mask, drop], attributes, 3)
    return [y as string, h as string]
  },
}

export const family: GradientFamily = {
  operators: [trainedRnn, rnnBackward],
  lowerings: { rnn: lowerStack(rnnCell) },
  rules: { trainedRnn: backwardRule('rnnBackward', 7, 2, [RNN_INPUTS.x, RNN_INPUTS.w, RNN_INPUTS.u, RNN_INPUTS.bias, RNN_INPUTS.h0]) },
}
