import { LstmError } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import { graphToJson } from '../graph/to-json.ts'
import type { FormatOptions, FormatReader, ModelFiles } from './reader.ts'
import { GRAPH_KEY, writeSafetensors } from './safetensors.ts'
import { sniff, type FormatName } from './sniff.ts'

/** A graph as a self-describing safetensors file: to other readers, a plain file of the same tensors. */
export function saveGraph(graph: Graph): Uint8Array<ArrayBuffer> {
  return writeSafetensors(graph.constants, new Map([['format', 'pt'], [GRAPH_KEY, graphToJson(graph)]]))
}

/** Each reader is a chunk of its own, loaded when a file needs it. */
const READERS: Readonly<Partial<Record<FormatName, () => Promise<FormatReader>>>> = {
  safetensors: async () => (await import('./safetensors-model.ts')).safetensors,
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
  const name = sniff(files.bytes)
  const reader = name === undefined ? undefined : READERS[name]
  if (reader === undefined) throw unrecognised(files.bytes)
  return (await reader()).read(files, options)
}

function unrecognised(bytes: Uint8Array): LstmError {
  const start = [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
  const got = bytes.length === 0 ? 'an empty file' : `${bytes.length} bytes that begin with ${start}`
  return new LstmError('FORMAT', `expected a model file (${Object.keys(READERS).join(', ')}), got ${got}`)
}
