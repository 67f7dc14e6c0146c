import { cannotImport, LstmError } from '../errors.ts'
import { typeGraph } from '../graph/infer.ts'
import { GRAPH_SOURCE, type GraphSource } from '../model/load.ts'
import { loadOperators } from '../ops/loading.ts'
import { checkKind, readOptions, type OptionTable } from '../options.ts'
import { prepareGraph } from '../plan/prepare.ts'
import { RUNTIME_OPTIONS } from '../runtime/create.ts'
import { embeddedBytes } from '../runtime/embedded.ts'
import type { Variant } from '../runtime/kernels.ts'
import { MAX_MEMORY_BYTES } from '../runtime/memory.ts'
import type { CompiledThreads } from '../runtime/threads/open.ts'
import { openOwner } from '../runtime/threads/shared-runtime.ts'
import { reasonAgainstSharing } from '../runtime/threads/workers.ts'
import { contentOf } from './content.ts'
import { SharedModel } from './shared-model.ts'

/** Options of `share`. */
export interface ShareOptions {
  /** Which binary runs, in all threads. Default `'auto'`: the fastest this engine accepts. */
  readonly variant?: Variant | 'auto' | undefined
  /** Limit of the shared memory in bytes, for the weights and all callers, at least 64 KiB. Default 4 GiB, or what the engine gives. */
  readonly maxMemoryBytes?: number | undefined
}

const SHARE_OPTIONS: OptionTable<ShareOptions> = { variant: RUNTIME_OPTIONS.variant, maxMemoryBytes: RUNTIME_OPTIONS.maxMemoryBytes }

/**
 * Packs the weights of a model into a shared memory, once for all threads.
 *
 *     const shared = await share(await readGraph('model.onnx'))
 *     new Worker(file, { workerData: shared }) // and there: const model = await openShared(workerData)
 *
 * @param source a graph, layers with weights, or a model, whose states stay its own
 * @throws LstmError as `compile`; `ENVIRONMENT` where there is no shared memory, saying why
 */
export async function share(source: GraphSource, options: ShareOptions = {}): Promise<SharedModel> {
  const { variant = 'auto', maxMemoryBytes = MAX_MEMORY_BYTES } = readOptions(options, SHARE_OPTIONS, 'share')
  checkKind(source, GRAPH_SOURCE, 'share')
  const reason = reasonAgainstSharing()
  if (reason !== undefined) throw new LstmError('ENVIRONMENT', `share: no shared memory here: ${reason}`)
  const graph = 'toGraph' in source ? source.toGraph() : source
  const [compiled] = await Promise.all([compileShared(variant), loadOperators(graph.nodes)])
  const { runtime, place } = openOwner(compiled, maxMemoryBytes)
  const prepared = prepareGraph(runtime, typeGraph(graph))
  return new SharedModel(contentOf(place, graph, prepared), place.variant, place.pages)
}

async function compileShared(variant: Variant | 'auto'): Promise<CompiledThreads> {
  const { compileThreads } = await import('../runtime/threads/start.ts').catch((cause: unknown) => (
    cannotImport(cause, 'the binaries with threads', 'share the model in another thread, and send it')
  ))
  let cause: Error | undefined
  const compiled = await compileThreads({ variant, bytesOf: embeddedBytes }).catch((error: unknown) => {
    cause = error as Error
    return undefined
  })
  if (compiled === undefined) {
    const which = `${variant === 'auto' ? '' : ` of '${variant}'`}${cause === undefined ? '' : ` (${String(cause)})`}`
    throw new LstmError('ENVIRONMENT', `share: this place does not accept the binary with threads${which}`, { cause })
  }
  return compiled
}
