import type { GraphNode } from '../graph/graph.ts'
import { checkKind } from '../options.ts'
import type { Layer } from './layer.ts'
import { LSTM_ALIASES, LSTM_OPTIONS, type AllLstmOptions, type MoreLstmOptions, type SpelledLstmOptions } from './lstm-options.ts'
import { readWords } from './options.ts'
import { activationAttributes, checkTogether, recurrentAttributes, recurrentLayer, refuse } from './recurrent.ts'
import { COUNT } from './recurrent-options.ts'

/**
 * An LSTM layer, or a stack of them.
 *
 *     lstm(128)                              // Keras: LSTM(128)
 *     lstm(128, { returnSequences: true })   // Keras: LSTM(128, return_sequences=True); PyTorch always does
 *     lstm({ hiddenSize: 128, numLayers: 2, bidirectional: true })
 *     lstm(128, { recurrentActivation: { name: 'hardSigmoid', keras: 2 } }) // what TensorFlow.js has by default
 *
 * The number of units is also known as hidden size, `num_units` and `n_hidden`; all these words are accepted.
 *
 * @throws LstmError `VALUE` for options that are unknown, out of range or contradict each other
 */
export function lstm(units: number | SpelledLstmOptions, options: MoreLstmOptions = {}): Layer {
  const positional = typeof units === 'object' && units !== null ? units : { units }
  const read = readWords<AllLstmOptions>(options, LSTM_OPTIONS, 'lstm', LSTM_ALIASES, positional)
  checkKind(read.hiddenSize, COUNT, 'lstm', 'units')
  check(read)
  const { projSize, peepholes = false, layerNorm = false } = read
  return recurrentLayer('lstm', 'lstm', read, { ...recurrentAttributes(read), ...attributesOf(read) }, { projSize, peepholes, layerNorm })
}

/** @throws LstmError `VALUE` for options that contradict each other, or say nothing without another one */
function check(read: AllLstmOptions): void {
  const { delaySamples = 1, mask = false, lengths = false } = read
  checkTogether('lstm', read, [['projClip', read.projSize !== undefined, 'projSize'], ['normEpsilon', read.layerNorm === true, 'layerNorm']])
  if (delaySamples > 1 && read.initialState) refuse('lstm', 'delaySamples goes without initialState: a delayed state has a history')
  if (delaySamples > 1 && (mask !== false || lengths !== false)) refuse('lstm', 'delaySamples goes without mask and lengths')
  for (const name of ['activation', 'recurrentActivation', 'outputActivation'] as const) {
    if (read.activations !== undefined && read[name] !== undefined) refuse('lstm', `'activations' and '${name}' say the same thing`)
  }
}

/** Attributes of LSTMs alone; those of the operator's defaults are left out. */
function attributesOf(read: AllLstmOptions): GraphNode['attributes'] {
  const {
    projSize, forgetBias = 0, cellClip = 0, projClip = 0, coupling = 'none', layerNorm = false, normEpsilon, delaySamples = 1,
    activation, recurrentActivation, outputActivation = activation,
  } = read
  const functions = [['recurrentActivation', recurrentActivation, 'sigmoid'], ['activation', activation, 'tanh'], ['outputActivation', outputActivation, 'tanh']] as const
  return {
    ...(projSize !== undefined && { projSize }),
    ...activationAttributes('lstm', functions, read.activations, read),
    ...(forgetBias !== 0 && { forgetBias }),
    ...(cellClip > 0 && { cellClip }),
    ...(projClip > 0 && { projClip }),
    ...(coupling !== 'none' && { coupling }),
    ...(layerNorm && { layerNorm }),
    ...(normEpsilon !== undefined && { normEpsilon }),
    ...(delaySamples > 1 && { delaySamples }),
  }
}
