// Records of cells and calls of recurrent kernels, in an arena.
import { CELL_FIELDS } from '../../src/ops/recurrent/cell.ts'
import { CALL_FIELDS } from '../../src/ops/recurrent/plan.ts'
import { recordOf, type Fields } from '../../src/ops/recurrent/record.ts'
import type { Arena } from './arena.ts'

/** A record whose fields are 0 where they are not given. */
export function placeRecord<Name extends string>(room: Arena, fields: Fields<Name>, values: Partial<Record<Name, number>>): number {
  const zeros = Object.fromEntries(Object.keys(fields).map((name) => [name, 0])) as Record<Name, number>
  return room.ints([...new Int32Array(recordOf(fields, { ...zeros, ...values }).buffer)])
}

export function placeCall(room: Arena, values: Partial<Record<keyof typeof CALL_FIELDS, number>>): number {
  return placeRecord(room, CALL_FIELDS, values)
}

/** Packed gates, stacked in the order of the frameworks. */
export function placeGates(room: Arena, weights: Float32Array, biases: readonly Float32Array[], k: number, hiddenSize: number, gates: number): number {
  const { kernels } = room
  const packedPtr = room.allocate(kernels.packedGatesBytes(k, hiddenSize, gates))
  const [first = 0, second = 0] = biases.map((bias) => room.floats(bias))
  kernels.packGatesF32(packedPtr, room.floats(weights), first, second, k, hiddenSize, gates, 0)
  return packedPtr
}

/** The record of an LSTM cell without options. */
export function placeLstm(
  room: Arena, weights: { readonly inputWeights: Float32Array, readonly recurrentWeights: Float32Array, readonly biases: readonly Float32Array[] },
  inputSize: number, hiddenSize: number,
): number {
  return placeRecord(room, CELL_FIELDS, {
    inputWeights: placeGates(room, weights.inputWeights, weights.biases, inputSize, hiddenSize, 4),
    recurrentWeights: placeGates(room, weights.recurrentWeights, [], hiddenSize, hiddenSize, 4),
    hiddenSize,
  })
}
