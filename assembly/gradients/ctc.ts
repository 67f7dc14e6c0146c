// Connectionist temporal classification (Graves, Fernández, Gomez and Schmidhuber 2006): forward and backward over all alignments, in logarithms,
// float64.
import { exp64, log64 } from './inference'

/** Numbers of the loss. */
@unmanaged
export class CtcCall {
  rows: i32
  steps: i32
  /** Classes, the blank among them. */
  columns: i32
  /** Labels of a row at most. */
  labels: i32
  blank: i32
  /** 1: the loss of a row is divided by its labels, at least 1. */
  perLabel: i32
  /** 1: a row that no alignment fits has a loss of 0, or else Infinity. */
  zeroInfinity: i32
}

/** log(e^a + e^b) */
// @ts-ignore: decorator
@inline
function logAdd(a: f64, b: f64): f64 {
  const most = max(a, b)
  if (most == -Infinity) return most
  return most + log64(1 + exp64(min(a, b) - most))
}

/** The class of a place in blank, label, blank, label, ..., blank. */
// @ts-ignore: decorator
@inline
function classOf(place: i32, labelsPtr: usize, blank: i32): i32 {
  return place & 1 ? i32.load(labelsPtr + (place >> 1) * 4) : blank
}

/** Whether an alignment may come to a place from two before: over the blank between labels that differ. */
// @ts-ignore: decorator
@inline
function skips(place: i32, labelsPtr: usize): bool {
  return place > 1 && (place & 1) != 0 && i32.load(labelsPtr + (place >> 1) * 4) != i32.load(labelsPtr + (place >> 1) * 4 - 4)
}

/**
 * losses[r] = -log of the probability of the labels of row r, over all alignments, of the softmax of the logits; gradient: by the logits, 0 past the row's
 * steps, and all over where no alignment fits.
 *
 * logits, gradient: (rows, steps, columns). labels: (rows, labels) int32; stepCounts and labelCounts: (rows) int32, how many of each a row has.
 * @param workspacePtr 8 (steps (2 labels + 2) + 2 (2 labels + 1) + columns) bytes, of the most steps and labels
 * Returns the first row with a label that is no class or the blank, or with more steps or labels than there are, or none of the former; or -1.
 */
export function ctcF32(
  call: CtcCall, logitsPtr: usize, labelsPtr: usize, stepCountsPtr: usize, labelCountsPtr: usize, lossesPtr: usize, gradientPtr: usize, workspacePtr: usize,
): i32 {
  const columns = call.columns
  const blank = call.blank
  for (let row = 0; row < call.rows; row++) {
    const steps = i32.load(stepCountsPtr + row * 4)
    const count = i32.load(labelCountsPtr + row * 4)
    const rowLabelsPtr = labelsPtr + row * call.labels * 4
    if (steps < 1 || steps > call.steps || count < 0 || count > call.labels) return row
    for (let n = 0; n < count; n++) {
      const label = i32.load(rowLabelsPtr + n * 4)
      if (<u32>label >= <u32>columns || label == blank) return row
    }
    const rowPtr = logitsPtr + row * call.steps * columns * 4
    const toPtr = gradientPtr + row * call.steps * columns * 4
    memory.fill(toPtr, 0, call.steps * columns * 4)
    const loss = alignments(rowPtr, toPtr, rowLabelsPtr, steps, columns, count, blank, workspacePtr, call.perLabel ? 1 / max(count, 1) as f64 : 1)
    f32.store(lossesPtr + row * 4, f32(loss == Infinity && call.zeroInfinity ? 0 : loss))
  }
  return -1
}

/** The loss of one row, and its gradient, both times `scale`. */
function alignments(
  rowPtr: usize, toPtr: usize, labelsPtr: usize, steps: i32, columns: i32, count: i32, blank: i32, workspacePtr: usize, scale: f64,
): f64 {
  const places = 2 * count + 1
  // log(sum of e^logit) of each step; alpha (steps, places); beta of two steps (places); classes (columns).
  const sumsPtr = workspacePtr
  const alphaPtr = sumsPtr + steps * 8
  let betaPtr = alphaPtr + steps * places * 8
  let nextPtr = betaPtr + places * 8
  // What the classes of one step come to.
  const classesPtr = nextPtr + places * 8
  for (let t = 0; t < steps; t++) {
    const xPtr = rowPtr + t * columns * 4
    let highest: f32 = -Infinity
    for (let c = 0; c < columns; c++) highest = max(highest, f32.load(xPtr + c * 4))
    let sum: f64 = 0
    for (let c = 0; c < columns; c++) sum += exp64((f32.load(xPtr + c * 4) as f64) - (highest as f64))
    const logSum = (highest as f64) + log64(sum)
    f64.store(sumsPtr + t * 8, logSum)
    const nowPtr = alphaPtr + t * places * 8
    for (let s = 0; s < places; s++) {
      let before: f64 = -Infinity
      if (t == 0) {
        if (s < 2) before = 0
      } else {
        const lastPtr = nowPtr - places * 8 + s * 8
        before = f64.load(lastPtr)
        if (s > 0) before = logAdd(before, f64.load(lastPtr - 8))
        if (skips(s, labelsPtr)) before = logAdd(before, f64.load(lastPtr - 16))
      }
      f64.store(nowPtr + s * 8, before + (f32.load(xPtr + classOf(s, labelsPtr, blank) * 4) as f64) - logSum)
    }
  }
  const endPtr = alphaPtr + (steps * places - 1) * 8
  let total = f64.load(endPtr)
  if (places > 1) total = logAdd(total, f64.load(endPtr - 8))
  if (total == -Infinity) return Infinity
  // beta[t, s]: what follows step t from place s on, step t itself left out.
  for (let t = steps - 1; t >= 0; t--) {
    const xPtr = rowPtr + t * columns * 4
    const gPtr = toPtr + t * columns * 4
    const logSum = f64.load(sumsPtr + t * 8)
    for (let c = 0; c < columns; c++) f64.store(classesPtr + c * 8, exp64((f32.load(xPtr + c * 4) as f64) - logSum))
    for (let s = 0; s < places; s++) {
      let after: f64 = -Infinity
      if (t == steps - 1) {
        if (s >= places - 2) after = 0
      } else {
        after = f64.load(nextPtr + s * 8)
        if (s + 1 < places) after = logAdd(after, f64.load(nextPtr + s * 8 + 8))
        if (s + 2 < places && skips(s + 2, labelsPtr)) after = logAdd(after, f64.load(nextPtr + s * 8 + 16))
      }
      const part = f64.load(alphaPtr + (t * places + s) * 8) + after - total
      const ptr = classesPtr + classOf(s, labelsPtr, blank) * 8
      f64.store(ptr, f64.load(ptr) - exp64(part))
      f64.store(betaPtr + s * 8, after + (f32.load(xPtr + classOf(s, labelsPtr, blank) * 4) as f64) - logSum)
    }
    for (let c = 0; c < columns; c++) f32.store(gPtr + c * 4, f32(scale * f64.load(classesPtr + c * 8)))
    const swapPtr = betaPtr
    betaPtr = nextPtr
    nextPtr = swapPtr
  }
  return -total * scale
}
