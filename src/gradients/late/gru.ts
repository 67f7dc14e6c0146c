// GRUs.
import type { GruSettings } from '../../ops/recurrent/gru.ts'
import { gruBackward, GRU_INPUTS, trainedGru } from '../../ops/training/gru.ts'
import type { GradientFamily } from '../family.ts'
import { backwardRule, lowerStack, rowFunction, type CellLowering } from '../usual/recurrent.ts'

const gruCell: CellLowering<GruSettings> = {
  states: 1,
  refusal: ({ functions }) => rowFunction(functions.flat()),
  add({ build, x, mask, drop, states, constantOf, attributes }, { hiddenSize, resetAfter }) {
    const inputs = Array.from({ length: 9 }, () => '')
    const set = (position: keyof typeof GRU_INPUTS, value: string): void => {
      inputs[GRU_INPUTS[position]] = value
    }
    const u = constantOf('recurrentWeights') as string
    const bias = (name: string): string => {
      const constant = constantOf(name)
      return constant === undefined ? '' : build.parameter(constant)
    }
    set('x', x)
    set('w', build.packed(constantOf('inputWeights') as string, { k: build.shapeOf(x)[2] as number, units: hiddenSize, gates: 3 }))
    set('u', build.packed(u, resetAfter ? { k: hiddenSize, units: hiddenSize, gates: 3 } : { k: hiddenSize, units: hiddenSize, gates: 2, begin: 0 }))
    if (!resetAfter) set('candidate', build.packed(u, { k: hiddenSize, units: hiddenSize, gates: 1, begin: 2 }))
    set('inputBias', bias('inputBias'))
    set('recurrentBias', bias('recurrentBias'))
    set('h0', states[0] as string)
    set('mask', mask)
    set('drop', drop)
    const [y, h] = build.nodes('trainedGru', inputs, attributes, 3)
    return [y as string, h as string]
  },
}

export const family: GradientFamily = {
  operators: [trainedGru, gruBackward],
  lowerings: { gru: lowerStack(gruCell) },
  rules: {
    trainedGru: backwardRule('gruBackward', 9, 2, [
      GRU_INPUTS.x, GRU_INPUTS.w, GRU_INPUTS.u, GRU_INPUTS.candidate, GRU_INPUTS.inputBias, GRU_INPUTS.recurrentBias, GRU_INPUTS.h0,
    ]),
  },
}
