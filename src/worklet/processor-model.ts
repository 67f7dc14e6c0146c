import { Model } from '../model/model.ts'
import { addAllOperators } from '../ops/all.ts'
import { startRuntime } from '../runtime/start.ts'
import { openStream } from '../streams/open.ts'
import { unpackGraph, type ProcessorOptions } from './options.ts'

/**
 * In a processor's constructor: the model that `createWorkletOptions` was given on the page, at once and in a memory of its
 * own. `model.stream()` then gives what runs on the audio thread: `process(input, output)` allocates nothing.
 *
 * @param options `options.processorOptions` of the processor's constructor
 * @throws LstmError `VALUE` for options that were not made so or by another version, `MEMORY`, `ENVIRONMENT`
 */
export function createProcessorModel(options: ProcessorOptions): Model {
  const graph = unpackGraph(options)
  addAllOperators()
  return new Model(startRuntime(options.module, options.variant), graph, { stream: openStream })
}
