// The cell of an LSTM with sigmoids and tanhs, forwards with everything that the way back needs, and backwards.
//
//     c = f c_ + i g      h = o tanh(c)
//
//     do = dh tanh(c) o (1 - o)            dc += dh o (1 - tanh(c)^2)
//     di = dc g i (1 - i)    df = dc c_ f (1 - f)    dg = dc i (1 - g^2)    dc_ = dc f
import { BLOCK_ROW_BYTES, UNITS_PER_GROUP, VECTOR_BYTES, groupsOfUnits } from '../../products/layout'
import { gateTerms } from '../../recurrent/lstm-update'
import { TABLE, clamp, polynomial, powerOfTwo } from '../../recurrent/terms'
import { multiplyAdd } from '../../simd'

/**
 * Gates (rows, groups) before activation -> i, f, g, o in their place; c from c_ (rows, padded), tanh(c), and h, all padded.
 * scalesPtr: as `updateCells`. The functions are those of inference, to the bit but for c, which has its own order there.
 */
export function keepCells(
  rows: i32, hiddenSize: i32, gatesPtr: usize, gatesBytes: i32, scalesPtr: usize, previousPtr: usize, cPtr: usize, tanhPtr: usize, hPtr: usize,
): void {
  const gapBytes = gatesBytes - groupsOfUnits(hiddenSize) * BLOCK_ROW_BYTES
  gateTerms(true, rows, hiddenSize, Infinity, gatesPtr, gapBytes, scalesPtr)
  const twiceLog2E = v128.load(TABLE, 16)
  const most = v128.load(TABLE, 64)
  const least = v128.load(TABLE, 80)
  const round = v128.load(TABLE, 96)
  const one = v128.load(TABLE, 112)
  const two = v128.load(TABLE, 128)
  const q0 = v128.load(TABLE, 224)
  const q1 = v128.load(TABLE, 240)
  const q2 = v128.load(TABLE, 256)
  const q3 = v128.load(TABLE, 272)
  const q4 = v128.load(TABLE, 288)
  const q5 = v128.load(TABLE, 304)
  let ptr = gatesPtr
  let toPtr = cPtr
  for (let row = 0; row < rows; row++) {
    for (let units = hiddenSize; units > 0; units -= UNITS_PER_GROUP) {
      const di = v128.load(ptr)
      const df = v128.load(ptr, 16)
      const t = v128.load(ptr, 32)
      const t2 = f32x4.add(t, two)
      // As nextC of lstm-update.ts has it.
      const kept = f32x4.div(v128.load(previousPtr), df)
      v128.store(toPtr, f32x4.add(kept, f32x4.div(t, f32x4.mul(di, t2))))
      v128.store(ptr, f32x4.div(one, di))
      v128.store(ptr, f32x4.div(one, df), 16)
      v128.store(ptr, f32x4.div(t, t2), 32)
      ptr += BLOCK_ROW_BYTES
      previousPtr += VECTOR_BYTES
      toPtr += VECTOR_BYTES
    }
    ptr += gapBytes
  }
  ptr = gatesPtr
  for (let row = 0; row < rows; row++) {
    for (let units = hiddenSize; units > 0; units -= UNITS_PER_GROUP) {
      const x = clamp(v128.load(cPtr), least, most)
      const rounded = multiplyAdd(x, twiceLog2E, round)
      const z = multiplyAdd(x, twiceLog2E, f32x4.sub(round, rounded))
      const scale = powerOfTwo(rounded, one)
      const t = multiplyAdd(f32x4.mul(polynomial(z, q0, q1, q2, q3, q4, q5), z), scale, f32x4.sub(scale, one))
      const t2 = f32x4.add(t, two)
      const od = v128.load(ptr, 48)
      v128.store(tanhPtr, f32x4.div(t, t2))
      v128.store(hPtr, f32x4.div(t, f32x4.mul(od, t2)))
      v128.store(ptr, f32x4.div(one, od), 48)
      ptr += BLOCK_ROW_BYTES
      cPtr += VECTOR_BYTES
      tanhPtr += VECTOR_BYTES
      hPtr += VECTOR_BYTES
    }
    ptr += gapBytes
  }
}

/** Writes i, f, g and o of four units. */
// @ts-ignore: decorator
@inline
export function storeGates(ptr: usize, i: v128, f: v128, g: v128, o: v128): void {
  v128.store(ptr, i)
  v128.store(ptr, f, 16)
  v128.store(ptr, g, 32)
  v128.store(ptr, o, 48)
}

/**
 * One row of one step back. dh (padded); dc (padded), in place: the gradient of c_ on return. The gradient of the gates goes to rowPtr as they lie, and
 * by blocks to blockPtr, blocks `apart` bytes apart.
 */
export function cellBack(
  hiddenSize: i32, gatesPtr: usize, previousPtr: usize, tanhPtr: usize, dhPtr: usize, dcPtr: usize, rowPtr: usize, blockPtr: usize, apart: i32,
): void {
  const one = v128.load(TABLE, 112)
  for (let units = hiddenSize; units > 0; units -= UNITS_PER_GROUP) {
    const i = v128.load(gatesPtr)
    const f = v128.load(gatesPtr, 16)
    const g = v128.load(gatesPtr, 32)
    const o = v128.load(gatesPtr, 48)
    const tanh = v128.load(tanhPtr)
    const through = f32x4.mul(v128.load(dhPtr), o)
    const outputGate = f32x4.mul(f32x4.mul(through, tanh), f32x4.sub(one, o))
    const dc = f32x4.add(v128.load(dcPtr), f32x4.mul(through, f32x4.sub(one, f32x4.mul(tanh, tanh))))
    const fresh = f32x4.mul(dc, i)
    const inputGate = f32x4.mul(f32x4.mul(fresh, g), f32x4.sub(one, i))
    const candidate = f32x4.mul(fresh, f32x4.sub(one, f32x4.mul(g, g)))
    const kept = f32x4.mul(dc, f)
    const forgetGate = f32x4.mul(f32x4.mul(kept, v128.load(previousPtr)), f32x4.sub(one, f))
    v128.store(dcPtr, kept)
    storeGates(rowPtr, inputGate, forgetGate, candidate, outputGate)
    storeGates(blockPtr, inputGate, forgetGate, candidate, outputGate)
    gatesPtr += BLOCK_ROW_BYTES
    previousPtr += VECTOR_BYTES
    tanhPtr += VECTOR_BYTES
    dhPtr += VECTOR_BYTES
    dcPtr += VECTOR_BYTES
    rowPtr += BLOCK_ROW_BYTES
    blockPtr += apart
  }
}
