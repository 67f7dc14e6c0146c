import { LstmError } from '../errors.ts'
import { loadStreams } from '../model/late-streams.ts'
import { COMPILE_OPTIONS, type CompileOptions } from '../model/load.ts'
import { Model, type OutputDTypes } from '../model/model.ts'
import { loadOperators } from '../ops/loading.ts'
import { readOptions, type OptionTable } from '../options.ts'
import { RUNTIME_OPTIONS } from '../runtime/create.ts'
import { FIRST_NUMBER, PageTable } from '../runtime/threads/page-table.ts'
import { openCaller } from '../runtime/threads/shared-runtime.ts'
import { threadNumber } from '../runtime/threads/workers.ts'
import { readContent, receivedGraph } from './content.ts'
import { CALLER, type SharedModel } from './shared-model.ts'

/** Options of `openShared`. */
export interface OpenSharedOptions extends Pick<CompileOptions, 'streams'> {
  /** The number by which `shared.callers()` and `shared.reclaim` know this thread, below 2^30. Default: one that no other thread has. */
  readonly caller?: number | undefined
  /** How much of the shared memory this thread may have for its own, at least 64 KiB. Default: what is left. */
  readonly maxMemoryBytes?: number | undefined
}

const OPEN_OPTIONS: OptionTable<OpenSharedOptions> = {
  caller: CALLER,
  maxMemoryBytes: RUNTIME_OPTIONS.maxMemoryBytes,
  streams: COMPILE_OPTIONS.streams,
}

/**
 * Opens a model that another thread has shared: a model like any other, with states, streams and tensors of its own, over the weights that all have.
 * Its `dispose()` gives back what it has of the memory.
 *
 * @param shared what `share` gave, as `workerData` or `postMessage` bring it
 * @throws LstmError `VALUE` for anything else, or a model of another version; `DISPOSED` when it was disposed; `MEMORY` when nothing is left;
 *   `ENVIRONMENT` where the engine does not accept the binary
 */
export async function openShared<Outputs extends OutputDTypes = Record<string, 'float32'>>(
  shared: Pick<SharedModel, 'content'>, options: OpenSharedOptions = {},
): Promise<Model<Outputs>> {
  const { caller, maxMemoryBytes, streams } = readOptions(options, OPEN_OPTIONS, 'openShared')
  const content = readContent(shared)
  const [thread, maker] = await Promise.all([threadNumber(), streams ?? loadStreams(), loadOperators(content.graph.nodes)])
  if (new PageTable(content.pages).isClosed) throw new LstmError('DISPOSED', 'openShared: this shared model is disposed')
  const { runtime, close } = openCaller(content, caller ?? (thread === undefined ? undefined : FIRST_NUMBER + thread), maxMemoryBytes)
  const { graph, prepared } = content
  try {
    return new Model<Outputs>(runtime, receivedGraph(graph), maker, () => ({ ...prepared, graph: receivedGraph(prepared.graph), dispose: close }))
  } catch (error) {
    close()
    throw error
  }
}
