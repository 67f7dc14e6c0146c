// Entry point of `lstm-wasm/tfjs`.
import { readTfjs as read, readTfjsStateDict as readStateDict, readTfjsWeights as readWeights, type TfjsOptions } from '../formats/tfjs/index.ts'
import type { Graph } from '../graph/graph.ts'
import type { FilesOptions } from '../model/model-files.ts'
import type { ModelSource } from '../model/source.ts'
import type { NdArray } from '../values/ndarray.ts'
import { fromFiles } from './any-source.ts'

export { tfjs } from '../formats/tfjs/index.ts'
export type { TfjsOptions }

/**
 * A TensorFlow.js layers model, its `model.json`, as a graph. Shards are looked for beside it, or in the option `files`.
 * @throws LstmError `FORMAT` for a broken file, `UNSUPPORTED` for graph models, for a manifest alone, and listing all layers that
 *   cannot be run; `ENVIRONMENT` where a shard cannot be found
 */
export const readTfjs: (source: ModelSource, options?: TfjsOptions & FilesOptions) => Promise<Graph> = fromFiles('readTfjs', read)

/**
 * The tensors of a weights manifest (`weights_manifest.json`, or the one in a `model.json`) by name, as they are in the file. Shards are
 * looked for beside it, or in the option `files`.
 * @throws LstmError `FORMAT`, `UNSUPPORTED`, `ENVIRONMENT`
 */
export const readTfjsWeights: (source: ModelSource, options?: FilesOptions) => Promise<Map<string, NdArray>> = fromFiles('readTfjsWeights', readWeights)

/**
 * The tensors of a weights manifest under PyTorch's names and in its layouts, for `sequential([...]).loadStateDict`: `NAME/kernel`,
 * `NAME/recurrent_kernel`, `NAME/bias` become `NAME.weight_ih_l0` and so on; those of dense layers and embeddings `NAME.weight`, `NAME.bias`.
 * @throws LstmError `FORMAT`, `UNSUPPORTED`, `ENVIRONMENT`
 */
export const readTfjsStateDict: (source: ModelSource, options?: FilesOptions) => Promise<Map<string, NdArray>> = fromFiles('readTfjsStateDict', readStateDict)
