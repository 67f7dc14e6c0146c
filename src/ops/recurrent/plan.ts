import { MaskRule, Recurrence } from '../../contract/numbers.ts'
import { LstmError } from '../../errors.ts'
import type { PackedCell } from './cell.ts'
import type { Direction, LstmSettings } from './settings.ts'
import type { Planner, Slot } from '../operator.ts'

/** What all layers and directions of a node share. */
interface StackPlan {
  readonly settings: LstmSettings
  readonly batch: number
  readonly timesteps: number
  readonly chunkSteps: number
  readonly h: Slot
  readonly c: Slot
  /** uint8 [batch, timesteps], or undefined. */
  readonly mask: Slot | undefined
  readonly workspace: Slot
}

/** One layer in one direction. */
interface DirectionPlan {
  readonly cell: PackedCell
  readonly direction: Direction
  /** Position among layers x directions. */
  readonly position: number
  readonly x: Slot
  readonly inputSize: number
  /** Undefined where only the states are wanted. */
  readonly y: Slot | undefined
  /** Bytes from the start of an output row to this direction's part of it. */
  readonly yOffset: number
}

/** Binds the kernel calls of a node: layer by layer, direction by direction, one call each. */
export function planLayers(planner: Planner, settings: LstmSettings, cells: readonly (readonly PackedCell[])[]): void {
  const { directions, numLayers, hiddenSize, outputSize } = settings
  const [first, second, inputSize] = planner.shapeOf(0) as [number, number, number]
  const [batch, timesteps] = settings.timeMajor ? [second, first] : [first, second]
  const stack = numLayers * directions.length
  const width = directions.length * outputSize
  const { recurrentChunkSteps, recurrentWorkspaceBytes } = planner.kernels
  const widest = Math.max(inputSize, numLayers > 1 ? width : 0)
  const chunkSteps = recurrentChunkSteps(batch, timesteps, widest, hiddenSize, 4)
  const workspaceBytes = recurrentWorkspaceBytes(batch, chunkSteps, widest, hiddenSize, outputSize, 4)
  const plan: StackPlan = {
    settings, batch, timesteps, chunkSteps,
    h: planState(planner, settings, 1, stack, batch, outputSize * 4),
    c: planState(planner, settings, 2, stack, batch, hiddenSize * 4),
    mask: planMask(planner, batch, timesteps),
    workspace: planner.workspace(workspaceBytes),
  }
  // Layers hand their outputs on through two buffers by turns; the last one writes the node's own output.
  const between = Array.from({ length: Math.min(2, numLayers - 1) }, () => planner.workspace(batch * timesteps * width * 4))
  let x: Slot = planner.input(0)
  let last: LastStep[] = []
  for (let layer = 0; layer < numLayers; layer++) {
    const own = settings.returnSequences && planner.hasOutput(0) ? planner.output(0) : undefined
    const y = layer === numLayers - 1 ? own : between[layer % 2]
    last = directions.map((direction, index) => planDirection(planner, plan, {
      cell: (cells[layer] as readonly PackedCell[])[index] as PackedCell,
      direction,
      position: layer * directions.length + index,
      x,
      inputSize: layer === 0 ? inputSize : width,
      y,
      yOffset: index * outputSize * 4,
    }))
    if (y !== undefined) x = y
  }
  if (!settings.returnSequences && planner.hasOutput(0)) planLastStep(planner, last, batch, outputSize)
}

/**
 * A state buffer, the node's output where it is wanted. Set at each run to the initial state or to
 * zeros; a stateful layer's is kept instead, and copied to the output when it is final.
 */
function planState(planner: Planner, settings: LstmSettings, position: number, stack: number, batch: number, rowBytes: number): Slot {
  const { copyRows, fillZero } = planner.kernels
  const bytes = stack * batch * rowBytes
  if (settings.stateful) {
    const kept = planner.state(position === 1 ? 'h' : 'c', stack, batch, rowBytes)
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

function planMask(planner: Planner, batch: number, timesteps: number): Slot | undefined {
  if (planner.hasInput(3)) return planner.input(3)
  if (!planner.hasInput(4)) return undefined
  const { maskFromLengths } = planner.kernels
  const lengths = planner.input(4)
  const mask = planner.workspace(batch * timesteps)
  planner.step(() => {
    const bad = maskFromLengths(lengths.ptr, batch, timesteps, mask.ptr)
    if (bad >= 0) throw new LstmError('VALUE', `${planner.label}: expected lengths from 0 to ${timesteps}, got another one for batch row ${bad}`)
  })
  return mask
}

/** Where the last output of a direction is: [batch, outputSize]. */
interface LastStep {
  readonly slot: Slot
  readonly offset: number
}

/** One kernel call: a layer in one direction. Going backwards is walking with negative strides. */
function planDirection(planner: Planner, stack: StackPlan, plan: DirectionPlan): LastStep {
  const { kernels } = planner
  const { settings, batch, timesteps, chunkSteps, h, c, mask, workspace } = stack
  const { cell, direction, x, inputSize, y } = plan
  const { hiddenSize, outputSize, timeMajor } = settings
  const strides = (width: number): [number, number] => (timeMajor ? [batch * width * 4, width * 4] : [width * 4, timesteps * width * 4])
  const [xStepBytes, xRowBytes] = strides(inputSize)
  const [yStepBytes, yRowBytes] = strides(settings.directions.length * outputSize)
  const sign = direction === 'reverse' ? -1 : 1
  const ySign = settings.reversedOutput ? 1 : sign
  const xOffset = sign < 0 ? (timesteps - 1) * xStepBytes : 0
  const yOffset = plan.yOffset + (ySign < 0 ? (timesteps - 1) * yStepBytes : 0)
  const hOffset = plan.position * batch * outputSize * 4
  const cOffset = plan.position * batch * hiddenSize * 4
  const { delaySamples, maskRule } = settings
  const call = planner.record(Recurrence, {
    timesteps, rowBegin: 0, rowEnd: batch, xStepBytes: sign * xStepBytes, xRowBytes, yStepBytes: ySign * yStepBytes, yRowBytes, chunkSteps,
    maskStepBytes: sign, maskRowBytes: timesteps, maskRule: MaskRule[maskRule],
    delaySteps: delaySamples > 1 ? Math.floor(delaySamples) : 0, delayFraction: delaySamples % 1,
  })
  if (cell.plain && mask === undefined) {
    planner.step(() => kernels.lstmForwardF32(
      call.ptr, cell.cellPtr, x.ptr + xOffset, h.ptr + hOffset, c.ptr + cOffset, y === undefined ? 0 : y.ptr + yOffset, workspace.ptr,
    ))
    return { slot: h, offset: hOffset }
  }
  const held = mask === undefined ? undefined : planHeld(planner, stack, plan.position, hOffset)
  const history = delaySamples > 1 ? planHistory(planner, settings, plan.position, batch) : undefined
  const maskOffset = sign < 0 ? timesteps - 1 : 0
  planner.step(() => kernels.lstmGeneralF32(
    call.ptr, cell.cellPtr, x.ptr + xOffset, h.ptr + hOffset, c.ptr + cOffset, y === undefined ? 0 : y.ptr + yOffset,
    mask === undefined ? 0 : mask.ptr + maskOffset, held?.ptr ?? 0, history?.ptr ?? 0, workspace.ptr,
  ))
  if (settings.zeroEmptyState && mask !== undefined) {
    planner.step(() => {
      kernels.zeroEmptyRows(mask.ptr, batch, timesteps, h.ptr + hOffset, outputSize * 4)
      kernels.zeroEmptyRows(mask.ptr, batch, timesteps, c.ptr + cOffset, hiddenSize * 4)
    })
  }
  return held === undefined || maskRule === 'zero' ? { slot: h, offset: hOffset } : { slot: held, offset: 0 }
}

/** The last output of each row [batch, outputSize], with a mask: what a masked step puts out again. */
function planHeld(planner: Planner, { settings, batch, h }: StackPlan, position: number, hOffset: number): Slot {
  const { kernels } = planner
  const { outputSize, maskRule } = settings
  const bytes = batch * outputSize * 4
  // In a stream, it may be from the run before.
  if (planner.streaming && settings.stateful && maskRule === 'hold') return planner.state(`held.${position}`, 1, batch, outputSize * 4)
  const held = planner.workspace(bytes)
  // tfjs holds the initial state where nothing has been put out yet, all others hold zeros.
  planner.step(maskRule === 'multiply'
    ? () => kernels.copyRows(h.ptr + hOffset, 0, held.ptr, 0, 1, bytes)
    : () => kernels.fillZero(held.ptr, bytes))
  return held
}

/** States of the steps before, zeros at first: see assembly/recurrent/delay.ts. */
function planHistory(planner: Planner, settings: LstmSettings, position: number, batch: number): Slot {
  const { fillZero } = planner.kernels
  const rowBytes = Math.floor(settings.delaySamples) * (settings.outputSize + settings.hiddenSize) * 4
  if (settings.stateful) return planner.state(`history.${position}`, 1, batch, rowBytes)
  const history = planner.workspace(batch * rowBytes)
  planner.step(() => fillZero(history.ptr, batch * rowBytes))
  return history
}

/** y [batch, directions x outputSize] from the last output of each direction, [batch, outputSize]. */
function planLastStep(planner: Planner, last: readonly LastStep[], batch: number, outputSize: number): void {
  const { copyRows } = planner.kernels
  const y = planner.output(0)
  const rowBytes = outputSize * 4
  last.forEach(({ slot, offset }, index) => {
    planner.step(() => copyRows(slot.ptr + offset, rowBytes, y.ptr + index * rowBytes, last.length * rowBytes, batch, rowBytes))
  })
}
