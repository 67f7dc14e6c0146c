import type { ValueType } from '../ops/graph-data.ts'
import { findOperator } from '../ops/registry.ts'
import { formatShape, lengthOf, type SymbolicShape } from '../values/shape.ts'
import type { Graph } from './graph.ts'
import { typeGraph } from './infer.ts'
import type { Constant } from '../ops/constant.ts'
import { contextOf, operatorOf, trainedConstants } from './node.ts'
import { checkKind, GRAPH, having, type Kind } from '../options.ts'

/** A node of a graph, as `summary()` shows it. */
export interface SummaryRow {
  /** Name of the node. */
  readonly name: string
  /** Name of its operator. */
  readonly op: string
  /** A few words on the settings. */
  readonly detail: string
  /** Shape of its first output. */
  readonly outputShape: SymbolicShape
  /** How many trained numbers it has. */
  readonly parameters: number
  /** For one batch row: each timestep, or once where there are no timesteps. */
  readonly multiplyAdds: number
  /** Bytes of the weights. */
  readonly bytes: number
  /** How the parameters of a recurrent layer add up, a line for each of its layers and directions. */
  readonly arithmetic: readonly string[]
}

/** A model in numbers: what `summary()` prints as a table. */
export interface Summary {
  /** What a run takes. */
  readonly inputs: Graph['inputs']
  /** A row for each node, in order. */
  readonly rows: readonly SummaryRow[]
  /** What a run gives. */
  readonly outputs: readonly { readonly name: string, readonly shape: SymbolicShape }[]
  /** States that go out and in again, which streams carry by themselves: the output's name by the input's. */
  readonly carry: Readonly<Record<string, string>>
  /** How many trained numbers there are; shared ones count once. */
  readonly parameters: number
  /** For one batch row and one timestep. */
  readonly multiplyAdds: number
  /** Size of the trained numbers. */
  readonly bytes: number
  /** What the reader said about the file: see `Graph.notes`. */
  readonly notes: readonly string[]
}

/** Finds states that are carried: outputs by input. */
export type FindCarry = (graph: Graph, types: ReadonlyMap<string, ValueType>) => ReadonlyMap<string, string>

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

/** How many numbers there are, and in how many bytes. */
export function sizesOf(constants: readonly Constant[]): { readonly parameters: number, readonly bytes: number } {
  const lengths = constants.map(({ shape }) => lengthOf(shape))
  return { parameters: sum(lengths), bytes: sum(constants.map(({ bytes }, n) => bytes ?? 4 * (lengths[n] as number))) }
}

/**
 * What every layer of a graph is and costs.
 * @param carry finds the states that streams carry: `streams.carry` of `lstm-wasm/streams`. Default: none are looked for
 * @throws LstmError `VALUE` for anything but a graph
 */
export function summarise(source: Graph, carry: FindCarry = () => new Map()): Summary {
  checkKind(source, GRAPH, 'summarise')
  const { graph, types, settings } = typeGraph(source)
  const shapeOf = (value: string): SymbolicShape => types.get(value)?.shape ?? []
  const rows = graph.nodes.map((node): SummaryRow => {
    const context = contextOf(node, graph.constants, types)
    const operator = operatorOf(node)
    const { detail, multiplyAdds } = operator.cost(node, context, settings.get(node))
    const constants = trainedConstants([node], graph)
    return {
      name: node.name,
      op: node.op,
      detail: [detail, ...new Set(constants.flatMap(({ storage }) => storage ?? []))].filter(Boolean).join(', '),
      outputShape: shapeOf(node.outputs.find((value) => value !== '') ?? ''),
      multiplyAdds,
      ...sizesOf(constants),
      arithmetic: operator.recurrent?.arithmetic(node, context, settings.get(node)) ?? [],
    }
  })
  return {
    inputs: graph.inputs,
    rows,
    outputs: graph.outputs.map(({ name, value }) => ({ name, shape: shapeOf(value) })),
    carry: Object.fromEntries(carry(graph, types)),
    ...sizesOf(trainedConstants(graph.nodes, graph)),
    multiplyAdds: sum(rows.map((row) => row.multiplyAdds)),
    notes: graph.notes ?? [],
  }
}

const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',')

const SUMMARY: Kind = having('what model.describe() gives', 'rows', 'parameters')

/** The table people read. @throws LstmError `VALUE` for anything but a summary */
export function formatSummary(summary: Summary): string {
  checkKind(summary, SUMMARY, 'formatSummary')
  const header = ['layer', 'what it is', 'output shape', 'parameters', 'multiply-adds/step', 'bytes']
  const cells = summary.rows.map((row) => [
    row.name,
    row.detail === '' ? row.op : `${row.op}: ${row.detail}`,
    formatShape(row.outputShape),
    ...[row.parameters, row.multiplyAdds, row.bytes].map(grouped),
  ])
  const total = ['total', '', '', ...[summary.parameters, summary.multiplyAdds, summary.bytes].map(grouped)]
  const table = [header, ...cells, total]
  const widths = header.map((_, column) => table.reduce((width, row) => Math.max(width, (row[column] as string).length), 0))
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column < 3 ? cell.padEnd(widths[column] as number) : cell.padStart(widths[column] as number))).join('  ').trimEnd()
  const rule = widths.map((width) => '-'.repeat(width)).join('  ')
  const ports = [
    ...summary.inputs.map(({ name, dtype, shape, optional }) => `input   ${name}  ${dtype} ${formatShape(shape)}${optional ? '  (optional, default zeros)' : ''}`),
    ...summary.outputs.map(({ name, shape }) => `output  ${name}  ${formatShape(shape)}`),
    ...Object.entries(summary.carry).map(([from, to]) => `stream  carries ${to} to ${from}`),
    ...summary.notes.map((note) => `note    ${note}`),
  ]
  const gates = new Set(summary.rows.flatMap(({ op }) => findOperator(op)?.recurrent?.gates ?? []))
  const arithmetic = summary.rows.flatMap((row) => row.arithmetic.map((text) => `${row.name}: ${text}`))
  return [
    ...ports, '', line(header), rule, ...cells.map(line), rule, line(total),
    ...(arithmetic.length > 0
      ? ['', ...gates, ...arithmetic]
      : []),
  ].join('\n')
}
