// The LSTM with everything that frameworks add to it. Slower than lstm.ts, which stays for the common
// case: gates are stored before the cell update, which then makes several passes over them.
import { activateRow, elementPtr } from '../math/activate'
import { gemmF32 } from '../products/gemm'
import { BLOCK_LENGTH, BLOCK_ROW_BYTES, UNITS_PER_BLOCK, blocksOfUnits, packedBlockBytes } from '../products/layout'
import { storeLanes } from '../simd'
import { rowProduct } from '../products/row'

/**
 * The settings of a cell, as they lie in memory (src/ops/recurrent/cell.ts writes them). Pointers are 0 for
 * what the cell does not have; vectors of units are padded to whole vectors.
 */
@unmanaged
class Cell {
  /** (3, units): peephole weights of i, f, o. */
  peepholesPtr: usize
  /** (5, 2, units): gain and shift of the layer normalisation of i, f, g, o and c. */
  normPtr: usize
  /** Packed dense matrix, units -> outputSize. */
  projectionPtr: usize
  /** Length of h: the units, or the projection's size. */
  outputSize: i32
  /** 1: f = 1 - i (ONNX input_forget). 2: i = 1 - f (TensorFlow 1 CoupledInputForgetGateLSTMCell). */
  coupling: i32
  /** What to do at masked steps: see `finishRow`. */
  maskRule: i32
  /** Gates are clamped to +-clip before activation (ONNX clip); 0: not. */
  clip: f32
  /** c is clamped, and stored so (TensorFlow 1 cell_clip); 0: not. */
  cellClip: f32
  /** The projection's result is clamped (TensorFlow 1 proj_clip); 0: not. */
  projClip: f32
  normEpsilon: f32
  /** How many steps of history there are: 0 for a state that is not delayed. */
  delaySteps: i32
  /** How much of the oldest of them goes in. */
  delayFraction: f32
  /** Functions (see activate.ts) of the gates i, f, o; of the candidate g; and of c on its way out. */
  gateFunction: i32
  gateAlpha: f32
  gateBeta: f32
  candidateFunction: i32
  candidateAlpha: f32
  candidateBeta: f32
  outputFunction: i32
  outputAlpha: f32
  outputBeta: f32
}

/** Masked steps keep state and output as they were; outputs are zeros before the first step (Keras). */
const MASK_HOLD: i32 = 1
/** Masked steps keep the state, and output zeros (TensorFlow 1, ONNX, PyTorch). */
const MASK_ZERO: i32 = 2
/** new * m + old * (1 - m) for state and output: a NaN in padding spreads (TensorFlow.js). */
const MASK_MULTIPLY: i32 = 3

/** Byte distance between the vectors of one gate. */
const GATE_STRIDE: i32 = BLOCK_ROW_BYTES
const VECTOR_BYTES: i32 = 16

/** Bytes of workspace `lstmGeneralF32` needs. */
export function lstmGeneralWorkspaceBytes(rows: i32, hiddenSize: i32, outputSize: i32, chunkSteps: i32): f64 {
  const blocks = f64(blocksOfUnits(hiddenSize))
  return f64(rows) * f64(chunkSteps) * blocks * f64(BLOCK_ROW_BYTES) + (2 * blocks + f64(blocksOfUnits(outputSize))) * f64(VECTOR_BYTES)
}

/**
 * As `lstmForwardF32`, for any cell; h is (batch, outputSize).
 *
 * mask     uint8, 0 where step t of row b is padding: at maskPtr + t maskStepBytes + b maskRowBytes; or 0
 * held     (batch, outputSize): the last output of every row; what it holds before is what a masked first step outputs
 * history  (batch, delaySteps, outputSize + hiddenSize): h and c of the steps before, the oldest first; or 0
 */
export function lstmGeneralF32(
  xPtr: usize, xStepBytes: i32, xRowBytes: i32, inputSize: i32, packedPtr: usize, hiddenSize: i32,
  timesteps: i32, rowBegin: i32, rowEnd: i32, hPtr: usize, cPtr: usize,
  yPtr: usize, yStepBytes: i32, yRowBytes: i32, workspacePtr: usize, chunkSteps: i32,
  cellPtr: usize, maskPtr: usize, maskStepBytes: i32, maskRowBytes: i32, heldPtr: usize, historyPtr: usize,
): void {
  assert(rowBegin <= rowEnd && timesteps >= 0 && chunkSteps > 0)
  assert(packedPtr % 16 == 0 && workspacePtr % 16 == 0 && cellPtr % 4 == 0)
  const cell = changetype<Cell>(cellPtr)
  const rows = rowEnd - rowBegin
  if (rows == 0 || timesteps == 0) return
  const blocks = blocksOfUnits(hiddenSize)
  const gatesBytes = blocks * BLOCK_ROW_BYTES
  const hBytes = cell.outputSize * 4
  const cBytes = hiddenSize * 4
  const recurrentPtr = packedPtr + blocks * packedBlockBytes(inputSize) + BLOCK_ROW_BYTES
  const blockBytes = packedBlockBytes(cell.outputSize)
  const scratchPtr = workspacePtr + chunkSteps * rows * gatesBytes

  for (let begin = 0; begin < timesteps; begin += chunkSteps) {
    const end = min(begin + chunkSteps, timesteps)
    gemmF32(
      xPtr + rowBegin * xRowBytes + begin * xStepBytes, xRowBytes, xStepBytes, rows, 0, (end - begin) * rows, inputSize,
      packedPtr, blocks * BLOCK_LENGTH, workspacePtr, gatesBytes,
    )
    for (let t = begin; t < end; t++) {
      for (let row = rowBegin; row < rowEnd; row++) {
        const gatesPtr = workspacePtr + ((t - begin) * rows + row - rowBegin) * gatesBytes
        const rowHPtr = hPtr + row * hBytes
        rowProduct(
          cell.outputSize, recurrentPtr, blockBytes, blocks * BLOCK_LENGTH, rowHPtr, gatesPtr, BLOCK_ROW_BYTES, gatesPtr, false,
        )
        const rowCPtr = cPtr + row * cBytes
        updateRow(cell, gatesPtr, rowCPtr, hiddenSize, scratchPtr)
        if (cell.delaySteps) delayRow(cell, scratchPtr, hiddenSize, historyPtr + row * cell.delaySteps * (hBytes + cBytes))
        finishRow(
          cell, scratchPtr, hiddenSize, rowHPtr, rowCPtr, heldPtr + row * hBytes,
          yPtr ? yPtr + t * yStepBytes + row * yRowBytes : 0,
          maskPtr ? i32(load<u8>(maskPtr + t * maskStepBytes + row * maskRowBytes) != 0) : 1,
        )
      }
    }
  }
}

/** Scratch of one row: c[t] (units), then what becomes h[t] (units, then outputSize). */
// @ts-ignore: decorator
@inline
function nextHPtr(cell: Cell, scratchPtr: usize, hiddenSize: i32): usize {
  const unitsBytes = blocksOfUnits(hiddenSize) * VECTOR_BYTES
  return scratchPtr + (cell.projectionPtr ? 2 * unitsBytes : unitsBytes)
}

/**
 * Gates -> c[t] and h[t] in scratch, for one row. In TensorFlow 1's order: c is clipped before the output
 * gate's peephole sees it; the projection comes last, and is clipped on its own.
 */
function updateRow(cell: Cell, gatesPtr: usize, cPtr: usize, hiddenSize: i32, scratchPtr: usize): void {
  const blocks = blocksOfUnits(hiddenSize)
  const unitsBytes = blocks * VECTOR_BYTES
  const iPtr = gatesPtr
  const fPtr = gatesPtr + 16
  const gPtr = gatesPtr + 32
  const oPtr = gatesPtr + 48
  const nextCPtr = scratchPtr
  const mPtr = scratchPtr + unitsBytes
  if (cell.normPtr) {
    for (let gate = 0; gate < 4; gate++) normalise(cell, gate, gatesPtr + gate * 16, GATE_STRIDE, hiddenSize)
  }
  if (cell.peepholesPtr) {
    addPeephole(iPtr, cell.peepholesPtr, cPtr, blocks)
    addPeephole(fPtr, cell.peepholesPtr + unitsBytes, cPtr, blocks)
  }
  clipRow(iPtr, GATE_STRIDE, blocks, cell.clip)
  clipRow(fPtr, GATE_STRIDE, blocks, cell.clip)
  clipRow(gPtr, GATE_STRIDE, blocks, cell.clip)
  if (cell.coupling != 2) activateRow(cell.gateFunction, cell.gateAlpha, cell.gateBeta, iPtr, GATE_STRIDE, hiddenSize)
  if (cell.coupling != 1) activateRow(cell.gateFunction, cell.gateAlpha, cell.gateBeta, fPtr, GATE_STRIDE, hiddenSize)
  if (cell.coupling == 1) complement(iPtr, fPtr, blocks)
  if (cell.coupling == 2) complement(fPtr, iPtr, blocks)
  activateRow(cell.candidateFunction, cell.candidateAlpha, cell.candidateBeta, gPtr, GATE_STRIDE, hiddenSize)
  for (let block = 0; block < blocks; block++) {
    const at = block * GATE_STRIDE
    const kept = f32x4.mul(v128.load(fPtr + at), v128.load(cPtr + block * VECTOR_BYTES))
    v128.store(nextCPtr + block * VECTOR_BYTES, f32x4.add(kept, f32x4.mul(v128.load(iPtr + at), v128.load(gPtr + at))))
  }
  if (cell.normPtr) normalise(cell, 4, nextCPtr, VECTOR_BYTES, hiddenSize)
  clipRow(nextCPtr, VECTOR_BYTES, blocks, cell.cellClip)
  if (cell.peepholesPtr) addPeephole(oPtr, cell.peepholesPtr + 2 * unitsBytes, nextCPtr, blocks)
  clipRow(oPtr, GATE_STRIDE, blocks, cell.clip)
  activateRow(cell.gateFunction, cell.gateAlpha, cell.gateBeta, oPtr, GATE_STRIDE, hiddenSize)
  memory.copy(mPtr, nextCPtr, unitsBytes)
  activateRow(cell.outputFunction, cell.outputAlpha, cell.outputBeta, mPtr, VECTOR_BYTES, hiddenSize)
  for (let block = 0; block < blocks; block++) {
    const atPtr = mPtr + block * VECTOR_BYTES
    v128.store(atPtr, f32x4.mul(v128.load(oPtr + block * GATE_STRIDE), v128.load(atPtr)))
  }
  if (cell.projectionPtr) {
    const hPtr = nextHPtr(cell, scratchPtr, hiddenSize)
    gemmF32(mPtr, 0, 0, 1, 0, 1, hiddenSize, cell.projectionPtr, cell.outputSize, hPtr, 0)
    clipRow(hPtr, VECTOR_BYTES, blocksOfUnits(cell.outputSize), cell.projClip)
  }
}

/** gate += weight * c */
function addPeephole(gatePtr: usize, weightPtr: usize, cPtr: usize, blocks: i32): void {
  for (let block = 0; block < blocks; block++) {
    const atPtr = gatePtr + block * GATE_STRIDE
    const term = f32x4.mul(v128.load(weightPtr + block * VECTOR_BYTES), v128.load(cPtr + block * VECTOR_BYTES))
    v128.store(atPtr, f32x4.add(v128.load(atPtr), term))
  }
}

/** to = 1 - from */
function complement(fromPtr: usize, toPtr: usize, blocks: i32): void {
  for (let block = 0; block < blocks; block++) {
    v128.store(toPtr + block * GATE_STRIDE, f32x4.sub(f32x4.splat(1), v128.load(fromPtr + block * GATE_STRIDE)))
  }
}

/** Clamps to +-limit; a limit of 0 is none. */
function clipRow(ptr: usize, strideBytes: i32, blocks: i32, limit: f32): void {
  if (limit == 0) return
  for (let block = 0; block < blocks; block++) {
    const atPtr = ptr + block * strideBytes
    const clamped = f32x4.pmin(f32x4.pmax(v128.load(atPtr), f32x4.splat(-limit)), f32x4.splat(limit))
    v128.store(atPtr, clamped)
  }
}

/** Layer normalisation (Ba et al. 2016) over the units: (x - mean) / sqrt(variance + epsilon) * gain + shift. */
function normalise(cell: Cell, which: i32, ptr: usize, strideBytes: i32, hiddenSize: i32): void {
  const unitsBytes = blocksOfUnits(hiddenSize) * VECTOR_BYTES
  const gainPtr = cell.normPtr + which * 2 * unitsBytes
  const shiftPtr = gainPtr + unitsBytes
  const length = hiddenSize as f64
  let mean: f64 = 0
  for (let n = 0; n < hiddenSize; n++) mean += f32.load(elementPtr(ptr, strideBytes, n))
  mean /= length
  let variance: f64 = 0
  for (let n = 0; n < hiddenSize; n++) {
    const difference = f32.load(elementPtr(ptr, strideBytes, n)) as f64 - mean
    variance += difference * difference
  }
  const scale = 1 / Math.sqrt(variance / length + (cell.normEpsilon as f64))
  for (let n = 0; n < hiddenSize; n++) {
    const atPtr = elementPtr(ptr, strideBytes, n)
    const normal = (f32.load(atPtr) as f64 - mean) * scale
    f32.store(atPtr, (normal * (f32.load(gainPtr + n * 4) as f64) + (f32.load(shiftPtr + n * 4) as f64)) as f32)
  }
}

/** Puts what was made so many steps before in the place of c[t] and h[t], for one row. */
function delayRow(cell: Cell, scratchPtr: usize, hiddenSize: i32, historyPtr: usize): void {
  const strideBytes = (cell.outputSize + hiddenSize) * 4
  const steps = cell.delaySteps
  delay(steps, cell.delayFraction, nextHPtr(cell, scratchPtr, hiddenSize), cell.outputSize, historyPtr, strideBytes)
  delay(steps, cell.delayFraction, scratchPtr, hiddenSize, historyPtr + cell.outputSize * 4, strideBytes)
}

/**
 * RTNeural's sample rate correction: v[t] becomes fraction v[t - steps] + (1 - fraction) v[t - steps + 1], which the next
 * step begins from, steps + fraction after it was made. The history moves on by one.
 */
function delay(steps: i32, fraction: f32, valuePtr: usize, length: i32, historyPtr: usize, strideBytes: i32): void {
  for (let n = 0; n < length; n++) {
    const atPtr = historyPtr + n * 4
    const value = f32.load(valuePtr + n * 4)
    const oldest = f32.load(atPtr)
    for (let step = 1; step < steps; step++) f32.store(atPtr + (step - 1) * strideBytes, f32.load(atPtr + step * strideBytes))
    f32.store(atPtr + (steps - 1) * strideBytes, value)
    f32.store(valuePtr + n * 4, fraction * oldest + (1 - fraction) * f32.load(atPtr))
  }
}

/** Writes state and output of one row, as the mask says. */
function finishRow(
  cell: Cell, scratchPtr: usize, hiddenSize: i32, hPtr: usize, cPtr: usize, heldPtr: usize, yPtr: usize, valid: i32,
): void {
  const outputSize = cell.outputSize
  const hBytes = outputSize * 4
  const fromPtr = nextHPtr(cell, scratchPtr, hiddenSize)
  if (cell.maskRule == MASK_MULTIPLY) {
    const m = valid as f32
    blend(scratchPtr, cPtr, hiddenSize, m)
    blend(fromPtr, hPtr, outputSize, m)
    blend(fromPtr, heldPtr, outputSize, m)
  } else if (valid) {
    copyUnits(scratchPtr, cPtr, hiddenSize)
    copyUnits(fromPtr, hPtr, outputSize)
    copyUnits(fromPtr, heldPtr, outputSize)
  } else if (cell.maskRule == MASK_ZERO) {
    memory.fill(heldPtr, 0, hBytes)
  } else {
    assert(cell.maskRule == MASK_HOLD)
  }
  if (yPtr) memory.copy(yPtr, heldPtr, hBytes)
}

function copyUnits(fromPtr: usize, toPtr: usize, length: i32): void {
  for (let n = 0; n < length; n += UNITS_PER_BLOCK) storeLanes(toPtr + n * 4, v128.load(fromPtr + n * 4), length - n)
}

/** to = from * m + to * (1 - m) */
function blend(fromPtr: usize, toPtr: usize, length: i32, m: f32): void {
  for (let n = 0; n < length; n += UNITS_PER_BLOCK) {
    const fresh = f32x4.mul(v128.load(fromPtr + n * 4), f32x4.splat(m))
    const old = f32x4.mul(v128.load(toPtr + n * 4), f32x4.splat(1 - m))
    storeLanes(toPtr + n * 4, f32x4.add(fresh, old), length - n)
  }
}

/**
 * mask (batch, timesteps) from lengths (batch): 1 for t < length.
 * Returns the first row whose length is not 0 to timesteps, or -1 when all are.
 */
export function maskFromLengths(lengthsPtr: usize, rows: i32, timesteps: i32, maskPtr: usize): i32 {
  for (let row = 0; row < rows; row++) {
    if (i32.load(lengthsPtr + row * 4) as u32 > (timesteps as u32)) return row
  }
  for (let row = 0; row < rows; row++) {
    const length = i32.load(lengthsPtr + row * 4)
    const rowPtr = maskPtr + row * timesteps
    memory.fill(rowPtr, 1, length)
    memory.fill(rowPtr + length, 0, timesteps - length)
  }
  return -1
}

/** Zeros the state rows of sequences without a single valid step (what onnxruntime does with length 0). */
export function zeroEmptyRows(maskPtr: usize, rows: i32, timesteps: i32, statePtr: usize, rowBytes: i32): void {
  for (let row = 0; row < rows; row++) {
    let valid = false
    for (let t = 0; t < timesteps; t++) valid = valid || load<u8>(maskPtr + row * timesteps + t) != 0
    if (!valid) memory.fill(statePtr + row * rowBytes, 0, rowBytes)
  }
}
