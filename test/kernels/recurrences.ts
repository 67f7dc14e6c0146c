// Records of cells and calls of recurrent kernels, in an arena.
import { LstmCell } from '../../src/contract/recurrent/lstm.ts'
import { Recurrence } from '../../src/contract/recurrent/recurrence.ts'
import type { RecordPointer, RecordValues } from '../../src/values/record.ts'
import type { Arena } from './arena.ts'

export function placeCall(room: Arena, values: Partial<RecordValues<typeof Recurrence>>): RecordPointer<typeof Recurrence> {
  const zeros = Object.fromEntries(Object.keys(Recurrence).map((name) => [name, 0])) as unknown as RecordValues<typeof Recurrence>
  return room.record(Recurrence, { ...zeros, ...values })
}

/** Packed gates, stacked in the order of the frameworks. */
export function placeGates(room: Arena, weights: Float32Array, biases: readonly Float32Array[], k: number, hiddenSize: number, gates: number): number {
  const { kernels } = room
  const packedPtr = room.allocate(kernels.packedGatesBytes(k, hiddenSize, gates))
  const [first = 0, second = 0] = biases.map((bias) => room.floats(bias))
  kernels.packGatesF32(packedPtr, room.floats(weights), first, second, k, hiddenSize, gates, 0)
  return packedPtr
}

/** The record of an LSTM cell without options, or with clips. */
export function placeLstm(
  room: Arena, weights: { readonly inputWeights: Float32Array, readonly recurrentWeights: Float32Array, readonly biases: readonly Float32Array[] },
  inputSize: number, hiddenSize: number, { clip = 0, cellClip = 0 }: { readonly clip?: number, readonly cellClip?: number } = {},
): RecordPointer<typeof LstmCell> {
  return room.record(LstmCell, {
    inputWeights: placeGates(room, weights.inputWeights, weights.biases, inputSize, hiddenSize, 4),
    recurrentWeights: placeGates(room, weights.recurrentWeights, [], hiddenSize, hiddenSize, 4),
    hiddenSize, clip, cellClip,
  })
}
