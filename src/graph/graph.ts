export type { Graph, GraphInput, GraphOutput } from '../ops/graph-data.ts'
export type { GraphNode } from '../ops/operator.ts'
