// Element by element, out may be in. Allocations are padded to whole vectors, so these kernels work
// in vectors to the end: the lanes past `length` are read and written inside the padding.
import { sigmoid, tanh } from './exponential'

/** out[n] = 1 / (1 + e^-in[n]); at most 2 ULP from the correctly rounded value, in every binary. */
export function sigmoidF32(inPtr: usize, outPtr: usize, length: i32): void {
  for (let n = 0; n < length; n += 4) v128.store(outPtr + n * 4, sigmoid(v128.load(inPtr + n * 4)))
}

/** out[n] = tanh(in[n]); at most 2 ULP from the correctly rounded value, in every binary. */
export function tanhF32(inPtr: usize, outPtr: usize, length: i32): void {
  for (let n = 0; n < length; n += 4) v128.store(outPtr + n * 4, tanh(v128.load(inPtr + n * 4)))
}

/** out[n] = max(0, in[n]); NaN stays NaN. */
export function reluF32(inPtr: usize, outPtr: usize, length: i32): void {
  const zero = f32x4.splat(0)
  // pmax(x, 0) is x < 0 ? 0 : x, so NaN passes.
  for (let n = 0; n < length; n += 4) v128.store(outPtr + n * 4, f32x4.pmax(v128.load(inPtr + n * 4), zero))
}
