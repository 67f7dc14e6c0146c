// Records of calls of products, in an arena.
import { ProductCall } from '../../src/contract/products/gemm.ts'
import type { RecordPointer, RecordValues } from '../../src/values/record.ts'
import type { Arena } from './arena.ts'

/** One step of rows (rows, k) and (rows, columns) that lie beside each other; `other`: where they do not. */
export function placeProduct(
  room: Arena, rows: number, k: number, columns: number, other: Partial<RecordValues<typeof ProductCall>> = {},
): RecordPointer<typeof ProductCall> {
  return room.record(ProductCall, { steps: 1, rows, aStepBytes: 0, aRowBytes: k * 4, outRowBytes: columns * 4, ...other })
}
