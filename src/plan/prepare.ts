import { LstmError } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import type { TypedGraph } from '../graph/infer.ts'
import { contextOf, operatorOf } from '../graph/node.ts'
import type { GraphNode } from '../ops/graph-data.ts'
import type { InnerPrepared } from '../ops/operator.ts'
import { checkElements } from '../runtime/memory.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Constant } from '../ops/constant.ts'
import { bytesOf, type DataOf } from '../values/dtype.ts'
import { lengthOf } from '../values/shape.ts'

/** What `prepare` of each node returned, and constants that flow as values. */
export interface PreparedGraph {
  readonly graph: Graph
  readonly prepared: ReadonlyMap<GraphNode, unknown>
  readonly constants: ReadonlyMap<string, number>
}

/** What a node's `prepare` returned, and the inputs that it packed. */
interface Preparation {
  readonly prepared: unknown
  readonly packed: ReadonlySet<number>
}

/** Limit of packed bytes, which padding makes more than the weights: a base amount, and so many for each byte of the constants. */
const PACKED_BYTES = 2 ** 26
const PACKED_A_BYTE = 32

/** Numbers as text: JSON has no NaN, Infinity or -0. */
function spelled(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? `#${Object.is(value, -0) ? '-0' : value}` : value
}

/**
 * Numbers for the elements of constants: the same for the same bytes, whatever the constants are called. Weights of fewer bits, whose
 * elements are made anew each time they are read, are known by themselves.
 */
function identities(): (constant: Constant | undefined) => string {
  const owners: Map<object, number> = new Map()
  return (constant) => {
    if (constant === undefined) return ''
    const { dtype, shape, storage } = constant
    const { buffer, byteOffset } = storage === undefined ? constant.data : { buffer: constant, byteOffset: 0 }
    const number = owners.get(buffer) ?? owners.size
    owners.set(buffer, number)
    return `${number} ${byteOffset} ${dtype} ${shape.join()}`
  }
}

/**
 * Packs the weights of all nodes, and uploads the constants that flow as values and are not packed. The same weights that the same
 * operator packs the same way are packed once, however many nodes have them; so is a constant that has several names.
 */
export function prepareGraph(runtime: Runtime, typed: TypedGraph): PreparedGraph & { dispose(): void } {
  const { kernels, linearMemory } = runtime
  const blocks: number[] = []
  let left = PACKED_BYTES
  for (const { dtype, shape } of typed.graph.constants.values()) left += PACKED_A_BYTE * lengthOf(shape) * bytesOf(dtype)
  const allocate = (bytes: number, what: string): number => {
    left -= bytes
    if (left < 0) throw new LstmError('MEMORY', `${what}: the nodes of this graph use the same weights in too many ways, which takes far more memory than the weights themselves`)
    const ptr = linearMemory.allocate(bytes, what)
    blocks.push(ptr)
    return ptr
  }
  const dispose = (): void => {
    for (const ptr of blocks.splice(0)) linearMemory.free(ptr)
  }
  const identity = identities()
  const known: Map<string, Preparation> = new Map()
  const uploaded: Map<string, number> = new Map()
  const prepareNodes = ({ graph, types, settings }: TypedGraph): InnerPrepared => {
    const prepared: Map<GraphNode, unknown> = new Map()
    const flowing = new Set(graph.outputs.map(({ value }) => value))
    for (const node of graph.nodes) {
      const { op, attributes } = node
      const operator = operatorOf(node)
      if (operator.prepare === undefined) {
        for (const name of node.inputs) flowing.add(name)
        continue
      }
      const { parameter, value } = contextOf(node, graph.constants, types)
      const roles = Object.keys(node.parameters).sort()
      const weights = roles.map((role) => [role, identity(parameter(role))])
      const key = JSON.stringify([op, attributes, weights, node.inputs.map((name, position) => name !== '' && identity(value(position)))], spelled)
      const same = node.bodies === undefined ? known.get(key) : undefined
      if (same !== undefined) {
        prepared.set(node, same.prepared)
        node.inputs.forEach((name, position) => same.packed.has(position) || flowing.add(name))
        continue
      }
      const temporary: number[] = []
      const packed: Set<number> = new Set()
      const uploadArray = (data: DataOf | Int8Array | undefined, what: string): number => {
        if (data === undefined) return 0
        checkElements(data.length, `${what} of '${node.name}'`)
        const ptr = linearMemory.allocate(data.byteLength, `${what} of '${node.name}'`)
        temporary.push(ptr)
        linearMemory.write(ptr, data)
        return ptr
      }
      try {
        const made = operator.prepare(node, {
          kernels,
          parameter,
          value,
          allocate: (bytes) => allocate(bytes, `weights of '${node.name}'`),
          place(data) {
            const ptr = allocate(data.byteLength, `weights of '${node.name}'`)
            linearMemory.write(ptr, data)
            return ptr
          },
          upload: (role) => uploadArray(parameter(role)?.data, `weight '${role}'`),
          uploadInput(position) {
            packed.add(position)
            return uploadArray(value(position)?.data, `input ${position}`)
          },
          uploadData: (data) => uploadArray(data, 'weights'),
          take: (position) => packed.add(position),
          inner: prepareNodes,
        }, settings.get(node))
        prepared.set(node, made)
        known.set(key, { prepared: made, packed })
      } finally {
        for (const ptr of temporary) linearMemory.free(ptr)
      }
      node.inputs.forEach((name, position) => packed.has(position) || flowing.add(name))
    }
    const constants: Map<string, number> = new Map()
    for (const [name, constant] of graph.constants) {
      if (!flowing.has(name)) continue
      const key = identity(constant)
      let ptr = uploaded.get(key)
      if (ptr === undefined) {
        const { data } = constant
        checkElements(data.length, `constant '${name}'`)
        ptr = allocate(data.byteLength, `constant '${name}'`)
        linearMemory.write(ptr, data)
        uploaded.set(key, ptr)
      }
      constants.set(name, ptr)
    }
    return { prepared, constants }
  }
  try {
    return { graph: typed.graph, ...prepareNodes(typed), dispose }
  } catch (error) {
    dispose()
    throw error
  }
}
