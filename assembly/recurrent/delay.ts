// RTNeural's sample rate correction: a state that goes into the next step late.

/**
 * Puts what was made so many steps before in the place of h (outputSize) and c (cellSize), for one row.
 * history (steps, outputSize + cellSize): h and c of the steps before, the oldest first.
 */
export function delayState(
  steps: i32, fraction: f32, hPtr: usize, outputSize: i32, cPtr: usize, cellSize: i32, historyPtr: usize,
): void {
  const strideBytes = (outputSize + cellSize) * 4
  delay(steps, fraction, hPtr, outputSize, historyPtr, strideBytes)
  delay(steps, fraction, cPtr, cellSize, historyPtr + outputSize * 4, strideBytes)
}

/**
 * v[t] becomes fraction v[t - steps] + (1 - fraction) v[t - steps + 1], which the next step begins from, steps + fraction after it
 * was made. The history moves on by one.
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
