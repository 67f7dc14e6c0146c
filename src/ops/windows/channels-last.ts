// Kernels of windows have the channels last. Where a node has them first, they are turned before, and back after.
import type { Planner, Slot } from '../operator.ts'

/** The first input as [batch, length, channels], `length` being that of all axes that windows slide over. */
export function channelsLastInput(planner: Planner, isLast: boolean, batch: number, channels: number, length: number): Slot {
  const given = planner.input(0)
  if (isLast || channels === 1 || length === 1) return given
  const { transposeF32 } = planner.kernels
  const turned = planner.workspace(batch * length * channels * 4)
  const imageBytes = channels * length * 4
  planner.step(() => transposeF32(given.ptr, imageBytes, turned.ptr, imageBytes, batch, channels, length))
  return turned
}

/** Where the output is to be written as [batch, length, channels], and what brings it to its place afterwards. */
export function channelsLastOutput(
  planner: Planner, isLast: boolean, batch: number, channels: number, length: number,
): { readonly slot: Slot, readonly turnBack: () => void } {
  const wanted = planner.output(0)
  if (isLast || channels === 1 || length === 1) return { slot: wanted, turnBack: () => undefined }
  const { transposeF32 } = planner.kernels
  const slot = planner.workspace(batch * length * channels * 4)
  const imageBytes = length * channels * 4
  return {
    slot,
    turnBack: () => planner.step(() => transposeF32(slot.ptr, imageBytes, wanted.ptr, imageBytes, batch, length, channels)),
  }
}
