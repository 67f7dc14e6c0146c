import { typeGraph, type TypedGraph } from '../graph/infer.ts'
import { contextOf, operatorOf } from '../graph/node.ts'
import { label } from '../ops/checks.ts'
import type { Graph } from '../graph/graph.ts'
import type { GraphNode, Planner, Slot, ValueType } from '../ops/operator.ts'
import { Allocator } from '../runtime/allocator.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { StateMemory } from './states.ts'
import { bytesOf } from '../values/dtype.ts'
import type { ArrayLike } from '../values/ndarray.ts'
import { lengthOf, type Shape } from '../values/shape.ts'

/** A value of the graph while a plan runs. */
export interface PlannedValue {
  readonly type: ValueType
  readonly shape: Shape
  readonly slot: Slot
  /** Address in the plan's own memory, where the value is when the caller brings no tensor for it. */
  readonly ptr: number
}

/** A model bound to sizes: kernel calls in order, over buffers that are laid out once. */
export interface Plan {
  readonly inputs: readonly PlannedValue[]
  readonly outputs: readonly PlannedOutput[]
  readonly steps: readonly (() => void)[]
  /** Gives the buffers back. */
  dispose(): void
}

export interface PlannedOutput extends PlannedValue {
  /** Whether a caller's tensor can take the buffer's place: it belongs to this output alone. */
  readonly replaceable: boolean
}

/** What `prepare` of each node returned, and constants that flow as values. */
export interface PreparedGraph {
  readonly graph: Graph
  readonly prepared: ReadonlyMap<GraphNode, unknown>
  readonly constants: ReadonlyMap<string, number>
}

/** A buffer in the imaginary memory that the plan is laid out in. */
interface Buffer {
  readonly slot: Slot
  readonly offset: number
  /** How often it is still needed: as an input of nodes to come, or as an output of the model. */
  uses: number
}

/**
 * Lays out a plan for given input shapes. Buffers of values that are never needed at the same time share memory.
 * @throws LstmError `SHAPE` where operators do not accept the sizes, `MEMORY` when the limit is reached
 */
export function makePlan(
  runtime: Runtime, { graph: source, prepared, constants }: PreparedGraph, inputShapes: ReadonlyMap<string, Shape>, states: StateMemory,
): Plan {
  const { graph, types } = typeGraph(source, inputShapes)
  const layout = new Layout(graph, types, constants)
  const steps: (() => void)[] = []
  for (const { name } of graph.inputs) layout.define(name)
  for (const node of graph.nodes) {
    const workspaces: Buffer[] = []
    const last: (() => void)[] = []
    const planner: Planner = {
      kernels: runtime.kernels,
      label: label(node),
      dtypeOf: (position) => (types.get(node.inputs[position] as string) as ValueType).dtype,
      shapeOf: (position) => layout.shape(node.inputs[position] as string),
      outputShape: (position) => layout.shape(node.outputs[position] as string),
      value: contextOf(node, graph.constants, types).value,
      hasInput: (position) => (node.inputs[position] ?? '') !== '',
      hasOutput: (position) => (node.outputs[position] ?? '') !== '',
      input: (position) => layout.slot(node.inputs[position] as string),
      output: (position) => layout.define(node.outputs[position] as string),
      workspace(bytes) {
        const buffer = layout.allocate(bytes, 1)
        workspaces.push(buffer)
        return buffer.slot
      },
      constant: (data) => layout.constant(data),
      alias: (output, input) => layout.alias(node.outputs[output] as string, node.inputs[input] as string),
      state: (name, bytes) => states.slot(`${node.name}.${name}`, bytes, label(node)),
      step: (run) => steps.push(run),
      finally: (run) => last.push(run),
    }
    operatorOf(node).plan(node, planner, prepared.get(node))
    steps.push(...last)
    for (const workspace of workspaces) layout.release(workspace)
    for (const name of node.inputs) layout.used(name)
    for (const name of node.outputs) layout.dropUnused(name)
  }
  const base = layout.place(runtime)
  const planned = (value: string): PlannedValue => {
    const slot = layout.slot(value)
    return { type: types.get(value) as ValueType, shape: layout.shape(value), slot, ptr: slot.ptr }
  }
  return {
    inputs: graph.inputs.map(({ name }) => planned(name)),
    outputs: graph.outputs.map(({ value }) => ({ ...planned(value), replaceable: layout.isReplaceable(value) })),
    steps,
    dispose: () => runtime.linearMemory.free(base),
  }
}

/** Where every value of a plan lives. */
class Layout {
  readonly #graph: Graph
  readonly #types: ReadonlyMap<string, ValueType>
  readonly #allocator = new Allocator(0)
  /** After all buffers: what is written only once must not be where a buffer was before, or steps would write over it. */
  readonly #constantAllocator = new Allocator(0)
  readonly #placed: Buffer[] = []
  readonly #buffers: Map<string, Buffer> = new Map()
  readonly #uses: Map<string, number> = new Map()
  readonly #constants: { readonly slot: Slot, readonly offset?: number, readonly constant: ArrayLike }[] = []

  constructor(graph: Graph, types: ReadonlyMap<string, ValueType>, constants: ReadonlyMap<string, number>) {
    this.#graph = graph
    this.#types = types
    const values = [...graph.nodes.flatMap((node) => node.inputs), ...graph.outputs.map(({ value }) => value)]
    for (const value of values) this.#uses.set(value, (this.#uses.get(value) ?? 0) + 1)
    for (const [name, ptr] of constants) this.#buffers.set(name, { slot: { ptr }, offset: -1, uses: Infinity })
    // Constants that follow from the sizes: in the plan's own memory, written once when it is placed.
    for (const [name, constant] of graph.constants) {
      if (this.#uses.has(name) && !this.#buffers.has(name)) this.#constants.push({ slot: this.define(name), constant })
    }
  }

  shape(name: string): Shape {
    return (this.#types.get(name) as ValueType).shape as Shape
  }

  allocate(bytes: number, uses: number): Buffer {
    const buffer: Buffer = { slot: { ptr: 0 }, offset: this.#allocator.allocate(bytes), uses }
    this.#placed.push(buffer)
    return buffer
  }

  define(name: string): Slot {
    const existing = this.#buffers.get(name)
    if (existing !== undefined) return existing.slot
    const { dtype } = this.#types.get(name) as ValueType
    const uses = this.#graph.constants.has(name) ? Infinity : this.#uses.get(name) ?? 0
    const buffer = this.allocate(lengthOf(this.shape(name)) * bytesOf(dtype), uses)
    this.#buffers.set(name, buffer)
    return buffer.slot
  }

  /** Numbers of a plan's own that no value of the graph holds. */
  constant(data: Int32Array): Slot {
    const slot = { ptr: 0 }
    const offset = this.#constantAllocator.allocate(data.byteLength)
    this.#constants.push({ slot, offset, constant: { dtype: 'int32', shape: [data.length], data } })
    return slot
  }

  slot(name: string): Slot {
    return (this.#buffers.get(name) as Buffer).slot
  }

  /** `name` is the same memory as `of`, and keeps it alive. */
  alias(name: string, of: string): void {
    const buffer = this.#buffers.get(of) as Buffer
    buffer.uses += this.#uses.get(name) ?? 0
    this.#buffers.set(name, buffer)
  }

  /** A node has used a value. */
  used(name: string): void {
    const buffer = this.#buffers.get(name)
    if (buffer !== undefined) this.release(buffer)
  }

  release(buffer: Buffer): void {
    if (--buffer.uses <= 0) this.#allocator.free(buffer.offset)
  }

  /** A value that a node makes and nobody reads is free again at once. */
  dropUnused(name: string): void {
    const buffer = this.#buffers.get(name)
    if (buffer !== undefined && !this.#uses.has(name) && buffer.uses <= 0) this.#allocator.free(buffer.offset)
  }

  isReplaceable(value: string): boolean {
    const buffer = this.#buffers.get(value)
    const fixed = [...this.#graph.inputs.map(({ name }) => name), ...this.#graph.constants.keys()].map((name) => this.#buffers.get(name))
    const sharers = this.#graph.outputs.filter((output) => this.#buffers.get(output.value) === buffer)
    return buffer !== undefined && buffer.offset >= 0 && !fixed.includes(buffer) && sharers.length === 1
  }

  /** Allocates the memory for all buffers and sets their addresses. */
  place(runtime: Runtime): number {
    const sizes = this.#graph.inputs.map(({ name }) => `${name} [${this.shape(name).join(', ')}]`).join(', ')
    const { end } = this.#allocator
    const base = runtime.linearMemory.allocate(end + this.#constantAllocator.end, `buffers for ${sizes}`)
    for (const { slot, offset } of this.#placed) slot.ptr = base + offset
    for (const { slot, offset, constant } of this.#constants) {
      if (offset !== undefined) slot.ptr = base + end + offset
      runtime.linearMemory.write(slot.ptr, constant.data)
    }
    return base
  }
}

/** Packs the weights of all nodes and uploads the constants that flow as values. */
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
    for (const node of graph.nodes) {
      const temporary: number[] = []
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
          upload(role) {
            const constant = parameter(role)
            if (constant === undefined) return 0
            const ptr = linearMemory.allocate(constant.data.byteLength, `weight '${role}' of '${node.name}'`)
            temporary.push(ptr)
            linearMemory.write(ptr, constant.data)
            return ptr
          },
        }))
      } finally {
        for (const ptr of temporary) linearMemory.free(ptr)
      }
    }
    const flowing = new Set([...graph.nodes.flatMap((node) => node.inputs), ...graph.outputs.map(({ value }) => value)])
    const constants: Map<string, number> = new Map()
    for (const [name, { data }] of graph.constants) {
      if (!flowing.has(name)) continue
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
