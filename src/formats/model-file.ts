import type { Graph } from '../graph/graph.ts'
import type { FormatOptions, FormatReader, ModelFiles } from './reader.ts'

export interface ReadModelOptions extends FormatOptions {
  /**
   * Readers to try first, imported by the caller (`lstm-wasm/onnx`, ...): for service workers and
   * worklets, which forbid the dynamic imports that load readers otherwise.
   */
  readonly readers?: readonly FormatReader[]
}

/**
 * The graph of a model file of any format. Formats are told apart by content, not by name.
 *
 * @throws LstmError `FORMAT` for bytes that are no model file or a broken one, `UNSUPPORTED` for what cannot be run, `VALUE` for
 *   options that the format does not have
 */
export async function readModelFile(files: ModelFiles, options: ReadModelOptions = {}): Promise<Graph> {
  const reader = options.readers?.find((given) => given.detect(files.bytes)) ?? await (await import('./readers.ts')).findReader(files.bytes)
  return reader.read(files, options)
}
