import { LstmError } from '../errors.ts'
import type { Slot } from '../ops/operator.ts'
import type { Runtime } from '../runtime/runtime.ts'

/** What stateful layers remember from run to run: blocks of linear memory that outlive the plan. */
export class StateMemory {
  readonly #runtime: Runtime
  readonly #blocks: Map<string, { readonly slot: Slot, readonly bytes: number }> = new Map()

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /**
   * The block of this name, zeros when it is new.
   * @throws LstmError `VALUE` when it exists with another size, `MEMORY`
   */
  slot(name: string, bytes: number, what: string): Slot {
    const existing = this.#blocks.get(name)
    if (existing !== undefined) {
      if (existing.bytes !== bytes) {
        throw new LstmError('VALUE', `${what}: it is stateful and remembers another batch size (its state has ${existing.bytes} bytes, this batch needs ${bytes}); call resetStates() before changing the batch`)
      }
      return existing.slot
    }
    const slot = { ptr: this.#runtime.linearMemory.allocate(bytes, `state of ${what}`) }
    this.#runtime.kernels.fillZero(slot.ptr, bytes)
    this.#blocks.set(name, { slot, bytes })
    return slot
  }

  /** Forgets everything and gives the memory back. */
  clear(): void {
    for (const { slot } of this.#blocks.values()) this.#runtime.linearMemory.free(slot.ptr)
    this.#blocks.clear()
  }
}
