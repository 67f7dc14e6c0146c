import type { Graph } from '../graph/graph.ts'
import { graphToJson } from '../graph/to-json.ts'
import { GRAPH_KEY, writeSafetensors } from './safetensors-writer.ts'
import { checkGiven, GRAPH } from '../options.ts'

/** A graph as a self-describing safetensors file: to other readers, a plain file of the same tensors. */
export function saveGraph(graph: Graph): Uint8Array<ArrayBuffer> {
  checkGiven(graph, GRAPH, 'saveGraph')
  return writeSafetensors(graph.constants, new Map([['format', 'pt'], [GRAPH_KEY, graphToJson(graph)]]))
}
