import type { Graph } from '../graph/graph.ts'
import { graphToJson } from '../graph/to-json.ts'
import type { FormatOptions, FormatReader, ModelFiles } from './reader.ts'
import { GRAPH_KEY, writeSafetensors } from './safetensors-writer.ts'

/** A graph as a self-describing safetensors file: to other readers, a plain file of the same tensors. */
export function saveGraph(graph: Graph): Uint8Array<ArrayBuffer> {
  return writeSafetensors(graph.constants, new Map([['format', 'pt'], [GRAPH_KEY, graphToJson(graph)]]))
}

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
