import { SUM_LENGTH } from '../products/sums'

/**
 * out (rows, columns) = init + a (rows, k) @ weight (columns, k) transposed. init (columns) is the same for all rows; or, where
 * initPtr is outPtr, each row's own. In the order of every product: init, plus the sum over k < 128, plus the sum over 128 <= k < 256,
 * and so on, each from 0 in ascending k. So simd.wasm and debug.wasm give these very bits.
 */
export function referenceProduct(rows: i32, k: i32, columns: i32, aPtr: usize, weightPtr: usize, initPtr: usize, outPtr: usize): void {
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const toPtr = outPtr + (row * columns + column) * 4
      let total: f32 = initPtr == outPtr ? f32.load(toPtr) : initPtr ? f32.load(initPtr + column * 4) : 0
      for (let begin = 0; begin < k; begin += SUM_LENGTH) {
        let sum: f32 = 0
        for (let n = begin; n < min(k, begin + SUM_LENGTH); n++) sum += f32.load(aPtr + (row * k + n) * 4) * f32.load(weightPtr + (column * k + n) * 4)
        total += sum
      }
      f32.store(toPtr, total)
    }
  }
}
