// Where parameters lie: their values, and beside them their gradients, in one layout.
import { LstmError } from '../errors.ts'
import { packedLength, type LoweredParameter } from '../gradients/lower-graph.ts'
import type { PackedLayout } from '../gradients/lowering.ts'
import type { PlannedOutput } from '../plan/plan.ts'
import type { TrainingRuntime } from '../runtime/gradient-kernels.ts'
import type { ArrayLike } from '../values/ndarray.ts'
import { lengthOf } from '../values/shape.ts'
import type { BatchPlan } from './batch-plan.ts'
import type { TrainedParameter } from './parameter.ts'

/** Floats of the header of a packed matrix, which is no weight: assembly/products/layout.ts. */
const HEADER = 16
/** Parameters begin at cache lines. */
const ALIGNED = 16

/** A parameter in the arena. */
export interface PlacedParameter extends TrainedParameter {
  /** Name of the graph's input that stands for it. */
  readonly input: string
  /** Name of its constant; its name is another one where a constant is in two parts. */
  readonly constant: string
  /** Floats before `offset` that are part of what the graph is given. */
  readonly header: number
  trainable: boolean
  /** Takes its part of the whole constant, row-major. */
  take(constant: Float32Array): void
  /** Writes it to the whole constant. */
  give(constant: Float32Array): void
  /** The gradient of the last step, row-major. */
  readGradient(): Float32Array
}

/** Rows of the constant that a part has: all, or those of some gates. */
function partOf(layout: PackedLayout | undefined, shape: readonly number[]): { begin: number, length: number } {
  if (layout === undefined) return { begin: 0, length: lengthOf(shape) }
  const { k, units, gates, begin = 0 } = layout
  return { begin: begin * units * k, length: Math.max(1, gates) * units * k }
}

/** Parameters and gradients in linear memory. */
export class Arena {
  readonly parameters: readonly PlacedParameter[]
  /** Floats. */
  readonly length: number
  /** Where the values begin. */
  readonly valuesPtr: number
  /** Where the gradients begin. */
  readonly gradientsPtr: number
  readonly #runtime: TrainingRuntime

  /** @throws LstmError `MEMORY` */
  constructor(runtime: TrainingRuntime, lowered: readonly LoweredParameter[], constants: ReadonlyMap<string, ArrayLike>, fixed: ReadonlySet<string>) {
    this.#runtime = runtime
    const parameters: PlacedParameter[] = []
    let end = 0
    for (const { constant, input, layout } of lowered) {
      const { shape } = constants.get(constant) as ArrayLike
      const header = layout === undefined ? 0 : HEADER
      const length = layout === undefined ? lengthOf(shape) : packedLength(layout) - HEADER
      const part = partOf(layout, shape)
      const offset = end + header
      const take = (data: Float32Array): void => this.#pack(data, layout, offset)
      const give = (data: Float32Array): void => this.#unpack(data, this.valuesPtr, layout, offset, length)
      parameters.push({
        name: input.slice('parameter '.length), input, constant, header, shape, trainable: !fixed.has(constant), offset, length,
        take: (data) => take(data.subarray(part.begin, part.begin + part.length)),
        give: (data) => give(data.subarray(part.begin, part.begin + part.length)),
        read: () => {
          const data = new Float32Array(part.length)
          give(data)
          return data
        },
        readGradient: () => {
          const data = new Float32Array(part.length)
          this.#unpack(data, this.gradientsPtr, layout, offset, length)
          return data
        },
        write: (data) => {
          if (data.length !== part.length) throw new LstmError('SHAPE', `parameter '${constant}': expected ${part.length} elements, got ${data.length}`)
          take(data)
        },
      })
      end = Math.ceil((offset + length) / ALIGNED) * ALIGNED
    }
    this.parameters = parameters
    this.length = end
    const bytes = 4 * end
    // One block: it is there whole, or not at all.
    this.valuesPtr = runtime.linearMemory.allocate(2 * bytes, 'parameters and their gradients')
    this.gradientsPtr = this.valuesPtr + bytes
    runtime.kernels.fillZero(this.valuesPtr, 2 * bytes)
    try {
      for (const parameter of parameters) parameter.take((constants.get(parameter.constant) as ArrayLike).data as Float32Array)
    } catch (error) {
      this.dispose()
      throw error
    }
  }

  /** Address of what the graph is given for a parameter. */
  addressOf({ offset, header }: PlacedParameter, basePtr: number): number {
    return basePtr + 4 * (offset - header)
  }

  dispose(): void {
    this.#runtime.linearMemory.free(this.valuesPtr)
  }

  #pack(data: Float32Array, layout: PackedLayout | undefined, offset: number): void {
    const { linearMemory, kernels } = this.#runtime
    if (layout === undefined) {
      linearMemory.write(this.valuesPtr + 4 * offset, data)
      return
    }
    const { k, units, gates } = layout
    const fromPtr = linearMemory.allocate(data.byteLength, 'a parameter on its way')
    try {
      linearMemory.write(fromPtr, data)
      const toPtr = this.valuesPtr + 4 * (offset - HEADER)
      if (gates === 0) kernels.packDenseF32(toPtr, fromPtr, 0, k, units)
      else kernels.packGatesF32(toPtr, fromPtr, 0, 0, k, units, gates, 0)
    } finally {
      linearMemory.free(fromPtr)
    }
  }

  #unpack(data: Float32Array, basePtr: number, layout: PackedLayout | undefined, offset: number, length: number): void {
    const { linearMemory, kernels } = this.#runtime
    if (layout === undefined) {
      data.set(linearMemory.view('float32', basePtr + 4 * offset, length))
      return
    }
    const { units, gates } = layout
    const toPtr = linearMemory.allocate(data.byteLength, 'a parameter on its way')
    try {
      // The header is that of the values: sizes.
      const [matrixPtr, packedPtr] = [this.valuesPtr, basePtr].map((ptr) => ptr + 4 * (offset - HEADER)) as [number, number]
      kernels.unpackWeights(matrixPtr, packedPtr, toPtr, units, gates)
      data.set(linearMemory.view('float32', toPtr, data.length))
    } finally {
      linearMemory.free(toPtr)
    }
  }
}

/** Adds the gradients of groups of rows, in their order: those of the first go to their place, those of the others beside it. */
export class GradientSums {
  readonly #runtime: TrainingRuntime
  readonly #arena: Arena
  /** By lane: gradients of a group, before they are added to those of the batch. There is none as long as no batch has two groups. */
  readonly #groupPtrs: Map<number, number> = new Map()

  constructor(runtime: TrainingRuntime, arena: Arena) {
    this.#runtime = runtime
    this.#arena = arena
  }

  /** Before a group runs: each gradient is written where it is wanted, if its buffer is its own. @throws LstmError `MEMORY` */
  begin(plan: BatchPlan, lane: number, isFirst: boolean): void {
    const basePtr = this.#basePtr(lane, isFirst)
    for (const parameter of this.#arena.parameters) {
      const gradient = plan.gradients.get(parameter.input)
      if (gradient?.replaceable === true) gradient.slot.ptr = this.#arena.addressOf(parameter, basePtr)
    }
  }

  /** After it has run: the others are copied there, sums are made, and constants that follow the batch are updated. */
  end(plan: BatchPlan, lane: number, isFirst: boolean): void {
    const { kernels } = this.#runtime
    const { parameters, gradientsPtr, valuesPtr, length } = this.#arena
    const basePtr = this.#basePtr(lane, isFirst)
    for (const parameter of parameters) this.#settle(plan.gradients.get(parameter.input), this.#arena.addressOf(parameter, basePtr))
    if (!isFirst) kernels.addF32(gradientsPtr, basePtr, length)
    for (const [constant, { slot, shape }] of plan.updates) {
      const parameter = parameters.find((own) => own.constant === constant) as PlacedParameter
      kernels.copyRows(slot.ptr, 0, this.#arena.addressOf(parameter, valuesPtr), 0, 1, 4 * lengthOf(shape))
    }
  }

  dispose(): void {
    for (const ptr of this.#groupPtrs.values()) this.#runtime.linearMemory.free(ptr)
    this.#groupPtrs.clear()
  }

  #basePtr(lane: number, isFirst: boolean): number {
    if (isFirst) return this.#arena.gradientsPtr
    const known = this.#groupPtrs.get(lane)
    if (known !== undefined) return known
    const { linearMemory, kernels } = this.#runtime
    const ptr = linearMemory.allocate(4 * this.#arena.length, 'gradients of a group of rows')
    kernels.fillZero(ptr, 4 * this.#arena.length)
    this.#groupPtrs.set(lane, ptr)
    return ptr
  }

  #settle(gradient: PlannedOutput | undefined, ptr: number): void {
    if (gradient !== undefined && gradient.slot.ptr !== ptr) this.#runtime.kernels.copyRows(gradient.slot.ptr, 0, ptr, 0, 1, 4 * lengthOf(gradient.shape))
  }
}
