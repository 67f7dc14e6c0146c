import type { Graph } from '../graph/graph.ts'
import type { TypedGraph } from '../graph/infer.ts'
import { contextOf, operatorOf } from '../graph/node.ts'
import type { GraphNode } from '../ops/operator.ts'
import { checkElements } from '../runtime/memory.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { ArrayLike } from '../values/ndarray.ts'

/** What `prepare` of each node returned, and constants that flow as values. */
export interface PreparedGraph {
  readonly graph: Graph
  readonly prepared: ReadonlyMap<GraphNode, unknown>
  readonly constants: ReadonlyMap<string, number>
}

/** Packs the weights of all nodes, and uploads the constants that flow as values and are not packed. */
export function prepareGraph(runtime: Runtime, { graph, types }: TypedGraph): PreparedGraph & { dispose(): void } {
  const { kernels, linearMemory } = runtime
  const blocks: number[] = []
  const allocate = (bytes: number, what: string): number => {
    const ptr = linearMemory.allocate(bytes, what)
    blocks.push(ptr)
    return ptr
  }
  const dispose = (): void => {
    for (const ptr of blocks.splice(0)) linearMemory.free(ptr)
  }
  try {
    const prepared: Map<GraphNode, unknown> = new Map()
    const flowing = new Set(graph.outputs.map(({ value }) => value))
    for (const node of graph.nodes) {
      const temporary: number[] = []
      const packed: Set<number> = new Set()
      const uploadArray = (constant: ArrayLike | undefined, what: string): number => {
        if (constant === undefined) return 0
        checkElements(constant.data.length, `${what} of '${node.name}'`)
        const ptr = linearMemory.allocate(constant.data.byteLength, `${what} of '${node.name}'`)
        temporary.push(ptr)
        linearMemory.write(ptr, constant.data)
        return ptr
      }
      const { parameter, value } = contextOf(node, graph.constants, types)
      try {
        prepared.set(node, operatorOf(node).prepare?.(node, {
          kernels,
          parameter,
          value,
          allocate: (bytes) => allocate(bytes, `weights of '${node.name}'`),
          place(data) {
            const ptr = allocate(data.byteLength, `weights of '${node.name}'`)
            linearMemory.write(ptr, data)
            return ptr
          },
          upload: (role) => uploadArray(parameter(role), `weight '${role}'`),
          uploadInput(position) {
            packed.add(position)
            return uploadArray(value(position), `input ${position}`)
          },
        }))
      } finally {
        for (const ptr of temporary) linearMemory.free(ptr)
      }
      node.inputs.forEach((name, position) => packed.has(position) || flowing.add(name))
    }
    const constants: Map<string, number> = new Map()
    for (const [name, { data }] of graph.constants) {
      if (!flowing.has(name)) continue
      checkElements(data.length, `constant '${name}'`)
      const ptr = allocate(data.byteLength, `constant '${name}'`)
      linearMemory.write(ptr, data)
      constants.set(name, ptr)
    }
    return { graph, prepared, constants, dispose }
  } catch (error) {
    dispose()
    throw error
  }
}
