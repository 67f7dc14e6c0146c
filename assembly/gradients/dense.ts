import { BLOCK_ROW_BYTES, HEADER_BYTES, Matrix, blocksOfColumns, newMatrix, packedBytes } from '../products/layout'
import { ProductCall } from '../products/gemm'
import { SUM_LENGTH } from '../products/sums'
import { multiplyRows } from './inference'
import { addBlockSums, addWeightProduct, biasOfSums, packTransposed, toBlocks } from './weight-product'

/** Bytes of workspace of `denseBackwardF32`. */
export function denseBackwardBytes(k: i32, columns: i32, rows: i32): f64 {
  const blocks = f64(blocksOfColumns(columns))
  return packedBytes(columns, k) + blocks * (f64(min(rows, SUM_LENGTH)) + 1) * f64(BLOCK_ROW_BYTES)
}

/**
 * Backwards through out (rows, columns) = bias + a (rows, k) @ w, from the gradient d of out:
 *
 *     da = d @ w^T      dw = a^T @ d      dbias = sum of d over the rows
 *
 * w is packed, and so is dw, which is of its size; dbias (columns). Of one step: da lies as a does, d as out. Addresses of what is not wanted are 0.
 * workspacePtr: `denseBackwardBytes` bytes.
 */
export function denseBackwardF32(
  call: ProductCall, w: Matrix, aPtr: usize, dPtr: usize, daPtr: usize, dwPtr: usize, dbiasPtr: usize, workspacePtr: usize,
): void {
  const rows = call.rows
  const aBytes = call.aRowBytes
  const dBytes = call.outRowBytes
  const columns = w.columns
  const blocks = blocksOfColumns(columns)
  const transposed = newMatrix(workspacePtr, columns, w.k)
  if (daPtr) {
    packTransposed(w, transposed)
    multiplyRows(transposed, rows, dPtr, dBytes, daPtr, aBytes, false, 0)
  }
  const biasSumsPtr = workspacePtr + HEADER_BYTES + transposed.blocksBytes
  const blocksPtr = biasSumsPtr + blocks * BLOCK_ROW_BYTES
  if (dwPtr) memory.fill(dwPtr, 0, HEADER_BYTES + w.blocksBytes)
  memory.fill(biasSumsPtr, 0, blocks * BLOCK_ROW_BYTES)
  for (let begin = 0; begin < rows; begin += SUM_LENGTH) {
    const count = min(SUM_LENGTH, rows - begin)
    const apart = count * BLOCK_ROW_BYTES
    toBlocks(count, columns, dPtr + begin * dBytes, dBytes, blocksPtr, apart)
    if (dwPtr) addWeightProduct(w, count, aPtr + begin * aBytes, aBytes, blocksPtr, apart, dwPtr)
    if (dbiasPtr) addBlockSums(blocks, count, blocksPtr, apart, biasSumsPtr)
  }
  if (dbiasPtr) biasOfSums(biasSumsPtr, dbiasPtr, columns, 0, 0)
}
