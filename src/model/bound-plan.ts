import type { GraphInput } from '../graph/graph.ts'
import { copyAll, symbolsOf, type Taken } from '../plan/binding.ts'
import type { Plan, PlannedOutput, PlannedValue } from '../plan/plan.ts'
import { checkOverlaps, checkTarget, isGiven } from '../plan/targets.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { bytesOf, copyData, dtypeOfData, type DataOf } from '../values/dtype.ts'
import { NdArray } from '../values/ndarray.ts'
import { lengthOf, sameShape, type Shape } from '../values/shape.ts'

/** An input or output of a plan, with all that a run needs of it. */
interface BoundPort<Value extends PlannedValue> {
  readonly name: string
  readonly value: Value
  readonly length: number
  /** The elements; renewed when the memory has grown, or when they are elsewhere: an output may be the caller's input tensor. */
  view: DataOf
  viewPtr: number
}

/** A plan that copies inputs in and outputs out: allocates nothing as long as sizes are the same. */
export class BoundPlan {
  readonly #runtime: Runtime
  readonly #plan: Plan
  readonly #graphInputs: readonly GraphInput[]
  /** Whether an input may be an array without a shape. */
  readonly #flat: readonly boolean[]
  readonly #inputs: readonly BoundPort<PlannedValue>[]
  readonly #outputs: readonly BoundPort<PlannedOutput>[]
  #generation = -1

  constructor(runtime: Runtime, plan: Plan, inputs: readonly GraphInput[], outputs: readonly { readonly name: string }[]) {
    this.#runtime = runtime
    this.#plan = plan
    this.#graphInputs = inputs
    this.#flat = inputs.map((input) => symbolsOf(input).length <= 1)
    const bind = <V extends PlannedValue>(value: V, name: string): BoundPort<V> => (
      { name, value, length: lengthOf(value.shape), view: new Uint8Array(), viewPtr: 0 }
    )
    this.#inputs = plan.inputs.map((value, n) => bind(value, (inputs[n] as GraphInput).name))
    this.#outputs = plan.outputs.map((value, n) => bind(value, (outputs[n] as { name: string }).name))
  }

  /** Whether these are the plan's sizes. */
  has(sizes: ReadonlyMap<string, Shape>): boolean {
    return this.#inputs.every(({ name, value }) => sameShape(sizes.get(name) as Shape, value.shape))
  }

  /** Whether all inputs have the plan's sizes, without allocating; false where the full check is needed. */
  fits(taken: readonly Taken[]): boolean {
    for (let n = 0; n < this.#inputs.length; n++) {
      const input = this.#graphInputs[n] as GraphInput
      const { length, value } = this.#inputs[n] as BoundPort<PlannedValue>
      const { tensor, data, shape } = taken[n] as Taken
      if (shape === undefined ? data !== undefined && !this.#flat[n] : !sameShape(shape, value.shape)) return false
      if (tensor !== undefined) {
        if (tensor.dtype !== input.dtype || tensor.memory !== this.#runtime.linearMemory || tensor.disposed) return false
      } else if (data === undefined ? !input.optional : dtypeOfData(data) !== input.dtype || data.length !== length) {
        return false
      }
    }
    return true
  }

  /** @throws LstmError `VALUE`, `SHAPE` or `DISPOSED` for targets that do not fit */
  checkTargets(targets: readonly Taken[], inputs: readonly Taken[]): void {
    for (let n = 0; n < targets.length; n++) {
      const target = targets[n] as Taken
      const { name, value: { type, shape }, length } = this.#outputs[n] as BoundPort<PlannedOutput>
      if (isGiven(target)) checkTarget(target, this.#runtime, name, type.dtype, shape, length)
    }
    checkOverlaps(targets, this.#outputs, inputs, this.#graphInputs)
  }

  /** @param targets where outputs are to be written, or undefined: outputs stay in the plan */
  run(inputs: readonly Taken[], targets: readonly Taken[] | undefined): void {
    if (this.#generation !== this.#runtime.linearMemory.generation) this.#forgetViews()
    for (let n = 0; n < this.#inputs.length; n++) {
      const port = this.#inputs[n] as BoundPort<PlannedValue>
      const { value: { slot, ptr } } = port
      const { tensor, data } = inputs[n] as Taken
      slot.ptr = tensor === undefined ? ptr : tensor.ptr
      if (data !== undefined) copyAll(data, this.#view(port))
      else if (tensor === undefined) this.#view(port).fill(0)
    }
    // The address of every output is set at every run: the run before may have thrown.
    for (let n = 0; n < this.#outputs.length; n++) {
      const { value: { slot, ptr, replaceable } } = this.#outputs[n] as BoundPort<PlannedOutput>
      if (replaceable) slot.ptr = targets?.[n]?.tensor?.ptr ?? ptr
    }
    const { steps } = this.#plan
    for (let n = 0; n < steps.length; n++) (steps[n] as () => void)()
    for (let n = 0; targets !== undefined && n < targets.length; n++) this.#write(this.#outputs[n] as BoundPort<PlannedOutput>, targets[n] as Taken)
  }

  copyOutputs(): Record<string, NdArray> {
    return Object.fromEntries(this.#outputs.map((port) => [port.name, new NdArray(copyData(this.#view(port)), port.value.shape)]))
  }

  dispose(): void {
    this.#plan.dispose()
  }

  #write(port: BoundPort<PlannedOutput>, { tensor, data }: Taken): void {
    const { value: { slot, replaceable, type }, length } = port
    if (data !== undefined) copyAll(this.#view(port), data)
    else if (tensor !== undefined && !replaceable) this.#runtime.kernels.copyRows(slot.ptr, 0, tensor.ptr, 0, 1, length * bytesOf(type.dtype))
  }

  #view(port: BoundPort<PlannedValue>): DataOf {
    const { value: { type, slot }, length } = port
    if (port.viewPtr !== slot.ptr) {
      port.view = this.#runtime.linearMemory.view(type.dtype, slot.ptr, length)
      port.viewPtr = slot.ptr
    }
    return port.view
  }

  #forgetViews(): void {
    for (const port of [...this.#inputs, ...this.#outputs]) port.viewPtr = 0
    this.#generation = this.#runtime.linearMemory.generation
  }
}
