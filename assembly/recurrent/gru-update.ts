// The cell update of the GRU that resets after its product, with sigmoid and tanh: from two rows of gates, x and h apart, to the new state.
//
//     r = sigmoid(xr + hr)    z = sigmoid(xz + hz)    n = tanh(xn + r hn)    h' = (1 - z) n + z h
//
// With D and T of terms.ts, three exponentials and three divisions for four units:
//
//     n = T(xn + hn / D(r)) / (T + 2)
//     h' = (1 - 1 / D(z)) n + h / D(z)
//
// Gates that are clamped to +-clip first (ONNX) cost nothing: D and T clamp what they are given anyway.
//
// An update gate of exactly 1, D(z) = 1, keeps h bit-identical: no error accumulates over thousands of steps.
import { UNITS_PER_GROUP, VECTOR_BYTES, groupsOfUnits } from '../products/layout'
import { multiplyAdd, storeLanes } from '../simd'
import { TABLE, atLeast, atMost, clamp, polynomial, powerOfTwo } from './terms'

/** Gates r, z, n of four units. */
const GROUP_BYTES: i32 = 3 * VECTOR_BYTES

/**
 * One timestep of `rows` rows: x and h parts of the gates (rows, groups, 3, 4) before activation, rows `gatesBytes` apart, which are
 * overwritten: clamped to +-limit first; h (rows, hiddenSize), rows `hBytes` apart; next h, rows `nextHBytes` apart, which may be h itself.
 */
export function updateGru(
  rows: i32, hiddenSize: i32, limit: f32, xGatesPtr: usize, hGatesPtr: usize, gatesBytes: i32, hPtr: usize, hBytes: i32, nextHPtr: usize,
  nextHBytes: i32,
): void {
  for (; rows > 0; rows--) {
    reduceGates(groupsOfUnits(hiddenSize), limit, xGatesPtr, hGatesPtr)
    reduceCandidate(groupsOfUnits(hiddenSize), limit, xGatesPtr, hGatesPtr)
    updateH(hiddenSize, xGatesPtr, hPtr, nextHPtr)
    xGatesPtr += gatesBytes
    hGatesPtr += gatesBytes
    hPtr += hBytes
    nextHPtr += nextHBytes
  }
}

/** Gates r and z of one row -> the remainders, in the x part, and 2^n, in the h part. */
function reduceGates(groups: i32, limit: f32, xPtr: usize, hPtr: usize): void {
  const minusLog2E = v128.load(TABLE)
  const most = atMost(limit, v128.load(TABLE, 32))
  const least = atLeast(limit, v128.load(TABLE, 48))
  const round = v128.load(TABLE, 96)
  const one = v128.load(TABLE, 112)
  for (; groups > 0; groups--) {
    let x = clamp(f32x4.add(v128.load(xPtr), v128.load(hPtr)), least, most)
    let rounded = multiplyAdd(x, minusLog2E, round)
    v128.store(xPtr, multiplyAdd(x, minusLog2E, f32x4.sub(round, rounded)))
    v128.store(hPtr, powerOfTwo(rounded, one))

    x = clamp(f32x4.add(v128.load(xPtr, 16), v128.load(hPtr, 16)), least, most)
    rounded = multiplyAdd(x, minusLog2E, round)
    v128.store(xPtr, multiplyAdd(x, minusLog2E, f32x4.sub(round, rounded)), 16)
    v128.store(hPtr, powerOfTwo(rounded, one), 16)
    xPtr += GROUP_BYTES
    hPtr += GROUP_BYTES
  }
}

/** In the x part: r -> 2^n of T, z -> sigmoid(z), n -> the remainder of T. */
function reduceCandidate(groups: i32, limit: f32, xPtr: usize, hPtr: usize): void {
  const twiceLog2E = v128.load(TABLE, 16)
  const most = atMost(limit, v128.load(TABLE, 64))
  const least = atLeast(limit, v128.load(TABLE, 80))
  const round = v128.load(TABLE, 96)
  const one = v128.load(TABLE, 112)
  const p1 = v128.load(TABLE, 144)
  const p2 = v128.load(TABLE, 160)
  const p3 = v128.load(TABLE, 176)
  const p4 = v128.load(TABLE, 192)
  const p5 = v128.load(TABLE, 208)
  for (; groups > 0; groups--) {
    const reset = multiplyAdd(polynomial(v128.load(xPtr), one, p1, p2, p3, p4, p5), v128.load(hPtr), one)
    const update = multiplyAdd(polynomial(v128.load(xPtr, 16), one, p1, p2, p3, p4, p5), v128.load(hPtr, 16), one)
    const x = clamp(f32x4.add(v128.load(xPtr, 32), f32x4.div(v128.load(hPtr, 32), reset)), least, most)
    v128.store(xPtr, f32x4.div(one, update), 16)
    const rounded = multiplyAdd(x, twiceLog2E, round)
    v128.store(xPtr, powerOfTwo(rounded, one))
    v128.store(xPtr, multiplyAdd(x, twiceLog2E, f32x4.sub(round, rounded)), 32)
    xPtr += GROUP_BYTES
    hPtr += GROUP_BYTES
  }
}

/** h' = (1 - z) T / (T + 2) + z h */
function updateH(hiddenSize: i32, xPtr: usize, hPtr: usize, nextHPtr: usize): void {
  const one = v128.load(TABLE, 112)
  const two = v128.load(TABLE, 128)
  const q0 = v128.load(TABLE, 224)
  const q1 = v128.load(TABLE, 240)
  const q2 = v128.load(TABLE, 256)
  const q3 = v128.load(TABLE, 272)
  const q4 = v128.load(TABLE, 288)
  const q5 = v128.load(TABLE, 304)
  for (let units = hiddenSize; units > 0; units -= UNITS_PER_GROUP) {
    const r = v128.load(xPtr, 32)
    const scale = v128.load(xPtr)
    const t = multiplyAdd(f32x4.mul(polynomial(r, q0, q1, q2, q3, q4, q5), r), scale, f32x4.sub(scale, one))
    const z = v128.load(xPtr, 16)
    const candidate = f32x4.div(t, f32x4.add(t, two))
    storeLanes(nextHPtr, multiplyAdd(f32x4.sub(one, z), candidate, f32x4.mul(z, v128.load(hPtr))), units)
    xPtr += GROUP_BYTES
    hPtr += VECTOR_BYTES
    nextHPtr += VECTOR_BYTES
  }
}
