// Entry point of `lstm-wasm/rtneural`.
import { readRtneural as read, readRtneuralStateDict as readStateDict, type RtneuralOptions } from '../formats/rtneural/reader.ts'
import type { Graph } from '../graph/graph.ts'
import type { NdArray } from '../values/ndarray.ts'
import { fromAnySource, type SourceReader } from './any-source.ts'

export { rtneural } from '../formats/rtneural/reader.ts'
export type { RtneuralOptions, SourceReader }

/**
 * The graph of a JSON model: RTNeural's layers, also with AIDA-X's `in_skip`, `in_gain`, `out_gain` (decibels); GuitarML's
 * `model_data` and `state_dict`; or the tensors of a PyTorch state dict alone, if they are one LSTM.
 * Input `input` [batch, timesteps, features], output `output`; the state of each LSTM layer is an optional input
 * (`lstm_h0`, `lstm_c0`, then `lstm_1_h0` ...) and an output (`lstm_h`, `lstm_c`), [1, batch, units]; not so with a
 * `sampleRate` above that of the training. Bytes are read at once, without a promise.
 *
 * @throws LstmError `FORMAT` for a broken file, `UNSUPPORTED` listing all layers that cannot be run, `VALUE` for options that do not
 *   fit, `ENVIRONMENT`
 */
export const readRtneural: SourceReader<RtneuralOptions, Graph> = fromAnySource('readRtneural', read)

/**
 * The tensors of a PyTorch state dict that was written as JSON, on its own (RTNeural's examples) or under `state_dict`
 * (GuitarML's models): for `sequential([...]).loadStateDict`. Bytes are read at once, without a promise.
 * @throws LstmError `FORMAT` for a file that is none, `ENVIRONMENT`
 */
export const readRtneuralStateDict: SourceReader<object, Map<string, NdArray>> = fromAnySource('readRtneuralStateDict', readStateDict)
