import { LstmError } from '../errors.ts'
import type { Graph, GraphInput } from '../graph/graph.ts'
import { typeGraph } from '../graph/infer.ts'
import { saveGraph } from '../formats/model-file.ts'
import { formatSummary, summarise, type Summary } from '../graph/summary.ts'
import { makeDisposable } from '../runtime/dispose.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { Tensor } from '../runtime/tensor.ts'
import { describeValue, dtypeOfData, type DType } from '../values/dtype.ts'
import { checkData, hasShape, NdArray, type ArrayLike } from '../values/ndarray.ts'
import { formatShape, lengthOf, sameShape, type Shape, type SymbolicShape } from '../values/shape.ts'
import { bindSizes, copyInput, shapeOfInput, symbolsOf, type RunInput } from './binding.ts'
import { StateMemory } from './states.ts'
import { BufferView } from './buffer-view.ts'
import { makePlan, prepareGraph, type Plan, type PlannedOutput, type PlannedValue } from './plan.ts'

/** An input or output of a model: what `model.inputs` and `model.outputs` list. */
export interface ModelPort {
  readonly name: string
  readonly dtype: DType
  readonly shape: SymbolicShape
  /** An input that may be left out; it is zeros then. */
  readonly optional?: boolean
}

/** Where `run` may write an output: a tensor of the model's runtime, a typed array, or an array with shape and data. */
export type RunTarget = Tensor | ArrayLike | Float32Array | Int32Array | Uint8Array

export interface RunOptions<Into extends Readonly<Record<string, RunTarget>>> {
  /** Arrays to write outputs to, by name. Only these outputs are given back then. */
  readonly into?: Into
}

interface BoundPlan {
  readonly plan: Plan
  readonly inputViews: readonly BufferView[]
  readonly outputViews: readonly BufferView[]
  /** Number of elements of each input. */
  readonly inputLengths: readonly number[]
}

/**
 * A compiled model: weights packed in the linear memory of a runtime, and a plan for the sizes it was
 * last run with. Made by `load` or `compile`. Holds its memory until `dispose()`.
 */
export class Model {
  /** What `run` takes. */
  readonly inputs: readonly ModelPort[]
  /** What `run` gives. */
  readonly outputs: readonly ModelPort[]
  /** The runtime it lives in. */
  readonly runtime: Runtime
  readonly #graph: Graph
  readonly #prepared: ReturnType<typeof prepareGraph>
  readonly #flatInputs: readonly boolean[]
  readonly #states: StateMemory
  #bound: BoundPlan | undefined
  #disposed = false

  /**
   * Use `compile`.
   * @throws LstmError for a graph that does not hold together, `MEMORY` when its weights do not fit
   */
  constructor(runtime: Runtime, graph: Graph) {
    const typed = typeGraph(graph)
    this.runtime = runtime
    this.#states = new StateMemory(runtime)
    this.#graph = graph
    this.inputs = graph.inputs
    this.outputs = graph.outputs.map(({ name, value }) => ({ name, ...typed.types.get(value) as { dtype: DType, shape: SymbolicShape } }))
    this.#flatInputs = graph.inputs.map((input) => symbolsOf(input).length <= 1)
    this.#prepared = prepareGraph(runtime, typed)
  }

  /**
   * Runs the model, synchronously.
   *
   * Sizes with a name (`batch`, `timesteps`) are whatever the inputs say; new sizes lay the buffers
   * out anew, the same sizes again allocate nothing. Outputs are copies, unless `into` says where to write.
   *
   * @param inputs by name, see `model.inputs`; optional ones may be left out
   * @returns outputs by name; with `into`, the object given
   * @throws LstmError `SHAPE` or `VALUE` for inputs or targets that do not fit, `MEMORY` when the limit is reached,
   *   `DISPOSED`; the model is then as before
   */
  run(inputs: Readonly<Record<string, RunInput>>): Record<string, NdArray>
  run<Into extends Readonly<Record<string, RunTarget>>>(inputs: Readonly<Record<string, RunInput>>, options: { readonly into: Into }): Into
  run<Into extends Readonly<Record<string, RunTarget>>>(
    inputs: Readonly<Record<string, RunInput>>, options?: RunOptions<Into>,
  ): Record<string, NdArray> | Into {
    if (this.#disposed) throw new LstmError('DISPOSED', 'this model is disposed')
    const bound = this.#bind(inputs)
    const into = options?.into
    if (into !== undefined) this.#checkTargets(into, bound.plan, inputs)
    this.#setInputs(inputs, bound)
    this.#setTargets(into, bound.plan)
    const { steps } = bound.plan
    for (let n = 0; n < steps.length; n++) (steps[n] as () => void)()
    if (into === undefined) return this.#copyOutputs(bound)
    this.#writeTargets(into, bound)
    return into
  }

  /** Makes stateful layers forget: their states are zeros again, and the batch size may change. */
  resetStates(): void {
    this.#bound?.plan.dispose()
    this.#bound = undefined
    this.#states.clear()
  }

  /** A table: layers, output shapes, parameters, multiply-adds and bytes, with the arithmetic of every LSTM. */
  summary(): string {
    return formatSummary(this.describe())
  }

  /** The figures of `summary()` as data. */
  describe(): Summary {
    return summarise(this.#graph)
  }

  /** The model as a self-describing safetensors file, which `load` reads; the tensors keep their names. */
  save(): Uint8Array<ArrayBuffer> {
    return saveGraph(this.#graph)
  }

  /** Gives all memory back. Calling it again does nothing. */
  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    this.#bound?.plan.dispose()
    this.#bound = undefined
    this.#prepared.dispose()
    this.#states.clear()
  }

  /** The plan for these inputs: the one there is, or a new one when sizes differ. */
  #bind(inputs: Readonly<Record<string, RunInput>>): BoundPlan {
    if (typeof inputs !== 'object' || inputs === null) {
      throw new LstmError('VALUE', `run: expected an object with inputs by name (${this.#inputNames()}), got ${describeValue(inputs)}`)
    }
    return this.#bound !== undefined && this.#fits(inputs, this.#bound) ? this.#bound : this.#bindAnew(inputs)
  }

  /** Apart from `#bind`, because its closures cost memory as soon as it is entered. */
  #bindAnew(inputs: Readonly<Record<string, RunInput>>): BoundPlan {
    for (const name of Object.keys(inputs)) {
      if (!this.inputs.some((input) => input.name === name)) {
        throw new LstmError('VALUE', `run: no input '${name}'; inputs are ${this.#inputNames()}`)
      }
    }
    const shapes = this.inputs.map((input) => {
      const value = inputs[input.name]
      if (value === undefined && input.optional) return undefined
      if (value === undefined) throw new LstmError('VALUE', `run: the input '${input.name}' ${input.dtype} ${formatShape(input.shape)} is missing`)
      this.#checkTensor(value, 'input', input.name)
      return shapeOfInput(input, value)
    })
    const bound = bindSizes(this.inputs, shapes)
    const current = this.#bound?.plan
    if (current !== undefined && this.inputs.every(({ name }, n) => sameShape(bound.get(name) as Shape, current.inputs[n]?.shape ?? []))) {
      return this.#bound as BoundPlan
    }
    return this.#replan(bound)
  }

  #replan(shapes: ReadonlyMap<string, Shape>): BoundPlan {
    // Given back first, so that both plans need not fit at once; a plan is made again whenever it is missing.
    this.#bound?.plan.dispose()
    this.#bound = undefined
    const plan = makePlan(this.runtime, this.#prepared, shapes, this.#states)
    this.#bound = {
      plan,
      inputViews: plan.inputs.map((value) => new BufferView(this.runtime, value)),
      outputViews: plan.outputs.map((value) => new BufferView(this.runtime, value)),
      inputLengths: plan.inputs.map(({ shape }) => lengthOf(shape)),
    }
    return this.#bound
  }

  /** Whether all inputs have the plan's sizes, told without allocating; false when it takes a closer look. */
  #fits(inputs: Readonly<Record<string, RunInput>>, { plan, inputLengths }: BoundPlan): boolean {
    let given = 0
    for (let n = 0; n < this.inputs.length; n++) {
      const input = this.inputs[n] as GraphInput
      const value = inputs[input.name]
      if (value === undefined) {
        if (!input.optional) return false
        continue
      }
      given++
      const { shape } = plan.inputs[n] as PlannedValue
      if (value instanceof Tensor) {
        if (value.dtype !== input.dtype || value.memory !== this.runtime.linearMemory || value.disposed || !sameShape(value.shape, shape)) return false
      } else if (ArrayBuffer.isView(value)) {
        if (dtypeOfData(value) !== input.dtype || !this.#flatInputs[n] || value.length !== inputLengths[n]) return false
      } else if (!(value instanceof NdArray) || value.dtype !== input.dtype || !sameShape(value.shape, shape)) {
        return false
      }
    }
    for (const name in inputs) if (inputs[name] !== undefined) given--
    return given === 0
  }

  #setInputs(inputs: Readonly<Record<string, RunInput>>, { plan, inputViews }: BoundPlan): void {
    for (let n = 0; n < this.inputs.length; n++) {
      const input = this.inputs[n] as GraphInput
      const { slot, ptr, shape } = plan.inputs[n] as PlannedValue
      const value = inputs[input.name]
      if (value instanceof Tensor) {
        slot.ptr = value.ptr
      } else {
        slot.ptr = ptr
        copyInput(input, value, shape, (inputViews[n] as BufferView).data)
      }
    }
  }

  #checkTargets(into: Readonly<Record<string, RunTarget>>, plan: Plan, inputs: Readonly<Record<string, RunInput>>): void {
    for (const name in into) {
      const target = into[name] as RunTarget
      const position = this.#outputPosition(name)
      if (position < 0) {
        throw new LstmError('VALUE', `into: no output '${name}'; outputs are ${this.outputs.map((output) => `'${output.name}'`).join(', ')}`)
      }
      const { type, shape } = plan.outputs[position] as PlannedOutput
      this.#checkTensor(target, 'into', name)
      const data = hasShape(target) ? target.data : target
      if (dtypeOfData(data) !== type.dtype) checkData(data, type.dtype, `into '${name}'`)
      if ((hasShape(target) && !sameShape(target.shape, shape)) || data.length !== lengthOf(shape)) {
        const got = hasShape(target) ? formatShape(target.shape) : `${data.length} elements`
        throw new LstmError('SHAPE', `into '${name}': expected ${type.dtype} ${formatShape(shape)}, got ${got}`)
      }
      if (target instanceof Tensor) this.#checkOverlap(name, target, into, inputs)
    }
  }

  /** A tensor that is written must not be read, or written twice, in the same run. */
  #checkOverlap(name: string, target: Tensor, into: Readonly<Record<string, RunTarget>>, inputs: Readonly<Record<string, RunInput>>): void {
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

  /** Sets every output's address at every run: the run before may have ended in an error. */
  #setTargets(into: Readonly<Record<string, RunTarget>> | undefined, plan: Plan): void {
    for (let n = 0; n < this.outputs.length; n++) {
      const { slot, ptr, replaceable } = plan.outputs[n] as PlannedOutput
      if (!replaceable) continue
      const target = into?.[(this.outputs[n] as ModelPort).name]
      slot.ptr = target instanceof Tensor ? target.ptr : ptr
    }
  }

  #writeTargets(into: Readonly<Record<string, RunTarget>>, { plan, outputViews }: BoundPlan): void {
    for (const name in into) {
      const target = into[name] as RunTarget
      const position = this.#outputPosition(name)
      const { slot, replaceable, shape } = plan.outputs[position] as PlannedOutput
      if (target instanceof Tensor) {
        if (!replaceable) this.runtime.kernels.copyRows(slot.ptr, 0, target.ptr, 0, 1, lengthOf(shape) * target.data.BYTES_PER_ELEMENT)
      } else {
        const data = hasShape(target) ? target.data : target
        data.set((outputViews[position] as BufferView).data)
      }
    }
  }

  #copyOutputs({ plan, outputViews }: BoundPlan): Record<string, NdArray> {
    return Object.fromEntries(this.outputs.map(({ name }, position) => {
      const { shape } = plan.outputs[position] as PlannedOutput
      return [name, new NdArray((outputViews[position] as BufferView).data.slice(), shape)]
    }))
  }

  /** Puts a message together only when there is something to say: runs allocate nothing. */
  #checkTensor(value: RunInput | RunTarget, where: 'input' | 'into', name: string): void {
    if (!(value instanceof Tensor)) return
    if (value.disposed) throw new LstmError('DISPOSED', `${where} '${name}': the tensor is disposed`)
    if (value.memory !== this.runtime.linearMemory) {
      throw new LstmError('VALUE', `${where} '${name}': expected a tensor of the model's own runtime (model.runtime), got one of another runtime`)
    }
  }

  #outputPosition(name: string): number {
    for (let n = 0; n < this.outputs.length; n++) if (this.outputs[n]?.name === name) return n
    return -1
  }

  #inputNames(): string {
    return this.inputs.map(({ name, optional }) => `'${name}'${optional ? ' (optional)' : ''}`).join(', ')
  }
}

export interface Model extends Disposable {
  readonly runtime: Runtime
}
makeDisposable(Model)
