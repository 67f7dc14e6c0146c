// The cell of a GRU backwards, row by row: see gru.ts.
import { VECTOR_BYTES, groupsOfUnits } from '../../products/layout'
import { derivativeWithin } from '../derivative'
import { TrainedLayer } from './layer'

/** Byte distance between the vectors of one gate: r, z, n of four units; and where r and z have a product of their own. */
export const GATE_STRIDE: i32 = 3 * VECTOR_BYTES
export const PAIR_STRIDE: i32 = 2 * VECTOR_BYTES

/**
 * One row: dh -> dh z, and the gradients of the gates before activation. `after`: the reset comes after the product, m is what it works on; otherwise
 * reset gets dn'. A row that is padding has gradients of zero, and dh stays.
 */
export function candidateBack(
  layer: TrainedLayer, after: bool, masked: bool, gatesPtr: usize, beforePtr: usize, hPtr: usize, mPtr: usize, dhPtr: usize, inputPtr: usize,
  statePtr: usize, resetPtr: usize,
): void {
  const one = f32x4.splat(1)
  const zero = f32x4.splat(0)
  const stateStride = after ? GATE_STRIDE : PAIR_STRIDE
  for (let group = groupsOfUnits(layer.hiddenSize); group > 0; group--) {
    const z = v128.load(gatesPtr, 16)
    const n = v128.load(gatesPtr, 32)
    const dh = masked ? zero : v128.load(dhPtr)
    const updateSlope = derivativeWithin(layer.clip, layer.gateFunction, layer.gateAlpha, layer.gateBeta, v128.load(beforePtr, 16), z)
    const update = f32x4.mul(f32x4.mul(dh, f32x4.sub(v128.load(hPtr), n)), updateSlope)
    const slope = derivativeWithin(layer.clip, layer.candidateFunction, layer.candidateAlpha, layer.candidateBeta, v128.load(beforePtr, 32), n)
    const fresh = f32x4.mul(f32x4.mul(dh, f32x4.sub(one, z)), slope)
    if (!masked) v128.store(dhPtr, f32x4.mul(dh, z))
    v128.store(inputPtr, update, 16)
    v128.store(statePtr, update, 16)
    v128.store(inputPtr, fresh, 32)
    if (after) {
      const r = v128.load(gatesPtr)
      const resetSlope = derivativeWithin(layer.clip, layer.gateFunction, layer.gateAlpha, layer.gateBeta, v128.load(beforePtr), r)
      const reset = f32x4.mul(f32x4.mul(fresh, v128.load(mPtr)), resetSlope)
      v128.store(inputPtr, reset)
      v128.store(statePtr, reset)
      v128.store(statePtr, f32x4.mul(fresh, r), 32)
    } else {
      v128.store(resetPtr, fresh)
    }
    gatesPtr += GATE_STRIDE
    beforePtr += GATE_STRIDE
    hPtr += VECTOR_BYTES
    mPtr += VECTOR_BYTES
    dhPtr += VECTOR_BYTES
    inputPtr += GATE_STRIDE
    statePtr += stateStride
    resetPtr += VECTOR_BYTES
  }
}

/** One row, with the reset before the product: dr' from d(r h_), and what of it goes to h_. Padding has d(r h_) of zero. */
export function resetBack(
  layer: TrainedLayer, gatesPtr: usize, beforePtr: usize, hPtr: usize, dropPtr: usize, productPtr: usize, dhPtr: usize, inputPtr: usize, statePtr: usize,
): void {
  for (let group = groupsOfUnits(layer.hiddenSize); group > 0; group--) {
    const r = v128.load(gatesPtr)
    const product = v128.load(productPtr)
    const slope = derivativeWithin(layer.clip, layer.gateFunction, layer.gateAlpha, layer.gateBeta, v128.load(beforePtr), r)
    const reset = f32x4.mul(f32x4.mul(product, v128.load(hPtr)), slope)
    let through = f32x4.mul(product, r)
    if (dropPtr) {
      through = f32x4.mul(through, v128.load(dropPtr))
      dropPtr += VECTOR_BYTES
    }
    v128.store(dhPtr, f32x4.add(v128.load(dhPtr), through))
    v128.store(inputPtr, reset)
    v128.store(statePtr, reset)
    gatesPtr += GATE_STRIDE
    beforePtr += GATE_STRIDE
    hPtr += VECTOR_BYTES
    productPtr += VECTOR_BYTES
    dhPtr += VECTOR_BYTES
    inputPtr += GATE_STRIDE
    statePtr += PAIR_STRIDE
  }
}
