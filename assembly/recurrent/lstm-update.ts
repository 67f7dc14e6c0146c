// The cell update of the LSTM: from the four gates before activation to the new state.
//
//     c' = sigmoid(f) c + sigmoid(i) tanh(g)
//     h' = sigmoid(o) tanh(c')
//
// With D and T of terms.ts, which leave one exponential a gate and three divisions a block, where the plain formulas take five:
//
//     c' = c / D(f) + T(g) / (D(i) (T(g) + 2))
//     h' = T(c') / (D(o) (T(c') + 2))
//
// A forget gate of exactly 1, D(f) = 1, keeps c bit-identical: no error accumulates over thousands of steps.
//
// Four passes keep the chains of dependent instructions short: gates i, f and g to r and 2^n; these to D and T; c', which is bound by its divisions and has
// time to come to r and 2^n as well, and to bring o there; h'. Figures: docs/kernels.md, "The cell update".
//
// Peepholes (Gers and Schmidhuber 2000) give the gates what they see of c: i and f of c, before all of it; o of c', in the third pass.
import { BLOCK_ROW_BYTES, UNITS_PER_GROUP, VECTOR_BYTES, groupsOfUnits } from '../products/layout'
import { multiplyAdd, storeLanes } from '../simd'
import { TABLE, atLeast, atMost, clamp, limitOf, polynomial, powerOfTwo } from './terms'

/**
 * One timestep of `rows` rows: gates (rows, blocks) before activation, rows `gatesBytes` apart, which are overwritten: clamped to +-clip first,
 * 0: not; c (rows, hiddenSize), to next c, clamped to +-cellClip, 0: not: c itself, or padded rows elsewhere; h (rows, hiddenSize), rows
 * `hBytes` apart. peepholesPtr: (3, units) of i, f, o, padded; or 0. At scalesPtr, which may be where h goes, a row of gates is overwritten.
 */
export function updateCells(
  rows: i32, hiddenSize: i32, clip: f32, cellClip: f32, peepholesPtr: usize, gatesPtr: usize, gatesBytes: i32, scalesPtr: usize, cPtr: usize,
  nextCPtr: usize, hPtr: usize, hBytes: i32,
): void {
  const groups = groupsOfUnits(hiddenSize)
  const gapBytes = gatesBytes - groups * BLOCK_ROW_BYTES
  const cBytes = hiddenSize * 4
  const nextCBytes = nextCPtr == cPtr ? cBytes : groups * VECTOR_BYTES
  if (nextCPtr != cPtr) {
    for (let row = 0; row < rows; row++) memory.copy(nextCPtr + row * nextCBytes, cPtr + row * cBytes, cBytes)
  }
  const limit = limitOf(clip)
  if (peepholesPtr) {
    for (let row = 0; row < rows; row++) addPeepholes(gatesPtr + row * gatesBytes, peepholesPtr, nextCPtr + row * nextCBytes, groups)
  }
  gateTerms(false, rows, hiddenSize, limit, gatesPtr, gapBytes, scalesPtr)
  const outputPtr = peepholesPtr ? peepholesPtr + 2 * groups * VECTOR_BYTES : 0
  updateC(outputPtr, rows, hiddenSize, limit, limitOf(cellClip), gatesPtr, gapBytes, nextCPtr, nextCBytes)
  updateH(rows, hiddenSize, gatesPtr, gapBytes, hPtr, hBytes)
}

/** What i and f of one row see of c: their gates += weights (2, units) * c. */
export function addPeepholes(gatesPtr: usize, weightsPtr: usize, cPtr: usize, groups: i32): void {
  const unitsBytes = groups * VECTOR_BYTES
  for (; groups > 0; groups--) {
    const c = v128.load(cPtr)
    v128.store(gatesPtr, f32x4.add(v128.load(gatesPtr), f32x4.mul(v128.load(weightsPtr), c)))
    v128.store(gatesPtr, f32x4.add(v128.load(gatesPtr, 16), f32x4.mul(v128.load(weightsPtr + unitsBytes), c)), 16)
    gatesPtr += BLOCK_ROW_BYTES
    weightsPtr += VECTOR_BYTES
    cPtr += VECTOR_BYTES
  }
}

/** One row of gates, clamped to +-limit, -> r, in place, and 2^n at scalesPtr; o as well where it `hasOutput`. */
// @ts-ignore: decorator
@inline
function reduceGates(hasOutput: bool, blocks: i32, limit: f32, gatesPtr: usize, scalesPtr: usize): void {
  const minusLog2E = v128.load(TABLE)
  const twiceLog2E = v128.load(TABLE, 16)
  const most = atMost(limit, v128.load(TABLE, 32))
  const least = atLeast(limit, v128.load(TABLE, 48))
  const tanhMost = atMost(limit, v128.load(TABLE, 64))
  const tanhLeast = atLeast(limit, v128.load(TABLE, 80))
  const round = v128.load(TABLE, 96)
  const one = v128.load(TABLE, 112)
  for (; blocks > 0; blocks--) {
    let x = clamp(v128.load(gatesPtr), least, most)
    let rounded = multiplyAdd(x, minusLog2E, round)
    v128.store(gatesPtr, multiplyAdd(x, minusLog2E, f32x4.sub(round, rounded)))
    v128.store(scalesPtr, powerOfTwo(rounded, one))

    x = clamp(v128.load(gatesPtr, 16), least, most)
    rounded = multiplyAdd(x, minusLog2E, round)
    v128.store(gatesPtr, multiplyAdd(x, minusLog2E, f32x4.sub(round, rounded)), 16)
    v128.store(scalesPtr, powerOfTwo(rounded, one), 16)

    x = clamp(v128.load(gatesPtr, 32), tanhLeast, tanhMost)
    rounded = multiplyAdd(x, twiceLog2E, round)
    v128.store(gatesPtr, multiplyAdd(x, twiceLog2E, f32x4.sub(round, rounded)), 32)
    v128.store(scalesPtr, powerOfTwo(rounded, one), 32)

    if (hasOutput) {
      x = clamp(v128.load(gatesPtr, 48), least, most)
      rounded = multiplyAdd(x, minusLog2E, round)
      v128.store(gatesPtr, multiplyAdd(x, minusLog2E, f32x4.sub(round, rounded)), 48)
      v128.store(scalesPtr, powerOfTwo(rounded, one), 48)
    }
    gatesPtr += BLOCK_ROW_BYTES
    scalesPtr += BLOCK_ROW_BYTES
  }
}

/**
 * The gates, clamped to +-limit, -> D(i), D(f), T(g), and D(o) where it `hasOutput`, in place; else o is left as it is. Compiled once for each value.
 */
// @ts-ignore: decorator
@inline
export function gateTerms(
  hasOutput: bool, rows: i32, hiddenSize: i32, limit: f32, gatesPtr: usize, gapBytes: i32, rowScalesPtr: usize,
): void {
  const one = v128.load(TABLE, 112)
  const p1 = v128.load(TABLE, 144)
  const p2 = v128.load(TABLE, 160)
  const p3 = v128.load(TABLE, 176)
  const p4 = v128.load(TABLE, 192)
  const p5 = v128.load(TABLE, 208)
  const q0 = v128.load(TABLE, 224)
  const q1 = v128.load(TABLE, 240)
  const q2 = v128.load(TABLE, 256)
  const q3 = v128.load(TABLE, 272)
  const q4 = v128.load(TABLE, 288)
  const q5 = v128.load(TABLE, 304)
  for (; rows > 0; rows--) {
    reduceGates(hasOutput, groupsOfUnits(hiddenSize), limit, gatesPtr, rowScalesPtr)
    let scalesPtr = rowScalesPtr
    for (let blocks = groupsOfUnits(hiddenSize); blocks > 0; blocks--) {
      let r = v128.load(gatesPtr)
      v128.store(gatesPtr, multiplyAdd(polynomial(r, one, p1, p2, p3, p4, p5), v128.load(scalesPtr), one))
      r = v128.load(gatesPtr, 16)
      v128.store(gatesPtr, multiplyAdd(polynomial(r, one, p1, p2, p3, p4, p5), v128.load(scalesPtr, 16), one), 16)
      r = v128.load(gatesPtr, 32)
      const scale = v128.load(scalesPtr, 32)
      v128.store(gatesPtr, multiplyAdd(f32x4.mul(polynomial(r, q0, q1, q2, q3, q4, q5), r), scale, f32x4.sub(scale, one)), 32)
      if (hasOutput) {
        r = v128.load(gatesPtr, 48)
        v128.store(gatesPtr, multiplyAdd(polynomial(r, one, p1, p2, p3, p4, p5), v128.load(scalesPtr, 48), one), 48)
      }
      gatesPtr += BLOCK_ROW_BYTES
      scalesPtr += BLOCK_ROW_BYTES
    }
    gatesPtr += gapBytes
  }
}

/** c' = c / D(f) + T(g) / (D(i) (T(g) + 2)) of one block. */
// @ts-ignore: decorator
@inline
function nextC(termsPtr: usize, cPtr: usize, two: v128): v128 {
  const t = v128.load(termsPtr, 32)
  const kept = f32x4.div(v128.load(cPtr), v128.load(termsPtr, 16))
  return f32x4.add(kept, f32x4.div(t, f32x4.mul(v128.load(termsPtr), f32x4.add(t, two))))
}

/**
 * c -> c', in place, clamped to +-cLimit; D(i), D(f), T(g) and o -> r and 2^n of T(c'), 2^n and r of D(o), o clamped to +-limit and, where there
 * are weights, with these times c'.
 */
function updateC(
  weightsPtr: usize, rows: i32, hiddenSize: i32, limit: f32, cLimit: f32, termsPtr: usize, gapBytes: i32, cPtr: usize, cBytes: i32,
): void {
  const cGapBytes = cBytes - groupsOfUnits(hiddenSize) * VECTOR_BYTES
  const mostC = f32x4.splat(cLimit)
  const leastC = f32x4.splat(-cLimit)
  const mostOutput = atMost(limit, v128.load(TABLE, 32))
  const leastOutput = atLeast(limit, v128.load(TABLE, 48))
  const minusLog2E = v128.load(TABLE)
  const twiceLog2E = v128.load(TABLE, 16)
  const most = v128.load(TABLE, 64)
  const least = v128.load(TABLE, 80)
  const round = v128.load(TABLE, 96)
  const one = v128.load(TABLE, 112)
  const two = v128.load(TABLE, 128)
  for (; rows > 0; rows--) {
    let weightPtr = weightsPtr
    for (let units = hiddenSize; units > 0; units -= UNITS_PER_GROUP) {
      const c = clamp(nextC(termsPtr, cPtr, two), leastC, mostC)
      storeLanes(cPtr, c, units)
      let x = clamp(c, least, most)
      let rounded = multiplyAdd(x, twiceLog2E, round)
      v128.store(termsPtr, multiplyAdd(x, twiceLog2E, f32x4.sub(round, rounded)))
      v128.store(termsPtr, powerOfTwo(rounded, one), 16)
      let o = v128.load(termsPtr, 48)
      if (weightPtr) {
        o = f32x4.add(o, f32x4.mul(v128.load(weightPtr), c))
        weightPtr += VECTOR_BYTES
      }
      x = clamp(o, leastOutput, mostOutput)
      rounded = multiplyAdd(x, minusLog2E, round)
      v128.store(termsPtr, powerOfTwo(rounded, one), 32)
      v128.store(termsPtr, multiplyAdd(x, minusLog2E, f32x4.sub(round, rounded)), 48)
      termsPtr += BLOCK_ROW_BYTES
      cPtr += VECTOR_BYTES
    }
    // Below zero where the last block has fewer than four units, and rows are not padded.
    cPtr += cGapBytes
    termsPtr += gapBytes
  }
}

/** h' = T(c') / (D(o) (T(c') + 2)) */
function updateH(rows: i32, hiddenSize: i32, termsPtr: usize, gapBytes: i32, hPtr: usize, hBytes: i32): void {
  const one = v128.load(TABLE, 112)
  const two = v128.load(TABLE, 128)
  const p1 = v128.load(TABLE, 144)
  const p2 = v128.load(TABLE, 160)
  const p3 = v128.load(TABLE, 176)
  const p4 = v128.load(TABLE, 192)
  const p5 = v128.load(TABLE, 208)
  const q0 = v128.load(TABLE, 224)
  const q1 = v128.load(TABLE, 240)
  const q2 = v128.load(TABLE, 256)
  const q3 = v128.load(TABLE, 272)
  const q4 = v128.load(TABLE, 288)
  const q5 = v128.load(TABLE, 304)
  for (; rows > 0; rows--) {
    let toPtr = hPtr
    for (let units = hiddenSize; units > 0; units -= UNITS_PER_GROUP) {
      const r = v128.load(termsPtr)
      const scale = v128.load(termsPtr, 16)
      const t = multiplyAdd(f32x4.mul(polynomial(r, q0, q1, q2, q3, q4, q5), r), scale, f32x4.sub(scale, one))
      const d = multiplyAdd(polynomial(v128.load(termsPtr, 48), one, p1, p2, p3, p4, p5), v128.load(termsPtr, 32), one)
      storeLanes(toPtr, f32x4.div(t, f32x4.mul(d, f32x4.add(t, two))), units)
      termsPtr += BLOCK_ROW_BYTES
      toPtr += VECTOR_BYTES
    }
    termsPtr += gapBytes
    hPtr += hBytes
  }
}
