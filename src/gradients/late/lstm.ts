// LSTMs.
import type { LstmSettings } from '../../ops/recurrent/settings.ts'
import { lstmBackward, LSTM_INPUTS, trainedLstm } from '../../ops/training/lstm.ts'
import { NdArray } from '../../values/ndarray.ts'
import { lengthOf, type Shape } from '../../values/shape.ts'
import type { GradientFamily } from '../family.ts'
import type { LoweringBuilder } from '../lowering.ts'
import { backwardRule, biasSum, lowerStack, rowFunction, type CellLowering, type LayerCall } from '../usual/recurrent.ts'

/** The biases, and TensorFlow 1's forget bias. */
function shiftedBias(call: LayerCall, forgetBias: number, units: number): string {
  const sum = biasSum(call)
  if (forgetBias === 0) return sum
  const shift = forgetShift(call.build, forgetBias, units, [4 * units])
  return sum === '' ? shift : call.build.node('add', [sum, shift])
}

/** TensorFlow 1's forget bias, where gates are stacked: a constant that is no weight. */
function forgetShift(build: LoweringBuilder, forgetBias: number, units: number, shape: Shape): string {
  return build.constant(new NdArray(Float32Array.from({ length: lengthOf(shape) }, (_, n) => (n >= units && n < 2 * units ? forgetBias : 0)), shape))
}

/** Gain and shift of normalised gates, [10, units]. The forget bias comes after the normalisation, which would take it away: it is a part of the shift. */
function gainsAndShifts({ constantOf, build }: LayerCall, forgetBias: number, units: number): string {
  const [gain, shift] = (['normGain', 'normShift'] as const).map((weight) => build.parameter(constantOf(weight) as string)) as [string, string]
  const shifted = forgetBias === 0 ? shift : build.node('add', [shift, forgetShift(build, forgetBias, units, [5, units])])
  return build.node('concat', [gain, shifted], { axis: 0 })
}

const lstmCell: CellLowering<LstmSettings> = {
  states: 2,
  refusal: ({ delaySamples, functions }) => (
    delaySamples > 1 ? "'delaySamples'" : rowFunction(functions.flatMap(({ gate, candidate, output }) => [gate, candidate, output]))
  ),
  add(call, { hiddenSize, outputSize, forgetBias, hasProjection, layerNorm }) {
    const { build, x, mask, constantOf, attributes } = call
    const inputSize = build.shapeOf(x)[2] as number
    const peepholes = constantOf('peepholes')
    const inputs = Array.from({ length: 11 }, () => '')
    const set = (position: keyof typeof LSTM_INPUTS, value: string): void => {
      inputs[LSTM_INPUTS[position]] = value
    }
    set('x', x)
    set('w', build.packed(constantOf('inputWeights') as string, { k: inputSize, units: hiddenSize, gates: 4 }))
    set('u', build.packed(constantOf('recurrentWeights') as string, { k: outputSize, units: hiddenSize, gates: 4 }))
    set('bias', layerNorm ? biasSum(call) : shiftedBias(call, forgetBias, hiddenSize))
    set('h0', call.states[0] as string)
    set('c0', call.states[1] as string)
    set('mask', mask)
    set('drop', call.drop)
    if (hasProjection) set('projection', build.packed(constantOf('projection') as string, { k: hiddenSize, units: outputSize, gates: 0 }))
    if (peepholes !== undefined) set('peepholes', build.reshape(build.parameter(peepholes), [3, hiddenSize]))
    if (layerNorm) set('norm', gainsAndShifts(call, forgetBias, hiddenSize))
    return build.nodes('trainedLstm', inputs, attributes, 4)
  },
}

export const family: GradientFamily = {
  operators: [trainedLstm, lstmBackward],
  lowerings: { lstm: lowerStack(lstmCell) },
  rules: {
    trainedLstm: backwardRule('lstmBackward', 11, 3, [
      LSTM_INPUTS.x, LSTM_INPUTS.w, LSTM_INPUTS.u, LSTM_INPUTS.bias, LSTM_INPUTS.h0, LSTM_INPUTS.c0, LSTM_INPUTS.projection, LSTM_INPUTS.peepholes,
      LSTM_INPUTS.norm,
    ]),
  },
}
