import { LstmError } from '../errors.ts'
import { draftPlan, type Plan, type PlannedOutput, type PlannedValue } from '../plan/plan.ts'
import { StateMemory, type StateBlock, type StateShape } from '../plan/states.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { bytesOf, type DataOf } from '../values/dtype.ts'
import { lengthOf, type Shape } from '../values/shape.ts'
import type { Blueprint, Port } from './blueprint.ts'
import { initialStates, type Given } from './initial-states.ts'

/** Layout of a port's arrays: [outer, steps, inner], for any number of steps. */
export interface PortLayout {
  readonly name: string
  readonly port: Port
  /** Position among the inputs or outputs of the graph. */
  readonly position: number
  readonly outer: number
  readonly inner: number
  /** Whether one value holds for all steps of a call. */
  readonly held: boolean
  /** Elements of one step. */
  readonly frame: number
  /** Elements of one step of one sequence. */
  readonly row: number
  /** In how many pieces the elements of one sequence lie: more than one where an axis stands before that of the batch. */
  readonly pieces: number
  /** Elements of a piece. */
  readonly piece: number
}

/** The kernel calls for a number of steps. */
export interface MachinePlan {
  readonly steps: number
  readonly run: readonly (() => void)[]
  readonly plan: Plan
  /** Views of the ports' buffers; renewed when the memory has grown. */
  inputs: readonly DataOf[]
  outputs: readonly DataOf[]
}

/** A carried state: the block it is in, the buffer that the next one is written to, and where the plans have them. */
interface Carried {
  readonly block: StateBlock
  readonly input: number
  readonly output: number
  sparePtr: number
}

/**
 * A model bound to a batch size, with its states: plans for some numbers of steps, which share one workspace (only one of them runs
 * at a time).
 */
export class Machine {
  readonly blueprint: Blueprint
  readonly batch: number
  readonly inputs: readonly PortLayout[]
  readonly outputs: readonly PortLayout[]
  /** Most steps first. */
  readonly plans: readonly MachinePlan[]
  /** All states, in a fixed order. */
  readonly blocks: readonly StateBlock[]
  readonly #runtime: Runtime
  readonly #carried: readonly Carried[]
  /** Initial states, by name; zeros where there is none. */
  readonly #initial: ReadonlyMap<string, Uint8Array>
  /** Frees the memory, in reverse order of allocation. */
  readonly #releases: (() => void)[] = []
  readonly #states: StateMemory
  #generation = -1

  /**
   * @param given inputs that initial states may depend on; default zeros
   * @throws LstmError `VALUE` or `UNSUPPORTED` for sizes that do not fit, `MEMORY`; nothing stays allocated then
   */
  constructor(runtime: Runtime, blueprint: Blueprint, batch: number, steps: readonly number[], given?: Given) {
    this.#runtime = runtime
    this.blueprint = blueprint
    this.batch = batch
    const { prepared } = blueprint
    const states = new StateMemory(runtime)
    this.#states = states
    try {
      this.#releases.push(() => states.clear())
      const drafts = steps.map((count) => draftPlan(runtime, prepared, blueprint.shapes(batch, count), states, true))
      const sharedPtr = this.#allocate(Math.max(...drafts.map(({ bytes }) => bytes)), 'buffers of a stream')
      const plans = drafts.map((draft) => {
        const plan = draft.place(sharedPtr)
        this.#releases.push(() => plan.dispose())
        return plan
      })
      this.plans = plans.map((plan, n) => (
        { steps: steps[n] as number, run: [...plan.steps, ...this.#copiesOfInputs(plan)], plan, inputs: [], outputs: [] }
      ))
      const [first] = plans as [Plan, ...Plan[]]
      this.inputs = layouts(blueprint.inputs, first.inputs)
      this.outputs = layouts(blueprint.outputs, first.outputs)
      this.#carried = blueprint.carried.map(({ name, input, output, batchAxis }) => {
        const { shape, type } = first.inputs[input] as PlannedValue
        const block = states.block(name, stateShape(shape, batchAxis, bytesOf(type.dtype)), `the state '${name}'`)
        const state = { block, input, output, sparePtr: runtime.linearMemory.allocate(block.outer * block.rows * block.rowBytes, `the state '${name}'`) }
        this.#releases.push(() => runtime.linearMemory.free(state.sparePtr))
        return state
      })
      this.blocks = [...states.blocks].map((block) => this.#byRows(block))
      this.#setAbsentInputs()
      this.#initial = initialStates(runtime, blueprint, batch, given)
      this.reset()
    } catch (error) {
      this.dispose()
      throw error
    }
  }

  /** Resets the states of all rows, or of one. */
  reset(row?: number): void {
    for (const block of this.blocks) {
      const initial = this.#initial.get(block.name)
      const view = this.bytesOf(block)
      const { outer, rows, rowBytes } = block
      for (let n = 0; n < outer; n++) {
        const begin = row === undefined ? n * rows * rowBytes : (n * rows + row) * rowBytes
        const end = row === undefined ? begin + rows * rowBytes : begin + rowBytes
        if (initial === undefined) view.fill(0, begin, end)
        else view.set(initial.subarray(begin, end), begin)
      }
    }
  }

  /** Bytes of the states of one sequence. */
  get rowBytes(): number {
    let bytes = 0
    for (const { outer, rowBytes } of this.blocks) bytes += outer * rowBytes
    return bytes
  }

  /** Copies the states of a sequence to `bytes` from `begin` on: block by block, in order. */
  readRow(row: number, bytes: Uint8Array, begin: number): void {
    let at = begin
    for (const block of this.blocks) {
      const view = this.bytesOf(block)
      for (let n = 0; n < block.outer; n++, at += block.rowBytes) {
        const from = (n * block.rows + row) * block.rowBytes
        bytes.set(view.subarray(from, from + block.rowBytes), at)
      }
    }
  }

  /** The reverse of `readRow`. */
  writeRow(row: number, bytes: Uint8Array, begin: number): void {
    let at = begin
    for (const block of this.blocks) {
      const view = this.bytesOf(block)
      for (let n = 0; n < block.outer; n++, at += block.rowBytes) {
        view.set(bytes.subarray(at, at + block.rowBytes), (n * block.rows + row) * block.rowBytes)
      }
    }
  }

  /** A view of a block. */
  bytesOf({ slot, outer, rows, rowBytes }: StateBlock): Uint8Array {
    return this.#runtime.linearMemory.view('uint8', slot.ptr, outer * rows * rowBytes)
  }

  /** Renews the views of all plans after the memory has grown. To be called before views are used. */
  refresh(): void {
    if (this.#generation !== this.#runtime.linearMemory.generation) this.#makeViews()
  }

  /** Not part of `refresh`: entering a function that has closures allocates. */
  #makeViews(): void {
    const { linearMemory } = this.#runtime
    const view = ({ type, ptr, shape }: PlannedValue): DataOf => linearMemory.view(type.dtype, ptr, lengthOf(shape))
    for (const machinePlan of this.plans) {
      const { inputs, outputs } = machinePlan.plan
      machinePlan.inputs = this.inputs.map(({ position }) => view(inputs[position] as PlannedValue))
      machinePlan.outputs = this.outputs.map(({ position }) => view(outputs[position] as PlannedValue))
    }
    this.#generation = linearMemory.generation
  }

  /** Runs a plan, from the inputs in its buffers to the outputs in its buffers. */
  run(machinePlan: MachinePlan): void {
    const { run } = machinePlan
    if (this.#carried.length > 0) this.#runCarrying(machinePlan)
    else for (let n = 0; n < run.length; n++) (run[n] as () => void)()
  }

  /** The new carried state is written beside the old one, and replaces it after the run. */
  #runCarrying({ run, plan }: MachinePlan): void {
    const carried = this.#carried
    for (let n = 0; n < carried.length; n++) {
      const { block, input, output, sparePtr } = carried[n] as Carried
      const target = plan.outputs[output] as PlannedOutput
      ;(plan.inputs[input] as PlannedValue).slot.ptr = block.slot.ptr
      if (target.replaceable) target.slot.ptr = sparePtr
    }
    for (let n = 0; n < run.length; n++) (run[n] as () => void)()
    for (let n = 0; n < carried.length; n++) {
      const state = carried[n] as Carried
      const { slot, replaceable } = plan.outputs[state.output] as PlannedOutput
      const { outer, rows, rowBytes, slot: now } = state.block
      const next = state.sparePtr
      if (!replaceable) this.#runtime.kernels.copyRows(slot.ptr, 0, next, 0, 1, outer * rows * rowBytes)
      state.sparePtr = now.ptr
      now.ptr = next
    }
  }

  /** Allocates the memory of `backUp`, until the machine is disposed. @throws LstmError `MEMORY` */
  makeRoomForCopies(): void {
    this.#states.makeRoomForCopies()
  }

  /** Copies all states. */
  backUp(): void {
    this.#states.backUp()
  }

  /** Restores the states of the last `backUp`. */
  goBack(): void {
    this.#states.goBack()
  }

  /** Frees all memory. */
  dispose(): void {
    for (const release of this.#releases.splice(0).reverse()) release()
  }

  #allocate(bytes: number, what: string): number {
    const ptr = this.#runtime.linearMemory.allocate(bytes, what)
    this.#releases.push(() => this.#runtime.linearMemory.free(ptr))
    return ptr
  }

  /** A block with one row a batch row; with a batch of one, several rows of the block are one. */
  #byRows(block: StateBlock): StateBlock {
    const { outer, rows, rowBytes, name } = block
    if (rows === this.batch) return block
    if (this.batch === 1) return { ...block, outer: 1, rows: 1, rowBytes: outer * rows * rowBytes }
    throw new LstmError('UNSUPPORTED', `stream: '${name}' has ${rows} rows for a batch of ${this.batch}, which do not tell sequences apart; this model streams with batch 1`)
  }

  /**
   * Copies for outputs that are an input of the graph which the caller does not give: a carried state as it was before the step, or
   * zeros. Such an input has a buffer of its own, so its elements are copied to that of the output.
   */
  #copiesOfInputs({ inputs, outputs }: Plan): (() => void)[] {
    const { copyRows } = this.#runtime.kernels
    const elsewhere = new Set(inputs.flatMap(({ slot }, n) => (this.blueprint.inputs[n] === undefined ? [slot] : [])))
    return outputs.flatMap(({ slot, ptr, type, shape }, n) => {
      if (this.blueprint.outputs[n] === undefined || !elsewhere.has(slot)) return []
      const bytes = lengthOf(shape) * bytesOf(type.dtype)
      return [() => copyRows(slot.ptr, 0, ptr, 0, 1, bytes)]
    })
  }

  /** Inputs that the caller does not give are zeros. */
  #setAbsentInputs(): void {
    const { inputs, carried } = this.blueprint
    const isCarried = new Set(carried.map(({ input }) => input))
    const absent = inputs.flatMap((port, position) => (port === undefined && !isCarried.has(position) ? [position] : []))
    if (absent.length === 0) return
    const values = this.plans.flatMap(({ plan }) => absent.map((position) => plan.inputs[position] as PlannedValue))
    const bytes = values.reduce((most, { type, shape }) => Math.max(most, lengthOf(shape) * bytesOf(type.dtype)), 0)
    const zerosPtr = this.#allocate(bytes, 'inputs that are left out')
    this.#runtime.kernels.fillZero(zerosPtr, bytes)
    for (const { slot } of values) slot.ptr = zerosPtr
  }
}

function layouts(ports: readonly (Port | undefined)[], values: readonly PlannedValue[]): PortLayout[] {
  return ports.flatMap((port, position) => {
    if (port === undefined) return []
    const { shape } = values[position] as PlannedValue
    const outer = lengthOf(shape.slice(0, port.axis))
    const inner = lengthOf(shape.slice(port.kind === 'steps' ? port.axis + 1 : port.axis))
    const frame = outer * inner
    const row = port.batchAxis < 0 ? frame : frame / (shape[port.batchAxis] as number)
    const pieces = piecesOf(shape, port)
    return [{ name: port.name, port, position, outer, inner, held: port.kind === 'held', frame, row, pieces, piece: row / pieces }]
  })
}

/** An axis of one step divides nothing. */
function piecesOf(shape: Shape, { kind, axis, batchAxis }: Port): number {
  return lengthOf(shape.filter((_, n) => n < batchAxis && !(kind === 'steps' && n === axis)))
}

function stateShape(shape: Shape, batchAxis: number, elementBytes: number): StateShape {
  if (batchAxis < 0) return { outer: 1, rows: 1, rowBytes: lengthOf(shape) * elementBytes }
  return {
    outer: lengthOf(shape.slice(0, batchAxis)), rows: shape[batchAxis] as number, rowBytes: lengthOf(shape.slice(batchAxis + 1)) * elementBytes,
  }
}
