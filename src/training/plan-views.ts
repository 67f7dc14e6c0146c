import type { PlannedValue } from '../plan/plan.ts'
import type { LinearMemory } from '../runtime/memory.ts'
import type { DataOf } from '../values/dtype.ts'
import { lengthOf } from '../values/shape.ts'

/** Views of the values of plans: made anew only where a value or the memory has moved, for they come again in every step. */
export class PlanViews {
  readonly #memory: LinearMemory
  #views: WeakMap<PlannedValue, DataOf> = new WeakMap()
  #generation = -1

  constructor(memory: LinearMemory) {
    this.#memory = memory
  }

  /** The elements of a value, in its dtype. It is not to be kept. */
  of(value: PlannedValue): DataOf {
    const { generation } = this.#memory
    if (generation !== this.#generation) {
      this.#generation = generation
      this.#views = new WeakMap()
    }
    const known = this.#views.get(value)
    if (known?.byteOffset === value.slot.ptr) return known
    const view = this.#memory.view(value.type.dtype, value.slot.ptr, lengthOf(value.shape))
    this.#views.set(value, view)
    return view
  }
}
