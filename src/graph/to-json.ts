import type { Graph } from './graph.ts'

/** Goes up when an older reader would misread a newer graph. */
export const GRAPH_VERSION: number = 1

/** A graph without its constants, as JSON text. */
export function graphToJson(graph: Graph): string {
  const { inputs, outputs, nodes, notes, metadata } = graph
  return JSON.stringify({ version: GRAPH_VERSION, inputs, outputs, nodes, notes, metadata })
}
