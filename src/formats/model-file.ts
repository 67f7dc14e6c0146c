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
 * @throws LstmError `FORMAT` for bytes that are no model file or a broken one, `UNSUPPORTED` for what cannot be run
 */
export async function readModelFile(files: ModelFiles, options: ReadModelOptions = {}): Promise<Graph> {
  const given = options.readers?.find((reader) => reader.detect(files.bytes))
  if (given !== undefined) return given.read(files, options)
  return (await import('./readers.ts')).readAnyFormat(files, options)
}
