// Entry point of `lstm-wasm/nam`.
import { namSampleRate as sampleRate, readNam as read } from '../formats/nam/reader.ts'
import type { Graph } from '../graph/graph.ts'
import { fromAnySource, type SourceReader } from './any-source.ts'

export { nam } from '../formats/nam/reader.ts'
export type { SourceReader }

/**
 * The graph of a .nam file with an LSTM. Input `input` [batch, timesteps, 1], output `output` [batch, timesteps, 1]. Bytes are read at
 * once, without a promise.
 *
 * The model begins in a state that was trained. To continue a stream, pass the output `state` of one run as the input `state`
 * of the next; left out, the model begins anew. It is [1 + 2 layers, batch, units]: ones (zeros: begin anew), then
 * h and then c of every layer.
 *
 * @throws LstmError `FORMAT` for a broken file, `UNSUPPORTED` for other architectures (WaveNet, ConvNet, Linear), `ENVIRONMENT`
 */
export const readNam: SourceReader<object, Graph> = fromAnySource('readNam', read)

/**
 * Samples a second that a .nam file was trained for; 48000 where it does not say, as its player has it.
 * @throws LstmError as `readNam`
 */
export const namSampleRate: SourceReader<object, number> = fromAnySource('namSampleRate', sampleRate)
