import { Matrix } from '../products/layout'
import { multiply } from '../products/product'
import { updateCells } from './lstm-update'
import { Recurrence, recur } from './recurrence'

/**
 * The LSTM without options but clips:
 *
 *     [i f g o] = bias + x[t] @ W + h[t-1] @ U       (one accumulation, in this order; clamped to +-clip)
 *     c[t] = sigmoid(f) * c[t-1] + sigmoid(i) * tanh(g)       (clamped to +-cellClip)
 *     h[t] = sigmoid(o) * tanh(c[t])
 */
@unmanaged
export class LstmCell {
  /** Gates i, f, g, o side by side: see products/layout.ts. */
  inputWeights: Matrix
  recurrentWeights: Matrix
  hiddenSize: i32
  /** Gates are clamped to +-clip before activation (ONNX clip); 0: not. */
  clip: f32
  /** c is clamped, and stored so (TensorFlow 1 cell_clip); 0: not. */
  cellClip: f32

  // @ts-ignore: decorator
  @inline
  get cellSize(): i32 {
    return this.hiddenSize
  }

  // @ts-ignore: decorator
  @inline
  get finishes(): bool {
    return true
  }

  /**
   * Step t of all rows. gates: bias + x @ W, `gatesBytes` apart, which are overwritten; next c is c where the step
   * finishes, and padded rows elsewhere; h (rows, outputSize), rows `hBytes` apart; next h, rows `nextHBytes` apart, may be h itself.
   * extra: workspace, as many bytes as the gates.
   */
  // @ts-ignore: decorator
  @inline
  step(
    rows: i32, t: i32, isAtRest: bool, gatesPtr: usize, gatesBytes: i32, extraPtr: usize, panelPtr: usize, cPtr: usize, nextCPtr: usize,
    hPtr: usize, hBytes: i32, nextHPtr: usize, nextHBytes: i32,
  ): void {
    if (!isAtRest) multiply(this.recurrentWeights, 1, rows, hPtr, 0, hBytes, gatesPtr, gatesBytes, true, panelPtr, t)
    updateCells(rows, this.hiddenSize, this.clip, this.cellClip, 0, gatesPtr, gatesBytes, extraPtr, cPtr, nextCPtr, nextHPtr, nextHBytes)
  }
}

/** An LSTM without options but clips over a sequence, an `LstmCell`: see `recur`. */
export function lstmForwardF32(
  call: Recurrence, xPtr: usize, hPtr: usize, cPtr: usize, yPtr: usize, maskPtr: usize, pastPtr: usize, workspacePtr: usize,
): void {
  recur(changetype<LstmCell>(call.cellPtr), call, xPtr, hPtr, cPtr, yPtr, maskPtr, pastPtr, workspacePtr)
}
