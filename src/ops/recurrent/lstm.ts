import { LstmError } from '../../errors.ts'
import { label } from '../node/checks.ts'
import { packCell } from './cell.ts'
import { describeFunctions, describeRun, describeStack, recurrentOperator } from './operator.ts'
import type { PackedCell } from './plan.ts'
import { LSTM_ATTRIBUTES, readSettings, type LstmSettings } from './settings.ts'
import type { Operator } from '../operator.ts'

/**
 * A stack of LSTM layers (Hochreiter and Schmidhuber 1997, with the
 * forget gate of Gers et al. 2000): the equations of PyTorch's LSTM and Keras's LSTM, and every option
 * that PyTorch, Keras, TensorFlow 1 and ONNX add to them (see `LstmSettings`).
 *
 * Inputs, outputs: see `recurrentOperator`; states h [.., outputSize] and c [.., hiddenSize]. With `delaySamples` above 1 there are no
 * initial states, mask and lengths: the history that such a state has is no input. Weights: see `LstmWeight`.
 */
export const lstm: Operator<LstmSettings, readonly (readonly PackedCell[])[]> = recurrentOperator<LstmSettings>({
  name: 'lstm',
  onnx: 'LSTM',
  attributes: LSTM_ATTRIBUTES,
  gates: 'An LSTM has four gates (input, forget, cell, output), each as wide as its units: hence the 4.',
  parse: readSettings,
  weights: ({ hiddenSize, outputSize, hasProjection, layerNorm }) => [
    ['peepholes', [3 * hiddenSize], false],
    ...(hasProjection ? [['projection', [outputSize, hiddenSize], true]] as const : []),
    ...(layerNorm ? [['normGain', [5, hiddenSize], true], ['normShift', [5, hiddenSize], true]] as const : []),
  ],
  check(node, { delaySamples }) {
    if (delaySamples > 1 && node.inputs.slice(1).some(Boolean)) {
      throw new LstmError('UNSUPPORTED', `${label(node)}: 'delaySamples' goes without initial states, masks and lengths`)
    }
  },
  moreMultiplyAdds: ({ hasProjection, hiddenSize, outputSize }) => (hasProjection ? hiddenSize * outputSize : 0),
  moreParameters: ({ hiddenSize, outputSize, hasProjection, layerNorm }, has) => [
    ...(has('peepholes') ? [[3, hiddenSize, 'peephole']] as const : []),
    ...(hasProjection ? [[hiddenSize, outputSize, 'projection']] as const : []),
    ...(layerNorm ? [[10, hiddenSize, 'normalisation']] as const : []),
  ],
  describe: (node, settings) => [
    ...describeStack(settings, settings.hasProjection && `projected to ${settings.outputSize}`),
    Object.keys(node.parameters).some((role) => role.endsWith('.peepholes')) && 'peepholes',
    settings.layerNorm && 'layer-normalised',
    settings.coupling !== 'none' && 'coupled gates',
    ...(['forgetBias', 'clip', 'cellClip', 'projClip'] as const).map((name) => settings[name] !== 0 && `${name} ${settings[name]}`),
    describeFunctions(settings.functions.map(({ gate, candidate, output }) => [gate, candidate, output]), ['sigmoid', 'tanh', 'tanh']),
    settings.delaySamples > 1 && `delaySamples ${settings.delaySamples}`,
    ...describeRun(settings),
  ],
  pack: packCell,
})
