export type { Graph, GraphInput, GraphNode, GraphOutput } from '../ops/graph-data.ts'
