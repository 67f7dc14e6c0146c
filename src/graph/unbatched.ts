import { LstmError } from '../errors.ts'
import { NdArray } from '../values/ndarray.ts'
import type { Dimension } from '../values/shape.ts'
import { GraphBuilder } from './builder.ts'
import type { Graph, GraphOutput } from './graph.ts'
import { typeGraph } from './infer.ts'

const BATCH = 'batch'

/**
 * The same graph for one sequence alone: no input and no output has the axis `batch` any more (PyTorch's unbatched input).
 * Inside it is a batch of one, which costs nothing. Needs the operators squeeze and unsqueeze: see `addAllOperators`.
 *
 * @throws LstmError `VALUE` for a graph without an input that has such an axis
 */
export function withoutBatch(source: Graph): Graph {
  if (!source.inputs.some(({ shape }) => shape.includes(BATCH))) {
    throw new LstmError('VALUE', "unbatched: expected a model with an input that has the axis 'batch', got none")
  }
  const { graph, types } = typeGraph(source)
  const builder = new GraphBuilder()
  const taken = new Set([...types.keys(), ...graph.outputs.map(({ name }) => name)])
  const fresh = (name: string): string => {
    let free = name
    while (taken.has(free)) free += '\''
    taken.add(free)
    return free
  }
  const axes = (value: string, axis: number): string => {
    const name = fresh(`${value}/batch axis`)
    builder.constant(name, new NdArray(Int32Array.of(axis), [1]))
    return name
  }
  const reshape = (op: 'squeeze' | 'unsqueeze', from: string, to: string, axis: number): void => {
    builder.add({ name: `${to}/${op}`, op, inputs: [from, axes(to, axis)], outputs: [to], parameters: {}, attributes: {} })
  }
  for (const [name, constant] of graph.constants) builder.constant(name, constant)
  /** What a value of the graph is called in the new one, where it is another one there. */
  const renamed: Map<string, string> = new Map()
  for (const input of graph.inputs) {
    const axis = input.shape.indexOf(BATCH)
    builder.input({ ...input, shape: input.shape.filter((_, n) => n !== axis) })
    if (axis < 0) continue
    const whole = fresh(`${input.name}/batched`)
    reshape('unsqueeze', input.name, whole, axis)
    renamed.set(input.name, whole)
  }
  const nameOf = (value: string): string => renamed.get(value) ?? value
  for (const node of graph.nodes) builder.add({ ...node, inputs: node.inputs.map(nameOf) })
  const outputs = graph.outputs.map(({ name, value }): GraphOutput => {
    const axis = (types.get(value)?.shape as readonly Dimension[]).indexOf(BATCH)
    if (axis < 0) return { name, value: nameOf(value) }
    const single = fresh(`${name}/unbatched`)
    reshape('squeeze', nameOf(value), single, axis)
    return { name, value: single }
  })
  builder.note(...graph.notes ?? [])
  return builder.finish(outputs)
}
