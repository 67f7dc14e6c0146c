import { LstmError } from '../errors.ts'
import type { TrainingRuntime } from '../runtime/gradient-kernels.ts'
import { NdArray, type ArrayLike } from '../values/ndarray.ts'
import { lengthOf, type Shape } from '../values/shape.ts'

interface StateBuffer {
  readonly ptr: number
  readonly rows: number
  readonly bytes: number
}

/** States of stateful layers, of all rows of a batch: they go on from batch to batch. */
export class CarriedStates {
  readonly #runtime: TrainingRuntime
  readonly #buffers: Map<string, StateBuffer> = new Map()

  constructor(runtime: TrainingRuntime) {
    this.#runtime = runtime
  }

  /**
   * Where a state of rows from `begin` on is; zeros when it is new.
   * @param shape of the state in a group of rows, [rows, ...]
   * @param rows those of the batch
   * @throws LstmError `VALUE` for another number of rows than before, `MEMORY`
   */
  addressOf(name: string, shape: Shape, begin: number, rows: number): number {
    const rowBytes = 4 * lengthOf(shape) / (shape[0] as number)
    let buffer = this.#buffers.get(name)
    if (buffer !== undefined && buffer.bytes !== rows * rowBytes) {
      throw new LstmError('VALUE', `state of '${name}': it is that of ${buffer.rows} rows, got a batch of ${rows}; call resetStates() before, and give batches of one size`)
    }
    if (buffer === undefined) {
      buffer = this.#allocate(name, rows, rows * rowBytes)
      this.#runtime.kernels.fillZero(buffer.ptr, buffer.bytes)
      this.#buffers.set(name, buffer)
    }
    return buffer.ptr + begin * rowBytes
  }

  /** Copies of all states by their names, [rows, floats of a row]. */
  save(): Map<string, NdArray> {
    return new Map([...this.#buffers].map(([name, { ptr, rows, bytes }]) => (
      [name, new NdArray(this.#runtime.linearMemory.view('float32', ptr, bytes / 4).slice(), [rows, bytes / 4 / rows])]
    )))
  }

  /** @param states what `save` gave. @throws LstmError `MEMORY`; nothing is changed then */
  restore(states: ReadonlyMap<string, ArrayLike>): void {
    const buffers: Map<string, StateBuffer> = new Map()
    try {
      for (const [name, { shape, data }] of states) buffers.set(name, this.#allocate(name, shape[0] as number, data.byteLength))
    } catch (error) {
      this.#free(buffers)
      throw error
    }
    this.reset()
    for (const [name, buffer] of buffers) {
      this.#runtime.linearMemory.write(buffer.ptr, (states.get(name) as ArrayLike).data)
      this.#buffers.set(name, buffer)
    }
  }

  /** They begin as zeros again, of as many rows as come. */
  reset(): void {
    this.#free(this.#buffers)
    this.#buffers.clear()
  }

  #allocate(name: string, rows: number, bytes: number): StateBuffer {
    return { ptr: this.#runtime.linearMemory.allocate(bytes, `state of '${name}'`), rows, bytes }
  }

  #free(buffers: ReadonlyMap<string, StateBuffer>): void {
    for (const { ptr } of buffers.values()) this.#runtime.linearMemory.free(ptr)
  }
}
