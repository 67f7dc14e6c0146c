import { MaskRule } from '../../contract/recurrent/mask.ts'
import { Recurrence } from '../../contract/recurrent/recurrence.ts'
import { LstmError } from '../../errors.ts'
import { RECURRENT, type RecurrentOp } from './kinds.ts'
import type { Direction, LayerSettings } from './layer-settings.ts'
import type { Pointer } from '../../values/record.ts'
import type { Planner, Slot } from '../operator.ts'

/** A place in a buffer: an offset from its start, in bytes. */
interface At {
  /** The buffer. */
  readonly slot: Slot
  /** Bytes from its start. */
  readonly offset: number
}

/** The address of a place when its step runs; 0 where there is none. */
function addressOf(place: At | undefined): Pointer {
  return place === undefined ? 0 : place.slot.ptr + place.offset
}

/** A cell made ready. */
export interface PackedCell {
  /** The record of its packed weights and settings. */
  readonly cellPtr: Pointer
  /** What takes that record. */
  readonly kernel: 'lstmForwardF32' | 'lstmGeneralF32' | 'gruF32' | 'rnnF32'
}

/** What all layers and directions of a node share. */
interface StackPlan {
  readonly settings: LayerSettings
  readonly batch: number
  readonly timesteps: number
  readonly chunkSteps: number
  /** h and c, where there is one. */
  readonly states: readonly StackState[]
  /** uint8 [batch, timesteps], or undefined. */
  readonly mask: Slot | undefined
}

/** A state of all layers and directions: [layers x directions, batch, size]. */
interface StackState {
  readonly slot: Slot
  readonly rowBytes: number
}

/** One layer in one direction. */
interface DirectionPlan {
  readonly cell: PackedCell
  readonly workspace: Slot
  readonly direction: Direction
  /** Position among layers x directions. */
  readonly position: number
  readonly x: Slot
  readonly inputSize: number
  /** Undefined where only the states are wanted. */
  readonly y: Slot | undefined
  /** Bytes from the start of an output row to this direction's part of it. */
  readonly yOffset: number
  /** Of all directions of the layer. */
  readonly multiplyAdds: number
}

/** Binds the kernel calls of a node: layer by layer, direction by direction, one call each. `isInt8`: where a weight is of 8 bits. */
export function planLayers(
  planner: Planner, op: RecurrentOp, settings: LayerSettings, cells: readonly (readonly PackedCell[])[], isInt8: boolean,
): void {
  const { gates, states } = RECURRENT[op]
  const { directions, numLayers, hiddenSize, outputSize } = settings
  const [first, second, inputSize] = planner.shapeOf(0) as [number, number, number]
  const [batch, timesteps] = settings.timeMajor ? [second, first] : [first, second]
  const stack = numLayers * directions.length
  const width = directions.length * outputSize
  const { recurrentChunkSteps, recurrentWorkspaceBytes } = planner.kernels
  const widest = Math.max(inputSize, numLayers > 1 ? width : 0)
  const chunkSteps = recurrentChunkSteps(batch, timesteps, widest, hiddenSize, gates)
  const workspaceBytes = recurrentWorkspaceBytes(batch, chunkSteps, widest, hiddenSize, outputSize, gates, Number(isInt8))
  const plan: StackPlan = {
    settings, batch, timesteps, chunkSteps,
    states: states.map((state, n) => {
      const rowBytes = 4 * (state === 'h' ? outputSize : hiddenSize)
      return { slot: planState(planner, settings, state, 1 + n, stack, batch, rowBytes), rowBytes }
    }),
    mask: planMask(planner, 1 + states.length, batch, timesteps),
  }
  // With threads, the directions of a layer run at the same time. With a mask, other steps come in between.
  const sharing = directions.length > 1 && plan.mask === undefined ? planner.sharing : undefined
  const workspace = planner.workspace(workspaceBytes)
  const workspaces = directions.map((_, index) => (index === 0 || sharing === undefined ? workspace : planner.workspace(workspaceBytes)))
  // Layers hand their outputs on through two buffers by turns; the last one writes the node's own output.
  const between = Array.from({ length: Math.min(2, numLayers - 1) }, () => planner.workspace(batch * timesteps * width * 4))
  let x: Slot = planner.input(0)
  let last: At[] = []
  for (let layer = 0; layer < numLayers; layer++) {
    const own = settings.returnSequences && planner.hasOutput(0) ? planner.output(0) : undefined
    const y = layer === numLayers - 1 ? own : between[layer % 2]
    const features = layer === 0 ? inputSize : width
    const multiplyAdds = batch * timesteps * directions.length * gates * hiddenSize * (features + outputSize)
    const both = sharing?.together(multiplyAdds, directions.length)
    if (both !== undefined) planner.step(both.begin)
    last = directions.map((direction, index) => planDirection(planner, plan, {
      cell: (cells[layer] as readonly PackedCell[])[index] as PackedCell,
      workspace: workspaces[index] as Slot,
      direction,
      position: layer * directions.length + index,
      x,
      inputSize: features,
      y,
      yOffset: index * outputSize * 4,
      multiplyAdds,
    }))
    if (both !== undefined) planner.step(both.end)
    if (y !== undefined) x = y
  }
  if (!settings.returnSequences && planner.hasOutput(0)) planLastStep(planner, last, batch, outputSize)
}

/**
 * A state buffer, the node's output where it is wanted. Set at each run to the initial state or to
 * zeros; a stateful layer's is kept instead, and copied to the output when it is final.
 */
function planState(
  planner: Planner, settings: LayerSettings, name: string, position: number, stack: number, batch: number, rowBytes: number,
): Slot {
  const { copyRows, fillZero } = planner.kernels
  const bytes = stack * batch * rowBytes
  if (settings.stateful) {
    const kept = planner.state(name, stack, batch, rowBytes)
    if (planner.hasInput(position)) {
      const initial = planner.input(position)
      planner.step(() => copyRows(initial.ptr, 0, kept.ptr, 0, 1, bytes))
    }
    if (planner.hasOutput(position)) {
      const output = planner.output(position)
      planner.finally(() => copyRows(kept.ptr, 0, output.ptr, 0, 1, bytes))
    }
    return kept
  }
  const state = planner.hasOutput(position) ? planner.output(position) : planner.workspace(bytes)
  if (planner.hasInput(position)) {
    const initial = planner.input(position)
    planner.step(() => copyRows(initial.ptr, 0, state.ptr, 0, 1, bytes))
  } else {
    planner.step(() => fillZero(state.ptr, bytes))
  }
  return state
}

/** The mask at that position, or what the lengths behind it make. */
function planMask(planner: Planner, position: number, batch: number, timesteps: number): Slot | undefined {
  if (planner.hasInput(position)) return planner.input(position)
  if (!planner.hasInput(position + 1)) return undefined
  const { maskFromLengths } = planner.kernels
  const lengths = planner.input(position + 1)
  const mask = planner.workspace(batch * timesteps)
  planner.step(() => {
    const bad = maskFromLengths(lengths.ptr, batch, timesteps, mask.ptr)
    if (bad >= 0) throw new LstmError('VALUE', `${planner.label}: expected lengths from 0 to ${timesteps}, got another one for batch row ${bad}`)
  })
  return mask
}

/** One kernel call: a layer in one direction. Going backwards is walking with negative strides. Returns where its last output is. */
function planDirection(planner: Planner, stack: StackPlan, plan: DirectionPlan): At {
  const { kernels } = planner
  const { settings, batch, timesteps, chunkSteps, mask } = stack
  const { cell, workspace, direction, inputSize, position } = plan
  const { outputSize, timeMajor, delaySamples, maskRule } = settings
  const strides = (width: number): [number, number] => (timeMajor ? [batch * width * 4, width * 4] : [width * 4, timesteps * width * 4])
  const [xStepBytes, xRowBytes] = strides(inputSize)
  const [yStepBytes, yRowBytes] = strides(settings.directions.length * outputSize)
  const sign = direction === 'reverse' ? -1 : 1
  const ySign = settings.reversedOutput ? 1 : sign
  const lastOf = (stepBytes: number): number => (timesteps - 1) * stepBytes
  const call = planner.record(Recurrence, {
    timesteps, rowBegin: 0, rowEnd: batch, xStepBytes: sign * xStepBytes, xRowBytes, yStepBytes: ySign * yStepBytes, yRowBytes, chunkSteps,
    maskStepBytes: sign, maskRowBytes: timesteps, maskRule: MaskRule[maskRule],
    delaySteps: delaySamples > 1 ? Math.floor(delaySamples) : 0, delayFraction: delaySamples % 1,
    cellPtr: cell.cellPtr,
  })
  const states = stack.states.map(({ slot, rowBytes }): At & { readonly rowBytes: number } => ({ slot, offset: position * batch * rowBytes, rowBytes }))
  const [h, c = h] = states as [typeof states[number], typeof states[number]?]
  const past = mask !== undefined ? planHeld(planner, stack, position, h) : delaySamples > 1 ? planHistory(planner, stack, position) : undefined
  const run = (planner.sharing?.kernelsFor(plan.multiplyAdds) ?? kernels)[cell.kernel]
  const x = { slot: plan.x, offset: sign < 0 ? lastOf(xStepBytes) : 0 }
  const y = plan.y && { slot: plan.y, offset: plan.yOffset + (ySign < 0 ? lastOf(yStepBytes) : 0) }
  const masked = mask && { slot: mask, offset: sign < 0 ? timesteps - 1 : 0 }
  planner.step(() => {
    run(call.ptr, addressOf(x), addressOf(h), addressOf(c), addressOf(y), addressOf(masked), past?.ptr ?? 0, workspace.ptr)
  })
  if (settings.zeroEmptyState && mask !== undefined) {
    planner.step(() => {
      for (const { slot, offset, rowBytes } of states) kernels.zeroEmptyRows(mask.ptr, batch, timesteps, slot.ptr + offset, rowBytes)
    })
  }
  return past === undefined || mask === undefined || maskRule === 'zero' ? h : { slot: past, offset: 0 }
}

/** The last output of each row [batch, outputSize], with a mask: what a masked step puts out again. */
function planHeld(planner: Planner, { settings, batch }: StackPlan, position: number, h: At): Slot {
  const { kernels } = planner
  const { outputSize, maskRule } = settings
  const bytes = batch * outputSize * 4
  // In a stream, it may be from the run before.
  if (planner.streaming && settings.stateful && maskRule === 'hold') return planner.state(`held.${position}`, 1, batch, outputSize * 4)
  const held = planner.workspace(bytes)
  // tfjs holds the initial state where nothing has been put out yet, all others hold zeros.
  planner.step(maskRule === 'multiply'
    ? () => kernels.copyRows(addressOf(h), 0, held.ptr, 0, 1, bytes)
    : () => kernels.fillZero(held.ptr, bytes))
  return held
}

/** States of the steps before, zeros at first: see assembly/recurrent/delay.ts. */
function planHistory(planner: Planner, { settings, batch, states }: StackPlan, position: number): Slot {
  const { fillZero } = planner.kernels
  const rowBytes = Math.floor(settings.delaySamples) * states.reduce((sum, state) => sum + state.rowBytes, 0)
  if (settings.stateful) return planner.state(`history.${position}`, 1, batch, rowBytes)
  const history = planner.workspace(batch * rowBytes)
  planner.step(() => fillZero(history.ptr, batch * rowBytes))
  return history
}

/** y [batch, directions x outputSize] from the last output of each direction, [batch, outputSize]. */
function planLastStep(planner: Planner, last: readonly At[], batch: number, outputSize: number): void {
  const { copyRows } = planner.kernels
  const y = planner.output(0)
  const rowBytes = outputSize * 4
  last.forEach(({ slot, offset }, index) => {
    planner.step(() => copyRows(slot.ptr + offset, rowBytes, y.ptr + index * rowBytes, last.length * rowBytes, batch, rowBytes))
  })
}
