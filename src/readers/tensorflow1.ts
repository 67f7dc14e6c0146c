// Entry point of `lstm-wasm/tensorflow1`.
import { readTensorflow1 as read, readTensorflow1Variables as readVariables } from '../formats/tf1/reader.ts'
import type { Tensorflow1Options } from '../formats/reader.ts'
import type { Graph } from '../graph/graph.ts'
import type { FilesOptions } from '../model/model-files.ts'
import type { ModelSource } from '../model/source.ts'
import type { NdArray } from '../values/ndarray.ts'
import { fromFiles } from './any-source.ts'

export type { Tensorflow1CellOptions, Tensorflow1Options } from '../formats/reader.ts'
export { tensorflow1 } from '../formats/tf1/reader.ts'
export { tensorflow1StateDict, type Tensorflow1StateDictOptions } from '../formats/tf1/state-dict.ts'

/**
 * The graph of variables that are one stack of LSTM cells. Input `input` [batch, timesteps, features]; optional `c_0`, `h_0`, `c_1`,
 * `h_1`, ... [batch, units], default zeros. Outputs `output` [batch, timesteps, units] and the last states under the names of the first.
 * Cells are told by the names of their variables: BasicLSTMCell, LSTMCell (peepholes, projection), LSTMBlockCell,
 * CudnnCompatibleLSTMCell, LayerNormBasicLSTMCell, CoupledInputForgetGateLSTMCell, and MultiRNNCell and bidirectional_dynamic_rnn around
 * them. The arguments of cells are not in the files: options say them, defaults are TensorFlow's, a forget bias of 1 among them.
 *
 * @throws LstmError `FORMAT` for broken files, `UNSUPPORTED` for variables that are anything else (the message lists them and shows the
 *   lines that load them), `VALUE` for options that are not accepted, `ENVIRONMENT` when a file beside it cannot be read
 */
export const readTensorflow1: (source: ModelSource, options?: Tensorflow1Options & FilesOptions) => Promise<Graph> = fromFiles('readTensorflow1', read)

/**
 * The variables of a TensorFlow 1 model by name, from one of
 * - a checkpoint of tf.train.Saver (version 2): the .index file, its data beside it;
 * - a .npz file with an array for each variable;
 * - a manifest.json `{ name: { filename, shape } }`, a file of little-endian float32 for each variable beside it.
 *
 * @throws LstmError `FORMAT` for a broken file, `UNSUPPORTED` for partitioned variables or compressed tables, `ENVIRONMENT` when a
 *   file beside it cannot be read
 */
export const readTensorflow1Variables: (source: ModelSource, options?: FilesOptions) => Promise<Map<string, NdArray>> = fromFiles('readTensorflow1Variables', readVariables)
