// Entry point of `lstm-wasm/keras`.
import { readKeras as read, readKerasWeights as readWeights, type KerasOptions } from '../formats/keras/index.ts'
import type { Graph } from '../graph/graph.ts'
import type { NdArray } from '../values/ndarray.ts'
import { fromAnySource, type SourceReader } from './any-source.ts'

export { keras } from '../formats/keras/index.ts'
export type { KerasOptions, SourceReader }

/**
 * A Keras model as a graph: a `.keras` file, a whole-model `.h5`, or weights alone with their architecture. Bytes are read at once,
 * without a promise.
 * @throws LstmError `FORMAT` for a broken file, `UNSUPPORTED` listing all layers that cannot be run, or for weights without architecture;
 *   `ENVIRONMENT`
 */
export const readKeras: SourceReader<KerasOptions, Graph> = fromAnySource('readKeras', read)

/**
 * The weights of a Keras file as a state dict for `sequential([...]).loadStateDict`, under PyTorch's names and in its layouts:
 * `NAME.weight_ih_l0` and so on for LSTMs, `NAME.weight` and `NAME.bias` for dense layers and embeddings. NAME is the layer's in files
 * of Keras 2; in `.weights.h5` files of Keras 3, which have no names, its class and number: `lstm`, `lstm_1`. Tensors of other layers
 * keep their names and layouts. Bytes are read at once, without a promise.
 * @throws LstmError `FORMAT` or `UNSUPPORTED` for a file that cannot be read, `ENVIRONMENT`
 */
export const readKerasWeights: SourceReader<object, Map<string, NdArray>> = fromAnySource('readKerasWeights', readWeights)
