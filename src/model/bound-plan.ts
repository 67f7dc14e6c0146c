import { LstmError } from '../errors.ts'
import type { GraphInput } from '../graph/graph.ts'
import { copyAll, copyInput, symbolsOf, type ByName, type RunInput } from '../plan/binding.ts'
import type { Plan, PlannedOutput, PlannedValue } from '../plan/plan.ts'
import { checkTarget, noOutput, type RunTarget } from '../plan/targets.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { Tensor } from '../runtime/tensor.ts'
import { bytesOf, dtypeOfData, type DataOf } from '../values/dtype.ts'
import { hasShape, NdArray } from '../values/ndarray.ts'
import { lengthOf, sameShape, type Shape } from '../values/shape.ts'

/** An input or output of a plan, and what is asked of it at every run. */
interface BoundPort<Value extends PlannedValue> {
  readonly name: string
  readonly value: Value
  readonly length: number
  /** The elements; made anew when the memory has grown, or they are elsewhere: an output may be the caller's input tensor. */
  view: DataOf
  viewPtr: number
}

/** A plan with the way in and out: allocates nothing as long as sizes are the same. */
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

  /** Whether all inputs have the plan's sizes, told without allocating; false when it takes a closer look. */
  fits(inputs: ByName<RunInput>): boolean {
    let given = 0
    for (let n = 0; n < this.#inputs.length; n++) {
      const input = this.#graphInputs[n] as GraphInput
      const { length, value: { shape } } = this.#inputs[n] as BoundPort<PlannedValue>
      const value = inputs[input.name]
      if (value === undefined) {
        if (!input.optional) return false
        continue
      }
      given++
      if (value instanceof Tensor) {
        if (value.dtype !== input.dtype || value.memory !== this.#runtime.linearMemory || value.disposed || !sameShape(value.shape, shape)) return false
      } else if (ArrayBuffer.isView(value)) {
        if (dtypeOfData(value) !== input.dtype || !this.#flat[n] || value.length !== length) return false
      } else if (!(value instanceof NdArray) || value.dtype !== input.dtype || !sameShape(value.shape, shape)) {
        return false
      }
    }
    for (const name in inputs) if (inputs[name] !== undefined) given--
    return given === 0
  }

  /** @throws LstmError `VALUE`, `SHAPE` or `DISPOSED` for targets that do not fit */
  checkTargets(into: ByName<RunTarget>, inputs: ByName<RunInput>): void {
    for (const name in into) {
      const target = into[name] as RunTarget
      const { value: { type, shape }, length } = this.#output(name)
      checkTarget(target, this.#runtime, name, type.dtype, shape, length)
      if (target instanceof Tensor) checkOverlap(name, target, into, inputs)
    }
  }

  run(inputs: ByName<RunInput>, into: ByName<RunTarget> | undefined): void {
    if (this.#generation !== this.#runtime.linearMemory.generation) this.#forgetViews()
    for (let n = 0; n < this.#inputs.length; n++) {
      const port = this.#inputs[n] as BoundPort<PlannedValue>
      const { name, value: { slot, ptr, shape } } = port
      const given = inputs[name]
      if (given instanceof Tensor) {
        slot.ptr = given.ptr
        continue
      }
      slot.ptr = ptr
      copyInput(this.#graphInputs[n] as GraphInput, given, shape, this.#view(port))
    }
    // Every output's address at every run: the run before may have ended in an error.
    for (let n = 0; n < this.#outputs.length; n++) {
      const { name, value: { slot, ptr, replaceable } } = this.#outputs[n] as BoundPort<PlannedOutput>
      if (!replaceable) continue
      const target = into?.[name]
      slot.ptr = target instanceof Tensor ? target.ptr : ptr
    }
    const { steps } = this.#plan
    for (let n = 0; n < steps.length; n++) (steps[n] as () => void)()
    for (const name in into) this.#write(this.#output(name), into[name] as RunTarget)
  }

  copyOutputs(): Record<string, NdArray> {
    return Object.fromEntries(this.#outputs.map((port) => [port.name, new NdArray(this.#view(port).slice(), port.value.shape)]))
  }

  dispose(): void {
    this.#plan.dispose()
  }

  #write(port: BoundPort<PlannedOutput>, target: RunTarget): void {
    const { value: { slot, replaceable, type }, length } = port
    if (target instanceof Tensor) {
      if (!replaceable) this.#runtime.kernels.copyRows(slot.ptr, 0, target.ptr, 0, 1, length * bytesOf(type.dtype))
      return
    }
    copyAll(this.#view(port), hasShape(target) ? target.data : target)
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

  #output(name: string): BoundPort<PlannedOutput> {
    for (let n = 0; n < this.#outputs.length; n++) {
      const output = this.#outputs[n] as BoundPort<PlannedOutput>
      if (output.name === name) return output
    }
    throw noOutput(name, this.#outputs)
  }
}

/** A tensor that is written must not be read, or written twice, in the same run. */
function checkOverlap(name: string, target: Tensor, into: ByName<RunTarget>, inputs: ByName<RunInput>): void {
  for (const other in into) {
    const tensor = into[other]
    if (other !== name && tensor instanceof Tensor && tensor.ptr === target.ptr) {
      throw new LstmError('VALUE', `into: '${name}' and '${other}' are the same memory`)
    }
  }
  for (const input in inputs) {
    const tensor = inputs[input]
    if (tensor instanceof Tensor && tensor.ptr === target.ptr) {
      throw new LstmError('VALUE', `into: '${name}' is the same memory as the input '${input}'`)
    }
  }
}
