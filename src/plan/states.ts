import { LstmError } from '../errors.ts'
import type { Slot } from '../ops/operator.ts'
import type { Runtime } from '../runtime/runtime.ts'

/** Layout of a block: [outer, rows, rowBytes], where rows belong to batch rows. */
export interface StateShape {
  readonly outer: number
  readonly rows: number
  readonly rowBytes: number
}

/** A block of linear memory that outlives plans. */
export interface StateBlock extends StateShape {
  readonly name: string
  readonly slot: Slot
}

export function byteLengthOf({ outer, rows, rowBytes }: StateShape): number {
  return outer * rows * rowBytes
}

/** States from run to run: blocks of linear memory that outlive the plan. */
export class StateMemory {
  readonly #runtime: Runtime
  readonly #byName: Map<string, StateBlock> = new Map()
  readonly #blocks: StateBlock[] = []
  /** Where `backUp` copies all blocks to, one after the other; 0: not allocated. */
  #copiesPtr = 0
  #copiesBytes = 0

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /** All blocks, in the order they were made. */
  get blocks(): readonly StateBlock[] {
    return this.#blocks
  }

  /** The block of this name, or undefined. */
  find(name: string): StateBlock | undefined {
    return this.#byName.get(name)
  }

  /** Returns the result of `make`; where that throws, the blocks that it made are freed. */
  attempt<T>(make: () => T): T {
    const count = this.#blocks.length
    try {
      return make()
    } catch (error) {
      for (const { name, slot } of this.#blocks.splice(count)) {
        this.#byName.delete(name)
        this.#runtime.linearMemory.free(slot.ptr)
      }
      throw error
    }
  }

  /**
   * The block of this name, zeros when it is new.
   * @throws LstmError `VALUE` when it exists with another size, `MEMORY`
   */
  slot(name: string, shape: StateShape, what: string): Slot {
    return this.block(name, shape, what).slot
  }

  /** The same, with all that is known of it. */
  block(name: string, shape: StateShape, what: string): StateBlock {
    const existing = this.#byName.get(name)
    const bytes = byteLengthOf(shape)
    if (existing !== undefined) {
      const has = byteLengthOf(existing)
      if (has !== bytes) {
        throw new LstmError('VALUE', `${what}: it is stateful and remembers another batch size (its state has ${has} bytes, this batch needs ${bytes}); call resetStates() before changing the batch`)
      }
      return existing
    }
    const slot = { ptr: this.#runtime.linearMemory.allocate(bytes, `state of ${what}`) }
    this.#runtime.kernels.fillZero(slot.ptr, bytes)
    const { outer, rows, rowBytes } = shape
    const block = { name, slot, outer, rows, rowBytes }
    this.#byName.set(name, block)
    this.#blocks.push(block)
    return block
  }

  /** Allocates the memory of `backUp`. To be called when all blocks are made. @throws LstmError `MEMORY` */
  makeRoomForCopies(): void {
    let bytes = 0
    for (const block of this.#blocks) bytes += byteLengthOf(block)
    if (bytes <= this.#copiesBytes) return
    const ptr = this.#runtime.linearMemory.allocate(bytes, 'a copy of the states')
    this.#freeCopies()
    this.#copiesPtr = ptr
    this.#copiesBytes = bytes
  }

  /** Copies all states. Allocates nothing. */
  backUp(): void {
    let ptr = this.#copiesPtr
    for (let n = 0; n < this.#blocks.length; n++) {
      const block = this.#blocks[n] as StateBlock
      const bytes = byteLengthOf(block)
      this.#runtime.kernels.copyRows(block.slot.ptr, 0, ptr, 0, 1, bytes)
      ptr += bytes
    }
  }

  /** Restores the states of the last `backUp`. */
  goBack(): void {
    let ptr = this.#copiesPtr
    for (let n = 0; n < this.#blocks.length; n++) {
      const block = this.#blocks[n] as StateBlock
      const bytes = byteLengthOf(block)
      this.#runtime.kernels.copyRows(ptr, 0, block.slot.ptr, 0, 1, bytes)
      ptr += bytes
    }
  }

  /** Frees all states. */
  clear(): void {
    for (const { slot } of this.#blocks.splice(0)) this.#runtime.linearMemory.free(slot.ptr)
    this.#byName.clear()
    this.#freeCopies()
  }

  #freeCopies(): void {
    if (this.#copiesPtr !== 0) this.#runtime.linearMemory.free(this.#copiesPtr)
    this.#copiesPtr = 0
    this.#copiesBytes = 0
  }
}
