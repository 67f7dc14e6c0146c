import type { Runtime } from '../runtime/runtime.ts'
import type { DataOf } from '../values/dtype.ts'
import { lengthOf } from '../values/shape.ts'
import type { PlannedValue } from './plan.ts'

/** The elements of a buffer of a plan: a view that is made anew when the memory has grown or the buffer is another. */
export class BufferView {
  readonly #runtime: Runtime
  readonly #value: PlannedValue
  #view: DataOf | undefined
  #generation = -1
  #ptr = 0

  constructor(runtime: Runtime, value: PlannedValue) {
    this.#runtime = runtime
    this.#value = value
  }

  get data(): DataOf {
    const { linearMemory } = this.#runtime
    const { type, slot, shape } = this.#value
    if (this.#view === undefined || this.#generation !== linearMemory.generation || this.#ptr !== slot.ptr) {
      this.#view = linearMemory.view(type.dtype, slot.ptr, lengthOf(shape))
      this.#generation = linearMemory.generation
      this.#ptr = slot.ptr
    }
    return this.#view
  }
}
