// The cell of an LSTM with any functions and with peepholes (Gers and Schmidhuber 2000), forwards with everything that the way back needs, and
// backwards. p: the peepholes.
//
//     i = gate(zi + pi c_)    f = gate(zf + pf c_)    g = candidate(zg)    c = f c_ + i g    o = gate(zo + po c)    h = o output(c)
import { activateRow } from '../../math/activate'
import { BLOCK_ROW_BYTES, VECTOR_BYTES, groupsOfUnits } from '../../products/layout'
import { derivative } from '../derivative'
import { TrainedLayer } from './layer'
import { storeGates } from './lstm-cell'

/** All rows of one step: see `keepCells` in lstm-cell.ts. before: gates as they are before activation. */
export function keepGeneralCells(
  layer: TrainedLayer, peepholesPtr: usize, gatesPtr: usize, gatesBytes: i32, beforePtr: usize, previousPtr: usize, cPtr: usize, mPtr: usize, hPtr: usize,
): void {
  const units = layer.hiddenSize
  const cBytes = layer.cBytes
  const groups = groupsOfUnits(units)
  for (let row = 0; row < layer.rows; row++) {
    if (peepholesPtr) {
      addPeephole(groups, peepholesPtr, previousPtr, gatesPtr)
      addPeephole(groups, peepholesPtr + cBytes, previousPtr, gatesPtr + 16)
    }
    memory.copy(beforePtr, gatesPtr, gatesBytes)
    activateRow(layer.gateFunction, layer.gateAlpha, layer.gateBeta, gatesPtr, BLOCK_ROW_BYTES, units)
    activateRow(layer.gateFunction, layer.gateAlpha, layer.gateBeta, gatesPtr + 16, BLOCK_ROW_BYTES, units)
    activateRow(layer.candidateFunction, layer.candidateAlpha, layer.candidateBeta, gatesPtr + 32, BLOCK_ROW_BYTES, units)
    for (let group = 0; group < groups; group++) {
      const ptr = gatesPtr + group * BLOCK_ROW_BYTES
      const at = group * VECTOR_BYTES
      const kept = f32x4.mul(v128.load(ptr, 16), v128.load(previousPtr + at))
      v128.store(cPtr + at, f32x4.add(kept, f32x4.mul(v128.load(ptr), v128.load(ptr, 32))))
    }
    if (peepholesPtr) {
      addPeephole(groups, peepholesPtr + 2 * cBytes, cPtr, gatesPtr + 48)
      addPeephole(groups, peepholesPtr + 2 * cBytes, cPtr, beforePtr + 48)
    }
    activateRow(layer.gateFunction, layer.gateAlpha, layer.gateBeta, gatesPtr + 48, BLOCK_ROW_BYTES, units)
    memory.copy(mPtr, cPtr, cBytes)
    activateRow(layer.outputFunction, layer.outputAlpha, layer.outputBeta, mPtr, VECTOR_BYTES, units)
    for (let group = 0; group < groups; group++) {
      const at = group * VECTOR_BYTES
      v128.store(hPtr + at, f32x4.mul(v128.load(gatesPtr + group * BLOCK_ROW_BYTES, 48), v128.load(mPtr + at)))
    }
    gatesPtr += gatesBytes
    beforePtr += gatesBytes
    previousPtr += cBytes
    cPtr += cBytes
    mPtr += cBytes
    hPtr += cBytes
  }
}

/** One row of one step back: see `cellBack` in lstm-cell.ts. dpeepholes (3, padded), or 0: the products of the row are added. */
export function generalCellBack(
  layer: TrainedLayer, peepholesPtr: usize, gatesPtr: usize, beforePtr: usize, previousPtr: usize, cPtr: usize, mPtr: usize, dhPtr: usize, dcPtr: usize,
  rowPtr: usize, blockPtr: usize, apart: i32, dpeepholesPtr: usize,
): void {
  const cBytes = layer.cBytes
  for (let at = 0; at < cBytes; at += VECTOR_BYTES) {
    const i = v128.load(gatesPtr)
    const f = v128.load(gatesPtr, 16)
    const g = v128.load(gatesPtr, 32)
    const o = v128.load(gatesPtr, 48)
    const m = v128.load(mPtr + at)
    const c = v128.load(cPtr + at)
    const previous = v128.load(previousPtr + at)
    const dh = v128.load(dhPtr + at)
    const outputGate = f32x4.mul(f32x4.mul(dh, m), gateSlope(layer, v128.load(beforePtr, 48), o))
    let dc = f32x4.mul(f32x4.mul(dh, o), derivative(layer.outputFunction, layer.outputAlpha, layer.outputBeta, c, m))
    dc = f32x4.add(v128.load(dcPtr + at), dc)
    if (peepholesPtr) dc = f32x4.add(dc, f32x4.mul(outputGate, v128.load(peepholesPtr + 2 * cBytes + at)))
    const inputGate = f32x4.mul(f32x4.mul(dc, g), gateSlope(layer, v128.load(beforePtr), i))
    const forgetGate = f32x4.mul(f32x4.mul(dc, previous), gateSlope(layer, v128.load(beforePtr, 16), f))
    const slope = derivative(layer.candidateFunction, layer.candidateAlpha, layer.candidateBeta, v128.load(beforePtr, 32), g)
    const candidate = f32x4.mul(f32x4.mul(dc, i), slope)
    let kept = f32x4.mul(dc, f)
    if (peepholesPtr) {
      kept = f32x4.add(kept, f32x4.mul(inputGate, v128.load(peepholesPtr + at)))
      kept = f32x4.add(kept, f32x4.mul(forgetGate, v128.load(peepholesPtr + cBytes + at)))
    }
    if (dpeepholesPtr) {
      addProduct(dpeepholesPtr + at, inputGate, previous)
      addProduct(dpeepholesPtr + cBytes + at, forgetGate, previous)
      addProduct(dpeepholesPtr + 2 * cBytes + at, outputGate, c)
    }
    v128.store(dcPtr + at, kept)
    storeGates(rowPtr, inputGate, forgetGate, candidate, outputGate)
    storeGates(blockPtr, inputGate, forgetGate, candidate, outputGate)
    gatesPtr += BLOCK_ROW_BYTES
    beforePtr += BLOCK_ROW_BYTES
    rowPtr += BLOCK_ROW_BYTES
    blockPtr += apart
  }
}

// @ts-ignore: decorator
@inline
function gateSlope(layer: TrainedLayer, before: v128, gate: v128): v128 {
  return derivative(layer.gateFunction, layer.gateAlpha, layer.gateBeta, before, gate)
}

/** gate += weight c, of gates that lie a block apart. */
function addPeephole(groups: i32, weightPtr: usize, cPtr: usize, gatePtr: usize): void {
  for (; groups > 0; groups--) {
    v128.store(gatePtr, f32x4.add(v128.load(gatePtr), f32x4.mul(v128.load(weightPtr), v128.load(cPtr))))
    weightPtr += VECTOR_BYTES
    cPtr += VECTOR_BYTES
    gatePtr += BLOCK_ROW_BYTES
  }
}

function addProduct(ptr: usize, a: v128, b: v128): void {
  v128.store(ptr, f32x4.add(v128.load(ptr), f32x4.mul(a, b)))
}
