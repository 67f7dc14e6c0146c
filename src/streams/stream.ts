import { LstmError } from '../errors.ts'
import { makeDisposable } from '../runtime/dispose.ts'
import { describeValue, type DataOf } from '../values/dtype.ts'
import type { NdArray } from '../values/ndarray.ts'
import type { PlatformDisposable } from '../values/platform.ts'
import type { Blueprint, StreamHost } from './blueprint.ts'
import { checkIndices, checkInPlace, checkOutput, copyRun, refuseLength, takeInputs, takeOutputs, type Frames, type InputFrames } from './frames.ts'
import { Machine, type MachinePlan, type PortLayout } from './machine.ts'
import { readStates, writeStates, type States } from './named-states.ts'
import { hashStates, newSave, openSave, seal } from './saves.ts'
import { SingleStep } from './single.ts'

/** Arguments of `Stream`. */
export interface StreamParts {
  readonly host: StreamHost
  readonly blueprint: Blueprint
  readonly batch: number
  /** Most steps that are run at once. */
  readonly chunk: number
}

/**
 * A model with its states: each call continues where the one before ended, bit-identical to `model.run` over the whole
 * sequence. Made by `model.stream()`; nothing is allocated afterwards. Holds its memory until `dispose()`.
 */
export class Stream {
  /** Batch size: sequences that run side by side. */
  readonly batch: number
  readonly #parts: StreamParts
  readonly #machine: Machine
  readonly #inputs: readonly PortLayout[]
  readonly #outputs: readonly PortLayout[]
  /** The plan for one step. */
  readonly #one: MachinePlan
  /** The arrays of this call, by position. */
  readonly #given: DataOf[] = []
  readonly #wanted: (DataOf | undefined)[] = []
  readonly #single: SingleStep | undefined
  /** Not `open` while arrays are taken, whose getters may call back, and when it is disposed. */
  #phase: 'open' | 'busy' | 'disposed' = 'open'

  /** Use `model.stream`. */
  constructor(parts: StreamParts) {
    const { host, blueprint, batch, chunk } = parts
    this.batch = batch
    this.#parts = parts
    // Outputs of the last step alone are computed after each step.
    const isChunkable = blueprint.hasSteps && blueprint.outputs.every((port) => port?.kind !== 'each')
    this.#machine = new Machine(host.runtime, blueprint, batch, isChunkable ? chunkSizes(chunk) : [1])
    this.#inputs = this.#machine.inputs
    this.#outputs = this.#machine.outputs
    this.#one = this.#machine.plans.at(-1) as MachinePlan
    if (blueprint.mayFail) this.#makeRoomForCopies()
    this.#single = SingleStep.of(host, this.#machine, this.#one)
  }

  /**
   * One timestep of all sequences.
   *
   * @param input [batch, features]: a typed array; by name where the model has several inputs
   * @param output where to write: [batch, features], a typed array at least as long; by name where there are several outputs (those
   *   that are wanted)
   * @throws LstmError `SHAPE` or `VALUE` for arrays that do not fit, names that are none, or elements that a node refuses; the stream is
   *   then as before. `DISPOSED`; `BUSY` from within another call of this stream
   */
  step(input: InputFrames, output: Frames): void {
    if (this.#single !== undefined && this.#phase === 'open' && this.#single.advance(input, output)) return
    this.#advance(input, output, 1)
  }

  /**
   * A chunk of any number of timesteps, in the order of the model's own input: [batch, steps, features], or
   * [steps, batch, features] for a time-major graph.
   * @throws LstmError see `step`
   */
  process(inputs: InputFrames, outputs: Frames): void {
    this.#advance(inputs, outputs, 0)
  }

  /** Resets the states of all sequences, or of one batch row. @throws LstmError `VALUE` for a row that is none, `DISPOSED` */
  reset(row?: number): void {
    this.#check()
    if (row !== undefined) this.#checkRow(row)
    this.#machine.reset(row)
  }

  /**
   * The states, by name, as copies: `lstm.h` and `lstm.c` of the node `lstm`, [batch, units] ([layers, batch, units] for a
   * stack); carried states by the name of their input; the steps that a convolution sees besides the new one. Assigning sets those that
   * are given.
   * @throws LstmError `VALUE` or `SHAPE` for states that do not fit (nothing has changed then), `DISPOSED`
   */
  get state(): Record<string, NdArray> {
    this.#check()
    return readStates(this.#machine)
  }

  set state(states: States) {
    this.#check()
    writeStates(this.#machine, states)
  }

  /** The states, as bytes that `restore` takes, here or elsewhere. @throws LstmError `DISPOSED` */
  save(): Uint8Array<ArrayBuffer> {
    this.#check()
    const kind = this.#saveKind()
    const { bytes, rows } = newSave(kind)
    for (let row = 0; row < this.batch; row++) this.#machine.readRow(row, rows, row * kind.rowBytes)
    seal(bytes, kind)
    return bytes
  }

  /**
   * Continues where `save` was called, bit-identical.
   * @throws LstmError `FORMAT` for bytes that are no save, cut off or damaged, `UNSUPPORTED` for one of a newer version, `VALUE` for one
   *   of another model or batch size, `DISPOSED`; the stream is then as before
   */
  restore(bytes: Uint8Array): void {
    this.#check()
    const kind = this.#saveKind()
    const rows = openSave(bytes, kind)
    for (let row = 0; row < this.batch; row++) this.#machine.writeRow(row, rows, row * kind.rowBytes)
  }

  /** A copy of this stream with its states; the two are independent from here on. @throws LstmError `MEMORY`, `DISPOSED` */
  fork(): Stream {
    this.#check()
    const other = new Stream(this.#parts)
    const row = new Uint8Array(this.#machine.rowBytes)
    for (let n = 0; n < this.batch; n++) {
      this.#machine.readRow(n, row, 0)
      other.#machine.writeRow(n, row, 0)
    }
    return other
  }

  /** Frees the memory. Calling it again does nothing. */
  dispose(): void {
    if (this.#phase === 'busy') throw busy()
    if (this.#phase === 'disposed') return
    this.#phase = 'disposed'
    this.#machine.dispose()
  }

  #makeRoomForCopies(): void {
    try {
      this.#machine.makeRoomForCopies()
    } catch (error) {
      this.#machine.dispose()
      throw error
    }
  }

  /** @param wanted how many steps there must be, or 0: as many as the inputs have */
  #advance(inputs: InputFrames, outputs: Frames, wanted: number): void {
    this.#check()
    this.#phase = 'busy'
    try {
      takeInputs(inputs, this.#inputs, this.#parts.blueprint.unneeded, this.#given)
      takeOutputs(outputs, this.#outputs, this.#wanted)
    } finally {
      this.#phase = 'open'
    }
    // From here on nothing of the caller's runs; but a getter may have disposed the model.
    this.#check()
    const steps = this.#stepsOfInputs(wanted)
    for (let n = 0; n < this.#outputs.length; n++) {
      const layout = this.#outputs[n] as PortLayout
      checkOutput(layout, this.#wanted[n], steps * layout.frame)
    }
    if (steps > 1) checkInPlace(this.#inputs, this.#given, this.#outputs, this.#wanted)
    this.#machine.refresh()
    if (this.#parts.blueprint.mayFail) this.#runOrGoBack(steps)
    else this.#run(steps)
  }

  #runOrGoBack(steps: number): void {
    this.#machine.backUp()
    try {
      this.#run(steps)
    } catch (error) {
      this.#machine.goBack()
      throw error
    }
  }

  #run(steps: number): void {
    if (steps === 1) {
      this.#runPlan(this.#one, 0, 1)
      return
    }
    const { plans } = this.#machine
    let done = 0
    for (let n = 0; n < plans.length; n++) {
      const plan = plans[n] as MachinePlan
      for (; steps - done >= plan.steps; done += plan.steps) this.#runPlan(plan, done, steps)
    }
  }

  /** Runs a plan on the steps from `begin` on, of `total`. */
  #runPlan(plan: MachinePlan, begin: number, total: number): void {
    const { steps } = plan
    const layouts = this.#inputs
    for (let n = 0; n < layouts.length; n++) {
      const { held, outer, inner, frame } = layouts[n] as PortLayout
      const from = this.#given[n] as DataOf
      const to = plan.inputs[n] as DataOf
      if (held) copyRun(from, 0, to, 0, frame)
      else for (let o = 0; o < outer; o++) copyRun(from, (o * total + begin) * inner, to, o * steps * inner, steps * inner)
    }
    this.#machine.run(plan)
    for (let n = 0; n < this.#outputs.length; n++) {
      const { outer, inner } = this.#outputs[n] as PortLayout
      const to = this.#wanted[n]
      if (to === undefined) continue
      const from = plan.outputs[n] as DataOf
      for (let o = 0; o < outer; o++) copyRun(from, o * steps * inner, to, (o * total + begin) * inner, steps * inner)
    }
  }

  /** How many steps the inputs have. @throws LstmError `SHAPE` or `VALUE` for lengths and indices that do not fit */
  #stepsOfInputs(wanted: number): number {
    const layouts = this.#inputs
    let steps = wanted
    for (let n = 0; n < layouts.length; n++) {
      const layout = layouts[n] as PortLayout
      const data = this.#given[n] as DataOf
      const { length } = data
      const { held, frame } = layout
      if (held ? length !== frame : steps > 0 && length !== steps * frame) refuseLength(layout, data, `${held ? frame : steps * frame}`)
      if (!held && steps === 0) {
        steps = Math.trunc(length / frame) | 0
        if (steps === 0 || length !== steps * frame) refuseLength(layout, data, `a multiple of ${frame}`)
      }
      checkIndices(layout, data, length)
    }
    return steps === 0 ? 1 : steps
  }

  #saveKind(): { hash: Uint32Array, rows: number, rowBytes: number } {
    return { hash: hashStates(this.#parts.host, this.#machine), rows: this.batch, rowBytes: this.#machine.rowBytes }
  }

  #checkRow(row: number): void {
    if (!Number.isInteger(row) || row < 0 || row >= this.batch) {
      throw new LstmError('VALUE', `stream: expected a row from 0 to ${this.batch - 1}, got ${describeValue(row)}`)
    }
  }

  #check(): void {
    if (this.#phase === 'disposed') throw new LstmError('DISPOSED', 'this stream is disposed')
    if (this.#phase === 'busy') throw busy()
    if (this.#parts.host.disposed) throw new LstmError('DISPOSED', 'the model of this stream is disposed')
  }
}

function busy(): LstmError {
  return new LstmError('BUSY', 'this stream is called from within its own call: a getter of its inputs or outputs calls or disposes it')
}

/** Numbers of steps to make plans for: powers of two, so that any number is a sum of few of them. */
function chunkSizes(chunk: number): number[] {
  const sizes = [chunk]
  for (let size = 2 ** Math.floor(Math.log2(chunk)); size >= 1; size /= 2) if (size < chunk) sizes.push(size)
  return sizes
}

/** With `using`, a stream is disposed at the end of its block. */
export interface Stream extends PlatformDisposable {
  /** Batch size: sequences that run side by side. */
  readonly batch: number
}
makeDisposable(Stream)
