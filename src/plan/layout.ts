import type { Graph } from '../graph/graph.ts'
import type { ValueType } from '../ops/graph-data.ts'
import type { Slot } from '../ops/operator.ts'
import { Allocator } from '../runtime/allocator.ts'
import { checkBytes, checkElements, type LinearMemory } from '../runtime/memory.ts'
import { bytesOf, type DataOf } from '../values/dtype.ts'
import { formatShape, lengthOf, type Shape } from '../values/shape.ts'

/** A buffer at an offset within the plan's memory, which is allocated later. */
export interface Buffer {
  readonly slot: Slot
  readonly offset: number
  /** Remaining uses: as an input of later nodes, or as an output of the model. */
  uses: number
}

/** Assigns a buffer to every value of a plan. */
export class Layout {
  readonly #graph: Graph
  readonly #types: ReadonlyMap<string, ValueType>
  readonly #allocator = new Allocator(0)
  /** Constants have their own region after the buffers: they are written once, and a reused buffer would overwrite them. */
  readonly #constantAllocator = new Allocator(0)
  readonly #placed: Buffer[] = []
  readonly #buffers: Map<string, Buffer> = new Map()
  readonly #uses: Map<string, number> = new Map()
  readonly #constants: { readonly slot: Slot, readonly offset: number, readonly data: DataOf }[] = []

  constructor(graph: Graph, types: ReadonlyMap<string, ValueType>, constants: ReadonlyMap<string, number>) {
    this.#graph = graph
    this.#types = types
    const values = [...graph.nodes.flatMap((node) => node.inputs), ...graph.outputs.map(({ value }) => value)]
    for (const value of values) this.#uses.set(value, (this.#uses.get(value) ?? 0) + 1)
    for (const [name, ptr] of constants) this.#buffers.set(name, { slot: { ptr }, offset: -1, uses: Infinity })
  }

  shape(name: string): Shape {
    return (this.#types.get(name) as ValueType).shape as Shape
  }

  /** @throws LstmError `MEMORY` for a size that cannot be addressed */
  allocate(bytes: number, uses: number, what: string): Buffer {
    checkBytes(bytes, what)
    const buffer: Buffer = { slot: { ptr: 0 }, offset: this.#allocator.allocate(bytes), uses }
    this.#placed.push(buffer)
    return buffer
  }

  define(name: string): Slot {
    const existing = this.#buffers.get(name)
    if (existing !== undefined) return existing.slot
    const { dtype } = this.#types.get(name) as ValueType
    const shape = this.shape(name)
    const what = `the value '${name}' ${dtype} ${formatShape(shape)}`
    const length = lengthOf(shape)
    checkElements(length, what)
    const buffer = this.allocate(length * bytesOf(dtype), this.#uses.get(name) ?? 0, what)
    this.#buffers.set(name, buffer)
    return buffer.slot
  }

  /** Constants of a plan that are no values of the graph. */
  constant(data: DataOf): Slot {
    return this.#place(data)
  }

  #place(data: DataOf): Slot {
    const slot = { ptr: 0 }
    this.#constants.push({ slot, offset: this.#constantAllocator.allocate(data.byteLength), data })
    return slot
  }

  slot(name: string): Slot {
    return this.#find(name).slot
  }

  /** Constants that follow from the sizes are in the plan's own memory, written once when it is placed. */
  #find(name: string): Buffer {
    const constant = this.#graph.constants.get(name)
    if (constant !== undefined && !this.#buffers.has(name)) this.#buffers.set(name, { slot: this.#place(constant.data), offset: -1, uses: Infinity })
    return this.#buffers.get(name) as Buffer
  }

  /** `name` is the same memory as `of`, and keeps it alive. */
  alias(name: string, of: string): void {
    const buffer = this.#find(of)
    buffer.uses += this.#uses.get(name) ?? 0
    this.#buffers.set(name, buffer)
  }

  /** Counts a use of a value, after which its buffer may be free. */
  used(name: string): void {
    const buffer = this.#buffers.get(name)
    if (buffer !== undefined) this.release(buffer)
  }

  release(buffer: Buffer): void {
    if (--buffer.uses <= 0) this.#allocator.free(buffer.offset)
  }

  /** The buffer of a value that nothing reads is free at once. */
  dropUnused(name: string): void {
    const buffer = this.#buffers.get(name)
    if (buffer !== undefined && !this.#uses.has(name) && buffer.uses <= 0) this.#allocator.free(buffer.offset)
  }

  /** For each output, whether its buffer is shared with no input, constant or other output. Known when all nodes are laid out. */
  get replaceable(): boolean[] {
    const { inputs, constants, outputs } = this.#graph
    const fixed = new Set([...inputs.map(({ name }) => name), ...constants.keys()].map((name) => this.#buffers.get(name)))
    const buffers = outputs.map(({ value }) => this.#buffers.get(value))
    const counts: Map<Buffer | undefined, number> = new Map()
    for (const buffer of buffers) counts.set(buffer, (counts.get(buffer) ?? 0) + 1)
    return buffers.map((buffer) => buffer !== undefined && buffer.offset >= 0 && !fixed.has(buffer) && counts.get(buffer) === 1)
  }

  /** Bytes of all buffers. */
  get bytes(): number {
    return this.#allocator.end
  }

  /**
   * Allocates memory and sets all addresses; returns the blocks that were allocated.
   * @param sharedPtr memory of the caller for the buffers
   */
  place(memory: LinearMemory, sharedPtr?: number): number[] {
    const sizes = this.#graph.inputs.map(({ name }) => `${name} [${this.shape(name).join(', ')}]`).join(', ')
    const end = sharedPtr === undefined ? this.bytes : 0
    const bytes = end + this.#constantAllocator.end
    const blocks = bytes > 0 || sharedPtr === undefined ? [memory.allocate(bytes, `buffers for ${sizes}`)] : []
    const [own = 0] = blocks
    for (const { slot, offset } of this.#placed) slot.ptr = (sharedPtr ?? own) + offset
    for (const { slot, offset, data } of this.#constants) {
      slot.ptr = own + end + offset
      memory.write(slot.ptr, data)
    }
    return blocks
  }
}
