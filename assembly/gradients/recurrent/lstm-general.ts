// The cell of an LSTM with any functions and options, forwards with everything that the way back needs, and backwards. In the order of
// recurrent/lstm-general.ts; p: the peepholes (Gers and Schmidhuber 2000), N: a layer normalisation or nothing, [ ]: a clip or nothing.
//
//     i = gate([N(zi) + pi c_])    f = gate([N(zf) + pf c_])    g = candidate([N(zg)])
//     c = [N(f c_ + i g)]    o = gate([N(zo) + po c])    h = o output(c)
import { BLOCK_ROW_BYTES, VECTOR_BYTES, groupsOfUnits } from '../../products/layout'
import { clipRow } from '../../recurrent/gate-rows'
import { Coupling, addPeephole, complement, mixCells } from '../../recurrent/lstm-general'
import { addPeepholes } from '../../recurrent/lstm-update'
import { normaliseRow } from '../../recurrent/normalise'
import { activateRow } from '../inference'
import { derivative, derivativeWithin, isWithin } from '../derivative'
import { TrainedGradients, TrainedLayer, TrainedValues } from './layer'
import { storeGates } from './lstm-cell'
import { normaliseBack } from './normalise'

/** Which of the five normalisations c has. */
const OF_CELL: i32 = 4
export const NORMALISATIONS: i32 = 5

/**
 * All rows of one step: see `keepCells` in lstm-cell.ts. before: gates as they are before they are clipped and activated; sums: before they are
 * normalised. The normalisation: gain (5, H) and shift (5, H) of i, f, g, o and c, padded.
 */
export function keepGeneralCells(
  layer: TrainedLayer, values: TrainedValues, gatesPtr: usize, gatesBytes: i32, beforePtr: usize, sumsPtr: usize, previousPtr: usize, cPtr: usize,
  mPtr: usize, hPtr: usize,
): void {
  const peepholesPtr = values.peepholesPtr
  const normPtr = values.normPtr
  const units = layer.hiddenSize
  const cBytes = layer.cBytes
  const groups = groupsOfUnits(units)
  for (let row = 0; row < layer.rows; row++) {
    if (normPtr) {
      memory.copy(sumsPtr, gatesPtr, gatesBytes)
      for (let gate = 0; gate < OF_CELL; gate++) normalise(layer, normPtr, gate, gatesPtr + gate * VECTOR_BYTES, BLOCK_ROW_BYTES)
      sumsPtr += gatesBytes
    }
    if (peepholesPtr) addPeepholes(gatesPtr, peepholesPtr, previousPtr, groups)
    memory.copy(beforePtr, gatesPtr, gatesBytes)
    for (let gate = 0; gate < 3; gate++) clipRow(gatesPtr + gate * VECTOR_BYTES, BLOCK_ROW_BYTES, groups, layer.clip)
    activateRow(layer.gateFunction, layer.gateAlpha, layer.gateBeta, gatesPtr, BLOCK_ROW_BYTES, units)
    activateRow(layer.gateFunction, layer.gateAlpha, layer.gateBeta, gatesPtr + 16, BLOCK_ROW_BYTES, units)
    if (layer.coupling == Coupling.forgetIsOneMinusInput) complement(gatesPtr, gatesPtr + 16, groups)
    if (layer.coupling == Coupling.inputIsOneMinusForget) complement(gatesPtr + 16, gatesPtr, groups)
    activateRow(layer.candidateFunction, layer.candidateAlpha, layer.candidateBeta, gatesPtr + 32, BLOCK_ROW_BYTES, units)
    mixCells(groups, gatesPtr, previousPtr, cPtr)
    if (normPtr) normalise(layer, normPtr, OF_CELL, cPtr, VECTOR_BYTES)
    clipRow(cPtr, VECTOR_BYTES, groups, layer.cellClip)
    if (peepholesPtr) {
      addPeephole(gatesPtr + 48, peepholesPtr + 2 * cBytes, cPtr, groups)
      addPeephole(beforePtr + 48, peepholesPtr + 2 * cBytes, cPtr, groups)
    }
    clipRow(gatesPtr + 48, BLOCK_ROW_BYTES, groups, layer.clip)
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

/**
 * One row of one step back: see `cellBack` in lstm-cell.ts. To the gradients of peepholes and normalisation those of the row are added.
 * mixedPtr: room for a row of c.
 */
export function generalCellBack(
  layer: TrainedLayer, values: TrainedValues, gradients: TrainedGradients, gatesPtr: usize, beforePtr: usize, sumsPtr: usize, previousPtr: usize,
  cPtr: usize, mPtr: usize, dhPtr: usize, dcPtr: usize, rowPtr: usize, blockPtr: usize, apart: i32, mixedPtr: usize,
): void {
  const peepholesPtr = values.peepholesPtr
  const normPtr = values.normPtr
  const dpeepholesPtr = gradients.dpeepholesPtr
  const dnormPtr = gradients.dnormPtr
  const groups = groupsOfUnits(layer.hiddenSize)
  outputBack(layer, peepholesPtr, gatesPtr, beforePtr, cPtr, mPtr, dhPtr, dcPtr, rowPtr, dpeepholesPtr)
  if (layer.cellClip != 0 || normPtr != 0) {
    mixCells(groups, gatesPtr, previousPtr, mixedPtr)
    cellStateBack(layer, normPtr, mixedPtr, dcPtr, dnormPtr)
  }
  inputsBack(layer, peepholesPtr, gatesPtr, beforePtr, previousPtr, dcPtr, rowPtr, dpeepholesPtr)
  if (normPtr) {
    for (let gate = 0; gate < OF_CELL; gate++) {
      normalisedBack(layer, normPtr, gate, sumsPtr + gate * VECTOR_BYTES, rowPtr + gate * VECTOR_BYTES, BLOCK_ROW_BYTES, dnormPtr)
    }
  }
  for (let group = 0; group < groups; group++) memory.copy(blockPtr + group * apart, rowPtr + group * BLOCK_ROW_BYTES, BLOCK_ROW_BYTES)
}

/** The gradient of o before activation, and dc += what comes through h and through o. */
function outputBack(
  layer: TrainedLayer, peepholesPtr: usize, gatesPtr: usize, beforePtr: usize, cPtr: usize, mPtr: usize, dhPtr: usize, dcPtr: usize, rowPtr: usize,
  dpeepholesPtr: usize,
): void {
  const cBytes = layer.cBytes
  for (let at = 0; at < cBytes; at += VECTOR_BYTES) {
    const o = v128.load(gatesPtr, 48)
    const m = v128.load(mPtr + at)
    const c = v128.load(cPtr + at)
    const dh = v128.load(dhPtr + at)
    const outputGate = f32x4.mul(f32x4.mul(dh, m), gateSlope(layer, v128.load(beforePtr, 48), o))
    let dc = f32x4.mul(f32x4.mul(dh, o), derivative(layer.outputFunction, layer.outputAlpha, layer.outputBeta, c, m))
    dc = f32x4.add(v128.load(dcPtr + at), dc)
    if (peepholesPtr) dc = f32x4.add(dc, f32x4.mul(outputGate, v128.load(peepholesPtr + 2 * cBytes + at)))
    if (dpeepholesPtr) addProduct(dpeepholesPtr + 2 * cBytes + at, outputGate, c)
    v128.store(dcPtr + at, dc)
    v128.store(rowPtr, outputGate, 48)
    gatesPtr += BLOCK_ROW_BYTES
    beforePtr += BLOCK_ROW_BYTES
    rowPtr += BLOCK_ROW_BYTES
  }
}

/** dc through the clip and the normalisation of c. mixedPtr: f c_ + i g, which is overwritten. */
function cellStateBack(layer: TrainedLayer, normPtr: usize, mixedPtr: usize, dcPtr: usize, dnormPtr: usize): void {
  const cBytes = layer.cBytes
  if (layer.cellClip != 0) {
    // What was clipped is the normalised one: it is made again beside the other.
    const normalisedPtr = mixedPtr + cBytes
    memory.copy(normalisedPtr, mixedPtr, cBytes)
    if (normPtr) normalise(layer, normPtr, OF_CELL, normalisedPtr, VECTOR_BYTES)
    for (let at = 0; at < cBytes; at += VECTOR_BYTES) {
      v128.store(dcPtr + at, v128.and(v128.load(dcPtr + at), isWithin(v128.load(normalisedPtr + at), layer.cellClip)))
    }
  }
  if (normPtr) normalisedBack(layer, normPtr, OF_CELL, mixedPtr, dcPtr, VECTOR_BYTES, dnormPtr)
}

/** The gradients of i, f and g before activation; dc becomes that of c_. */
function inputsBack(
  layer: TrainedLayer, peepholesPtr: usize, gatesPtr: usize, beforePtr: usize, previousPtr: usize, dcPtr: usize, rowPtr: usize, dpeepholesPtr: usize,
): void {
  const cBytes = layer.cBytes
  const zero = f32x4.splat(0)
  for (let at = 0; at < cBytes; at += VECTOR_BYTES) {
    const i = v128.load(gatesPtr)
    const f = v128.load(gatesPtr, 16)
    const g = v128.load(gatesPtr, 32)
    const previous = v128.load(previousPtr + at)
    const dc = v128.load(dcPtr + at)
    // By the gates, after activation: one that follows from the other passes its gradient on to that, with the other sign.
    let di = f32x4.mul(dc, g)
    let df = f32x4.mul(dc, previous)
    if (layer.coupling == Coupling.forgetIsOneMinusInput) {
      di = f32x4.sub(di, df)
      df = zero
    } else if (layer.coupling == Coupling.inputIsOneMinusForget) {
      df = f32x4.sub(df, di)
      di = zero
    }
    const inputGate = f32x4.mul(di, gateSlope(layer, v128.load(beforePtr), i))
    const forgetGate = f32x4.mul(df, gateSlope(layer, v128.load(beforePtr, 16), f))
    const slope = derivativeWithin(layer.clip, layer.candidateFunction, layer.candidateAlpha, layer.candidateBeta, v128.load(beforePtr, 32), g)
    const candidate = f32x4.mul(f32x4.mul(dc, i), slope)
    let kept = f32x4.mul(dc, f)
    if (peepholesPtr) {
      kept = f32x4.add(kept, f32x4.mul(inputGate, v128.load(peepholesPtr + at)))
      kept = f32x4.add(kept, f32x4.mul(forgetGate, v128.load(peepholesPtr + cBytes + at)))
    }
    if (dpeepholesPtr) {
      addProduct(dpeepholesPtr + at, inputGate, previous)
      addProduct(dpeepholesPtr + cBytes + at, forgetGate, previous)
    }
    v128.store(dcPtr + at, kept)
    storeGates(rowPtr, inputGate, forgetGate, candidate, v128.load(rowPtr, 48))
    gatesPtr += BLOCK_ROW_BYTES
    beforePtr += BLOCK_ROW_BYTES
    rowPtr += BLOCK_ROW_BYTES
  }
}

// @ts-ignore: decorator
@inline
function gateSlope(layer: TrainedLayer, before: v128, gate: v128): v128 {
  return derivativeWithin(layer.clip, layer.gateFunction, layer.gateAlpha, layer.gateBeta, before, gate)
}

/** Normalises a gate, or c, in place. */
function normalise(layer: TrainedLayer, normPtr: usize, which: i32, ptr: usize, strideBytes: i32): void {
  const gainPtr = normPtr + which * layer.cBytes
  normaliseRow(gainPtr, gainPtr + NORMALISATIONS * layer.cBytes, layer.normEpsilon, ptr, strideBytes, layer.hiddenSize)
}

/** The way back through that, of x. */
function normalisedBack(layer: TrainedLayer, normPtr: usize, which: i32, xPtr: usize, gradientPtr: usize, strideBytes: i32, dnormPtr: usize): void {
  const at = which * layer.cBytes
  const dgainPtr: usize = dnormPtr ? dnormPtr + at : 0
  const dshiftPtr: usize = dnormPtr ? dgainPtr + NORMALISATIONS * layer.cBytes : 0
  normaliseBack(normPtr + at, layer.normEpsilon, xPtr, gradientPtr, strideBytes, layer.hiddenSize, dgainPtr, dshiftPtr)
}

function addProduct(ptr: usize, a: v128, b: v128): void {
  v128.store(ptr, f32x4.add(v128.load(ptr), f32x4.mul(a, b)))
}
