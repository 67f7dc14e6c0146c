// Cells over whole sequences: x (T, B, F), h and c (B, H) before and after, y (T, B, H). Weights of G gates: W (G H, F), U (G H, H),
// bi and bh (G H). Gates are sums of float32 products, everything after them is float64. gates: memory for 2 G H numbers.
import { exp64 } from '../math/power'
import { referenceProduct } from './product'

function sigmoid(x: f64): f64 {
  return 1 / (1 + exp64(-x))
}

function tanh(x: f64): f64 {
  return 1 - 2 / (exp64(2 * x) + 1)
}

function at(ptr: usize, index: i32): f64 {
  return f32.load(ptr + index * 4) as f64
}

function put(ptr: usize, index: i32, value: f64): void {
  f32.store(ptr + index * 4, value as f32)
}

/** to (length) = a + b */
function add(aPtr: usize, bPtr: usize, length: i32, toPtr: usize): void {
  for (let n = 0; n < length; n++) f32.store(toPtr + n * 4, f32.load(aPtr + n * 4) + f32.load(bPtr + n * 4))
}

/** h' = sigmoid(o) tanh(c'), c' = sigmoid(f) c + sigmoid(i) tanh(g), from gates i, f, g, o = (bi + bh) + x W + h U. */
export function referenceLstm(
  T: i32, B: i32, F: i32, H: i32, xPtr: usize, wPtr: usize, uPtr: usize, biPtr: usize, bhPtr: usize, hPtr: usize, cPtr: usize, yPtr: usize,
  gatesPtr: usize,
): void {
  for (let t = 0; t < T; t++) {
    for (let b = 0; b < B; b++) {
      const stateAt = b * H
      add(biPtr, bhPtr, 4 * H, gatesPtr)
      referenceProduct(1, F, 4 * H, xPtr + (t * B + b) * F * 4, wPtr, gatesPtr, gatesPtr)
      referenceProduct(1, H, 4 * H, hPtr + stateAt * 4, uPtr, gatesPtr, gatesPtr)
      for (let unit = 0; unit < H; unit++) {
        const i = sigmoid(at(gatesPtr, unit))
        const f = sigmoid(at(gatesPtr, H + unit))
        const g = tanh(at(gatesPtr, 2 * H + unit))
        const o = sigmoid(at(gatesPtr, 3 * H + unit))
        const c = f * at(cPtr, stateAt + unit) + i * g
        put(cPtr, stateAt + unit, c)
        put(hPtr, stateAt + unit, o * tanh(c))
      }
    }
    memory.copy(yPtr + t * B * H * 4, hPtr, B * H * 4)
  }
}

/** h' = (1 - z) n + z h, n = tanh(bin + x Wn + r (bhn + h Un)); with `resetBefore`, n = tanh(bin + x Wn + (bhn + (r h) Un)). */
export function referenceGru(
  T: i32, B: i32, F: i32, H: i32, xPtr: usize, wPtr: usize, uPtr: usize, biPtr: usize, bhPtr: usize, hPtr: usize, yPtr: usize,
  gatesPtr: usize, resetBefore: bool,
): void {
  const ofHPtr = gatesPtr + 3 * H * 4
  for (let t = 0; t < T; t++) {
    for (let b = 0; b < B; b++) {
      const rowPtr = hPtr + b * H * 4
      const toPtr = yPtr + (t * B + b) * H * 4
      referenceProduct(1, F, 3 * H, xPtr + (t * B + b) * F * 4, wPtr, biPtr, gatesPtr)
      referenceProduct(1, H, 3 * H, rowPtr, uPtr, bhPtr, ofHPtr)
      if (resetBefore) {
        for (let unit = 0; unit < H; unit++) put(toPtr, unit, sigmoid(at(gatesPtr, unit) + at(ofHPtr, unit)) * at(rowPtr, unit))
        referenceProduct(1, H, H, toPtr, uPtr + 2 * H * H * 4, bhPtr + 2 * H * 4, ofHPtr + 2 * H * 4)
      }
      for (let unit = 0; unit < H; unit++) {
        const r = resetBefore ? 1 : sigmoid(at(gatesPtr, unit) + at(ofHPtr, unit))
        const z = sigmoid(at(gatesPtr, H + unit) + at(ofHPtr, H + unit))
        const n = tanh(at(gatesPtr, 2 * H + unit) + r * at(ofHPtr, 2 * H + unit))
        put(toPtr, unit, (1 - z) * n + z * at(rowPtr, unit))
      }
    }
    memory.copy(hPtr, yPtr + t * B * H * 4, B * H * 4)
  }
}

/** h' = tanh((bi + bh) + x W + h U). */
export function referenceRnn(
  T: i32, B: i32, F: i32, H: i32, xPtr: usize, wPtr: usize, uPtr: usize, biPtr: usize, bhPtr: usize, hPtr: usize, yPtr: usize, gatesPtr: usize,
): void {
  for (let t = 0; t < T; t++) {
    for (let b = 0; b < B; b++) {
      const rowPtr = hPtr + b * H * 4
      add(biPtr, bhPtr, H, gatesPtr)
      referenceProduct(1, F, H, xPtr + (t * B + b) * F * 4, wPtr, gatesPtr, gatesPtr)
      referenceProduct(1, H, H, rowPtr, uPtr, gatesPtr, gatesPtr)
      for (let unit = 0; unit < H; unit++) put(rowPtr, unit, tanh(at(gatesPtr, unit)))
    }
    memory.copy(yPtr + t * B * H * 4, hPtr, B * H * 4)
  }
}
