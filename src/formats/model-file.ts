import { LstmError } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import { graphFromJson, graphToJson } from '../graph/json.ts'
import { graphOfStateDict } from './pytorch.ts'
import { isSafetensors, readSafetensors, writeSafetensors } from './safetensors.ts'

/** The metadata key under which a safetensors file carries its graph. */
const GRAPH_KEY = 'lstm-wasm'

/** A graph as a self-describing safetensors file: to other readers, a plain file of the same tensors. */
export function saveGraph(graph: Graph): Uint8Array<ArrayBuffer> {
  return writeSafetensors(graph.constants, new Map([['format', 'pt'], [GRAPH_KEY, graphToJson(graph)]]))
}

/**
 * The graph of a model file: our own self-describing safetensors, or a plain state dict that is one LSTM.
 * Formats are told apart by content.
 *
 * @throws LstmError `FORMAT` for bytes that are no model file or a broken one, `UNSUPPORTED` for what cannot be run
 */
export function readModelFile(bytes: Uint8Array): Graph {
  if (!isSafetensors(bytes)) throw unrecognised(bytes)
  const { tensors, metadata } = readSafetensors(bytes)
  const json = metadata.get(GRAPH_KEY)
  return json === undefined ? graphOfStateDict(tensors) : graphFromJson(json, tensors)
}

function unrecognised(bytes: Uint8Array): LstmError {
  const start = [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
  const got = bytes.length === 0 ? 'an empty file' : `${bytes.length} bytes that begin with ${start}`
  return new LstmError('FORMAT', `expected a safetensors file, got ${got}`)
}
