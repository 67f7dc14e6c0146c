// Which nodes of a graph are needed, and in which order they run.
import type { OnnxGraph, OnnxNode } from './messages.ts'

/** The nodes of a graph that its outputs need, each after those whose values it reads, and the names of all values they need. */
export function neededNodes(graph: OnnxGraph): { nodes: OnnxNode[], needed: ReadonlySet<string> } {
  const needed = new Set(graph.outputs.map(({ name }) => name))
  const nodes = ordered(graph.nodes).reverse().filter((node) => {
    if (!node.outputs.some((name) => name !== '' && needed.has(name))) return false
    addReads(node, needed)
    return true
  }).reverse()
  return { nodes, needed }
}

/** What a node reads, also inside its graphs, where names that are made there do no harm. */
function addReads(node: OnnxNode, into: Set<string>): void {
  for (const name of node.inputs) into.add(name)
  for (const { value } of node.attributes) {
    if (value?.kind !== 'graph') continue
    for (const inner of value.value.nodes) addReads(inner, into)
    for (const { name } of value.value.outputs) into.add(name)
  }
}

/**
 * A copy in which each node stands after those that make what it reads: some converters write files in another order, and onnxruntime
 * runs them. A list that is in order stays as it is, and so does one that reads in a circle, which the import refuses.
 */
function ordered(nodes: readonly OnnxNode[]): OnnxNode[] {
  const makers: Map<string, number> = new Map()
  nodes.forEach(({ outputs }, index) => outputs.forEach((name) => makers.set(name, makers.get(name) ?? index)))
  makers.delete('')
  const sources = nodes.map((node, index) => {
    const reads: Set<string> = new Set()
    addReads(node, reads)
    return new Set([...reads].map((name) => makers.get(name)).filter((maker) => maker !== undefined && maker !== index))
  })
  if (sources.every((makersOf, index) => [...makersOf].every((maker) => (maker as number) < index))) return [...nodes]
  const readers: number[][] = nodes.map(() => [])
  sources.forEach((makersOf, index) => makersOf.forEach((maker) => readers[maker as number]?.push(index)))
  const waiting = sources.map(({ size }) => size)
  const result = nodes.flatMap((_, index) => (waiting[index] === 0 ? [index] : []))
  for (const index of result) {
    for (const reader of readers[index] as number[]) if (--(waiting[reader] as number) === 0) result.push(reader)
  }
  return result.length < nodes.length ? [...nodes] : result.map((index) => nodes[index] as OnnxNode)
}
