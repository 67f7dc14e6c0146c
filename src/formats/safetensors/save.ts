import type { Graph } from '../../graph/graph.ts'
import { graphToJson } from '../../graph/to-json.ts'
import { checkKind, GRAPH } from '../../options.ts'
import { GRAPH_KEY, safetensorsBytes } from './bytes.ts'

/** A graph as a self-describing safetensors file: to other readers, a plain file of the same tensors. @throws LstmError `VALUE` for anything but a graph */
export function saveGraph(graph: Graph): Uint8Array<ArrayBuffer> {
  checkKind(graph, GRAPH, 'saveGraph')
  return safetensorsBytes(graph.constants, new Map([['format', 'pt'], [GRAPH_KEY, graphToJson(graph)]]))
}
