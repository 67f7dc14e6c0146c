import { LstmError } from '../errors.ts'
import type { TrainingRuntime } from '../runtime/gradient-kernels.ts'
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
    if (buffer !== undefined && buffer.rows !== rows) {
      throw new LstmError('VALUE', `state of '${name}': it is that of ${buffer.rows} rows, got a batch of ${rows}; call resetStates() before, and give batches of one size`)
    }
    if (buffer === undefined) {
      buffer = { ptr: this.#runtime.linearMemory.allocate(rows * rowBytes, `state of '${name}'`), rows, bytes: rows * rowBytes }
      this.#runtime.kernels.fillZero(buffer.ptr, buffer.bytes)
      this.#buffers.set(name, buffer)
    }
    return buffer.ptr + begin * rowBytes
  }

  /** Copies of all states, by their names. */
  save(): Map<string, Float32Array> {
    return new Map([...this.#buffers].map(([name, { ptr, bytes }]) => [name, this.#runtime.linearMemory.view('float32', ptr, bytes / 4).slice()]))
  }

  /** @param rows those of the batch that they are of. @throws LstmError `MEMORY` */
  restore(states: ReadonlyMap<string, Float32Array>, rows: number): void {
    this.reset()
    for (const [name, data] of states) {
      const ptr = this.#runtime.linearMemory.allocate(data.byteLength, `state of '${name}'`)
      this.#runtime.linearMemory.write(ptr, data)
      this.#buffers.set(name, { ptr, rows, bytes: data.byteLength })
    }
  }

  /** Rows of the batch that they are of; 0 where there are none yet. */
  get rows(): number {
    return [...this.#buffers.values()][0]?.rows ?? 0
  }

  /** They begin as zeros again, of as many rows as come. */
  reset(): void {
    for (const { ptr } of this.#buffers.values()) this.#runtime.linearMemory.free(ptr)
    this.#buffers.clear()
  }
}
