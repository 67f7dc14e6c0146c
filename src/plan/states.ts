import { LstmError } from '../errors.ts'
import type { Slot } from '../ops/operator.ts'
import type { Runtime } from '../runtime/runtime.ts'

/** How a block is made up: [outer, rows, rowBytes], where rows belong to batch rows. */
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

function bytesOf({ outer, rows, rowBytes }: StateShape): number {
  return outer * rows * rowBytes
}

/** What is remembered from run to run: blocks of linear memory that outlive the plan. */
export class StateMemory {
  readonly #runtime: Runtime
  readonly #blocks: Map<string, StateBlock> = new Map()

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /** All blocks, in the order they were made. */
  get blocks(): Iterable<StateBlock> {
    return this.#blocks.values()
  }

  /** The block of this name, or undefined. */
  find(name: string): StateBlock | undefined {
    return this.#blocks.get(name)
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
    const existing = this.#blocks.get(name)
    const bytes = bytesOf(shape)
    if (existing !== undefined) {
      const has = bytesOf(existing)
      if (has !== bytes) {
        throw new LstmError('VALUE', `${what}: it is stateful and remembers another batch size (its state has ${has} bytes, this batch needs ${bytes}); call resetStates() before changing the batch`)
      }
      return existing
    }
    const slot = { ptr: this.#runtime.linearMemory.allocate(bytes, `state of ${what}`) }
    this.#runtime.kernels.fillZero(slot.ptr, bytes)
    const block = { name, slot, ...shape }
    this.#blocks.set(name, block)
    return block
  }

  /** Forgets everything and gives the memory back. */
  clear(): void {
    for (const { slot } of this.#blocks.values()) this.#runtime.linearMemory.free(slot.ptr)
    this.#blocks.clear()
  }
}
