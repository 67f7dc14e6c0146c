import { LstmError } from '../errors.ts'
import type { StateBlock } from '../plan/states.ts'
import { makeDisposable } from '../runtime/dispose.ts'
import { describeValue, type DataOf } from '../values/dtype.ts'
import type { PlatformDisposable } from '../values/platform.ts'
import type { Blueprint, StreamHost } from './blueprint.ts'
import { checkIndices, checkInPlace, checkOutput, copyRun, refuseLength, takeInputs, takeOutputs, type Frames, type InputFrames } from './frames.ts'
import { Machine, type MachinePlan, type PortLayout } from './machine.ts'
import { hashStates, newSave, openSave, seal } from './saves.ts'
import { checkRows } from './mixing.ts'
import { SessionIds } from './session-ids.ts'

/** Largest batch of sessions: the states of more would not fit the cache. */
const MOST_ROWS = 128
const RECORD_ALIGNMENT = 16

/**
 * Independent sessions over one copy of the weights, each a sequence that goes on where it ended. Any of them step together as
 * one batch. Made by `model.streams()`; nothing is allocated afterwards. Holds its memory until `dispose()`.
 */
export class StreamPool {
  /** Most sessions that can be open. */
  readonly capacity: number
  readonly #host: StreamHost
  readonly #blueprint: Blueprint
  readonly #ids: SessionIds
  /** One for each power of two of rows, largest first: any number of sessions is a sum of few of them. */
  readonly #machines: readonly Machine[] = []
  /** States by place: what `Machine.readRow` gives. */
  readonly #recordsPtr: number
  readonly #recordBytes: number
  /** int32 [capacity]: the places of the sessions that step. */
  readonly #placesPtr: number
  /** States of a new session. */
  readonly #first: Uint8Array
  #places: DataOf = new Int32Array()
  /** The same, while arrays are taken from the caller and the memory may still grow. */
  readonly #chosen: Int32Array
  /** The arrays of this call, by position. */
  readonly #given: DataOf[] = []
  readonly #wanted: (DataOf | undefined)[] = []
  #generation = -1
  /** Not `open` while arrays are taken, whose getters may call back, and when it is disposed. */
  #phase: 'open' | 'busy' | 'disposed' = 'open'

  /** Use `model.streams`. */
  constructor(host: StreamHost, blueprint: Blueprint, capacity: number) {
    const { runtime } = host
    this.capacity = capacity
    this.#host = host
    this.#blueprint = blueprint
    this.#ids = new SessionIds(capacity)
    this.#chosen = new Int32Array(capacity)
    checkPorts(blueprint)
    checkRows(blueprint)
    const machines: Machine[] = []
    const blocks: number[] = []
    try {
      const most = Math.min(capacity, blueprint.fixedBatch ?? MOST_ROWS)
      for (let rows = 2 ** Math.floor(Math.log2(most)); rows >= 1; rows /= 2) machines.push(new Machine(runtime, blueprint, rows, [1]))
      const one = machines.at(-1) as Machine
      this.#recordBytes = Math.ceil(Math.max(one.rowBytes, 1) / RECORD_ALIGNMENT) * RECORD_ALIGNMENT
      this.#recordsPtr = runtime.linearMemory.allocate(capacity * this.#recordBytes, `the states of ${capacity} sessions`)
      blocks.push(this.#recordsPtr)
      this.#placesPtr = runtime.linearMemory.allocate(capacity * 4, `a list of ${capacity} sessions`)
      this.#first = new Uint8Array(one.rowBytes)
      one.readRow(0, this.#first, 0)
    } catch (error) {
      for (const machine of machines) machine.dispose()
      for (const ptr of blocks) runtime.linearMemory.free(ptr)
      throw error
    }
    this.#machines = machines
  }

  /** Sessions that are open. */
  get size(): number {
    return this.#ids.size
  }

  /** A new session. @returns its id; ids of closed sessions are not used again soon. @throws LstmError `MEMORY` when all are open, `DISPOSED` */
  open(): number {
    this.#check()
    const id = this.#ids.open()
    this.#record(this.#ids.place(id)).set(this.#first)
    return id
  }

  /** Ends a session. @throws LstmError `VALUE` for an id that is not open, `DISPOSED` */
  close(id: number): void {
    this.#check()
    this.#ids.close(id)
  }

  /**
   * One timestep of some sessions, in any order.
   *
   * @param ids of sessions that are open, each once
   * @param inputs [ids, features]: a typed array, at least as long; by name where the model has several inputs
   * @param outputs where to write, in the same order
   * @param count how many of the ids, inputs and outputs are meant. Default: as many as there are ids
   * @throws LstmError `VALUE` for ids that are not open or there twice, `SHAPE` or `VALUE` for arrays that do not fit or elements that a
   *   node refuses; all sessions are then as before. `DISPOSED`; `BUSY` from within another call of this pool
   */
  step(ids: ArrayLike<number>, inputs: InputFrames, outputs: Frames, count?: number): void {
    this.#check()
    const { inputs: ins, outputs: outs } = this.#machines[0] as Machine
    let stepping: number
    this.#phase = 'busy'
    try {
      stepping = this.#takeIds(ids, count)
      takeInputs(inputs, ins, this.#blueprint.unneeded, this.#given)
      takeOutputs(outputs, outs, this.#wanted)
    } finally {
      this.#phase = 'open'
    }
    // From here on nothing of the caller's runs; but a getter may have disposed the model, or made the memory grow.
    this.#check()
    this.#refresh()
    copyRun(this.#chosen, 0, this.#places, 0, stepping)
    for (let n = 0; n < ins.length; n++) {
      const layout = ins[n] as PortLayout
      const data = this.#given[n] as DataOf
      if (data.length < stepping * layout.row) refuseLength(layout, data, `at least ${stepping * layout.row}`)
      checkIndices(layout, data, stepping * layout.row)
    }
    for (let n = 0; n < outs.length; n++) {
      const layout = outs[n] as PortLayout
      checkOutput(layout, this.#wanted[n], stepping * layout.row)
    }
    if (stepping > 1) checkInPlace(ins, this.#given, outs, this.#wanted)
    if (this.#blueprint.mayFail) this.#stepAll(stepping, false)
    this.#stepAll(stepping, true)
  }

  /** Takes the places of the sessions that step. @returns how many they are */
  #takeIds(ids: ArrayLike<number>, count: number | undefined): number {
    const length: unknown = (ids as ArrayLike<number> | null | undefined)?.length
    if (typeof length !== 'number') throw new LstmError('VALUE', `streams: expected an array of ids, got ${describeValue(ids)}`)
    const stepping = count ?? length
    if (!Number.isInteger(stepping) || stepping < 0 || stepping > length) {
      throw new LstmError('VALUE', `streams: expected a count from 0 to ${length}, got ${describeValue(count)}`)
    }
    this.#ids.places(ids, stepping, this.#chosen)
    return stepping
  }

  /** Resets the states of a session. @throws LstmError `VALUE` for an id that is not open, `DISPOSED` */
  reset(id: number): void {
    this.#check()
    this.#record(this.#ids.place(id)).set(this.#first)
  }

  /** The states of a session, as bytes for `restore`, or for `restore` of a stream of batch 1. @throws LstmError as `reset` */
  save(id: number): Uint8Array<ArrayBuffer> {
    this.#check()
    const kind = this.#saveKind()
    const { bytes, rows } = newSave(kind)
    rows.set(this.#record(this.#ids.place(id)))
    seal(bytes, kind)
    return bytes
  }

  /** A session goes on where `save` was called. @throws LstmError as `Stream.restore`, and for an id that is not open */
  restore(id: number, bytes: Uint8Array): void {
    this.#check()
    const record = this.#record(this.#ids.place(id))
    record.set(openSave(bytes, this.#saveKind()))
  }

  /** A new session with the states of another one. @throws LstmError as `open` and `close` */
  fork(id: number): number {
    this.#check()
    const from = this.#ids.place(id)
    const other = this.#ids.open()
    this.#record(this.#ids.place(other)).set(this.#record(from))
    return other
  }

  /** Frees all memory, that of open sessions too. Calling it again does nothing. */
  dispose(): void {
    if (this.#phase === 'busy') throw busy()
    if (this.#phase === 'disposed') return
    this.#phase = 'disposed'
    for (const machine of this.#machines) machine.dispose()
    this.#host.runtime.linearMemory.free(this.#recordsPtr)
    this.#host.runtime.linearMemory.free(this.#placesPtr)
  }

  /** @param keep whether states and outputs are written; false: a trial run, which finds errors before anything changes */
  #stepAll(count: number, keep: boolean): void {
    let done = 0
    for (let n = 0; n < this.#machines.length; n++) {
      const machine = this.#machines[n] as Machine
      for (; count - done >= machine.batch; done += machine.batch) this.#stepRows(machine, done, keep)
    }
  }

  /** Steps as many sessions as a machine has rows, from the one at `begin` on. */
  #stepRows(machine: Machine, begin: number, keep: boolean): void {
    const plan = machine.plans[0] as MachinePlan
    this.#moveStates(machine, begin, true)
    for (let n = 0; n < machine.inputs.length; n++) {
      const layout = machine.inputs[n] as PortLayout
      copyRows(layout, machine.batch, begin, this.#given[n] as DataOf, plan.inputs[n] as DataOf, true)
    }
    machine.run(plan)
    if (!keep) return
    for (let n = 0; n < machine.outputs.length; n++) {
      const layout = machine.outputs[n] as PortLayout
      const to = this.#wanted[n]
      if (to !== undefined) copyRows(layout, machine.batch, begin, to, plan.outputs[n] as DataOf, false)
    }
    this.#moveStates(machine, begin, false)
  }

  #moveStates({ blocks, batch }: Machine, begin: number, gather: boolean): void {
    const { gatherRecords, scatterRecords } = this.#host.runtime.kernels
    const placesPtr = this.#placesPtr + begin * 4
    let recordsPtr = this.#recordsPtr
    for (let n = 0; n < blocks.length; n++) {
      const { slot, outer, rowBytes } = blocks[n] as StateBlock
      for (let o = 0; o < outer; o++, recordsPtr += rowBytes) {
        const rowsPtr = slot.ptr + o * batch * rowBytes
        if (gather) gatherRecords(placesPtr, 0, batch, recordsPtr, this.#recordBytes, rowsPtr, rowBytes)
        else scatterRecords(placesPtr, 0, batch, recordsPtr, this.#recordBytes, rowsPtr, rowBytes)
      }
    }
  }

  /** A view of the states at a place. */
  #record(place: number): Uint8Array {
    return this.#host.runtime.linearMemory.view('uint8', this.#recordsPtr + place * this.#recordBytes, this.#first.length)
  }

  #saveKind(): { hash: Uint32Array, rows: number, rowBytes: number } {
    return { hash: hashStates(this.#host, this.#machines.at(-1) as Machine), rows: 1, rowBytes: this.#first.length }
  }

  /** Renews views after the memory has grown. */
  #refresh(): void {
    const { linearMemory } = this.#host.runtime
    if (this.#generation === linearMemory.generation) return
    for (const machine of this.#machines) machine.refresh()
    this.#places = linearMemory.view('int32', this.#placesPtr, this.capacity)
    this.#generation = linearMemory.generation
  }

  #check(): void {
    if (this.#phase === 'disposed') throw new LstmError('DISPOSED', 'this pool of streams is disposed')
    if (this.#phase === 'busy') throw busy()
    if (this.#host.disposed) throw new LstmError('DISPOSED', 'the model of these streams is disposed')
  }
}

function busy(): LstmError {
  return new LstmError('BUSY', 'this pool of streams is called from within its own call: a getter of its ids, inputs or outputs calls or disposes it')
}

/** With `using`, a pool is disposed at the end of its block. */
export interface StreamPool extends PlatformDisposable {
  /** How many sessions there can be. */
  readonly capacity: number
}
makeDisposable(StreamPool)

/** Every session has its own inputs and outputs. */
function checkPorts({ inputs, outputs, fixedBatch }: Blueprint): void {
  for (const port of [...inputs, ...outputs]) {
    if (port === undefined || fixedBatch === 1 || port.batchAxis >= 0) continue
    throw new LstmError('UNSUPPORTED', `streams: '${port.name}' is the same for the whole batch; give it when the model is loaded (option constants)`)
  }
}

/**
 * Copies the rows of a batch from or to the places from `begin` on of an array [sessions, ...]. A row's elements may lie in
 * several pieces, where an axis stands before that of the batch.
 */
function copyRows(layout: PortLayout, rows: number, begin: number, array: DataOf, buffer: DataOf, isInput: boolean): void {
  const { frame, row: own, pieces, piece: length } = layout
  if (pieces === 1) {
    if (isInput) copyRun(array, begin * own, buffer, 0, frame)
    else copyRun(buffer, 0, array, begin * own, frame)
    return
  }
  for (let row = 0; row < rows; row++) {
    for (let piece = 0; piece < pieces; piece++) {
      const at = (begin + row) * own + piece * length
      const from = (piece * rows + row) * length
      if (isInput) copyRun(array, at, buffer, from, length)
      else copyRun(buffer, from, array, at, length)
    }
  }
}
