// Reader of the RTNeural format: audio models in JSON, AIDA-X's and GuitarML's among them.
import { LstmError } from '../../errors.ts'
import type { Graph } from '../../graph/graph.ts'
import { addCommonOperators } from '../../ops/common-operators.ts'
import { addOperators } from '../../ops/registry.ts'
import { WINDOWS } from '../../ops/windows/family.ts'
import { describeValue } from '../../values/dtype.ts'
import { NdArray } from '../../values/ndarray.ts'
import { Budget } from '../budget.ts'
import { type JsonObject } from '../json.ts'
import { parseJsonObject } from '../json-weights.ts'
import { graphOfStateDict } from '../pytorch.ts'
import type { FormatOptions, FormatReader } from '../reader.ts'
import { readOptions } from '../../options.ts'
import { EXPORT_FROM_PYTORCH } from '../state-dicts/message.ts'
import { sourceOf } from '../state-dicts/quote.ts'
import { optionsOf, takingOptions } from '../taking-options.ts'
import { batchedOrNot } from '../unbatched.ts'
import { addLayer, lastSize, readLayers } from './layers.ts'
import { Network } from './network.ts'
import { delaySamplesOf } from './sample-rate.ts'
import { graphOfSmartAmpPro, isSmartAmpPro } from './smart-amp-pro.ts'
import { addSkip, graphOfSimpleRnn, isSimpleRnn, tensorsOf } from './state-dict.ts'

export { readRtneuralStateDict } from './state-dict.ts'

/** Options of `readRtneural`. */
export type RtneuralOptions = Pick<FormatOptions, 'sampleRate' | 'trainingSampleRate' | 'sampleRateCorrection' | 'unbatched'>

const OPTIONS = ['sampleRate', 'trainingSampleRate', 'sampleRateCorrection', 'unbatched'] as const

/**
 * The graph of a JSON model: RTNeural's layers, also with AIDA-X's `in_skip`, `in_gain`, `out_gain` (decibels); GuitarML's
 * `model_data` and `state_dict`, and its SmartAmpPro; or the tensors of a PyTorch state dict alone, if they are one LSTM, GRU or RNN.
 * Input `input` [batch, timesteps, features], output `output`; the state of each recurrent layer is an optional input
 * (`lstm_h0`, `lstm_c0`, then `lstm_1_h0` ..., `gru_h0`) and an output (`lstm_h`, `lstm_c`), [1, batch, units]; not so with a
 * `sampleRate` above that of the training, where each step begins from a state of more than one sample before.
 *
 * @throws LstmError `FORMAT` for a broken file, `UNSUPPORTED` listing all layers that cannot be run, `VALUE` for options that do not fit
 */
export function readRtneural(bytes: Uint8Array, options: RtneuralOptions = {}, location?: string): Graph {
  const { unbatched, ...rates } = readOptions(options, optionsOf(...OPTIONS), 'RTNeural')
  const json = parseJsonObject(bytes, 'RTNeural')
  addCommonOperators()
  addOperators(WINDOWS)
  return batchedOrNot(graphOf(json, delaySamplesOf(json, rates), location, new Budget(bytes.length)), unbatched)
}

function graphOf(json: JsonObject, delaySamples: number, location: string | undefined, budget: Budget): Graph {
  if (isSmartAmpPro(json)) {
    if (delaySamples > 1) throw new LstmError('UNSUPPORTED', "SmartAmpPro: 'sampleRate' cannot be corrected for: its window is in samples")
    return graphOfSmartAmpPro(json, budget)
  }
  if (isSimpleRnn(json)) return graphOfSimpleRnn(json, delaySamples)
  if (json.layers !== undefined || json.in_shape !== undefined) return graphOfLayers(json, delaySamples)
  if (delaySamples > 1) {
    throw new LstmError('UNSUPPORTED', "RTNeural: 'sampleRate' goes with models that are described as layers, got the tensors of a state dict alone")
  }
  return graphOfStateDict(tensorsOf(json), {
    imports: "import { readRtneuralStateDict } from 'lstm-wasm/rtneural'",
    lines: [`const tensors = await readRtneuralStateDict(${sourceOf(location)})`],
    inOrder: true,
    otherwise: EXPORT_FROM_PYTORCH,
  })
}

/** RTNeural's and Proteus's JSON files, as a part of `readers` for `load`. */
export const rtneural: FormatReader = takingOptions({
  name: 'RTNeural',
  options: OPTIONS,
  detect: (bytes) => /^\s*\{/.test(beginning(bytes)) && /"(in_shape|layers|model_data|state_dict|conv1d_1|[\w.]*weight_ih_l0)"\s*:/.test(beginning(bytes)),
  read: async ({ bytes, location }, options) => readRtneural(bytes, options, location),
})

function beginning(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(bytes.subarray(0, 65536))
}

function graphOfLayers(json: JsonObject, delaySamples: number): Graph {
  const layers = readLayers(json.layers)
  // The window of one is in samples too, and RTNeural leaves it as it is; GRUs here have no history.
  const windowed = layers.filter(({ type }) => type === 'conv1d' || type === 'gru')
  if (delaySamples > 1 && windowed.length > 0) {
    throw new LstmError('UNSUPPORTED', `RTNeural: 'sampleRate' cannot be corrected for ${windowed.map(({ label }) => label).join(', ')}`)
  }
  const inputSize = lastSize(json.in_shape, "'in_shape'")
  const { in_skip: skip = 0 } = json
  if (skip !== 0 && skip !== 1) throw new LstmError('UNSUPPORTED', `RTNeural: expected 'in_skip' 0 or 1, got ${describeValue(skip)}`)
  const network = new Network(inputSize, delaySamples)
  scale(network, 'in_gain', json.in_gain)
  const input = network.value
  let features = inputSize
  for (const layer of layers) features = addLayer(network, layer, features)
  if (skip === 1) addSkip(network, input, inputSize, features)
  scale(network, 'out_gain', json.out_gain)
  return network.finish()
}

/** AIDA-X's gains are decibels; -90 and below is silence. */
function scale(network: Network, name: string, decibels: unknown): void {
  if (decibels === undefined || decibels === null || decibels === 0) return
  if (typeof decibels !== 'number') throw new LstmError('FORMAT', `RTNeural: expected a number for '${name}', got ${describeValue(decibels)}`)
  const factor = decibels > -90 ? 10 ** (decibels * 0.05) : 0
  network.add('mul', [network.constant(name, new NdArray(Float32Array.of(factor), [1]))])
}
