// States of sessions that are kept as records, one after the other, and gathered into the rows of a batch.

/** Copies `bytes` bytes, a multiple of 4, vector by vector: a call of memory.copy costs more than a short row. */
// @ts-ignore: decorator
@inline
function copyWords(fromPtr: usize, toPtr: usize, bytes: i32): void {
  let at = 0
  for (; at + 16 <= bytes; at += 16) v128.store(toPtr + at, v128.load(fromPtr + at))
  for (; at < bytes; at += 4) i32.store(toPtr + at, i32.load(fromPtr + at))
}

/**
 * row n = record indices[n], for rowBegin <= n < rowEnd: `rowBytes` bytes (a multiple of 4) from recordsPtr on, where
 * records are `recordBytes` apart, to rowsPtr on, where rows follow each other.
 */
export function gatherRecords(
  indicesPtr: usize, rowBegin: i32, rowEnd: i32, recordsPtr: usize, recordBytes: i32, rowsPtr: usize, rowBytes: i32,
): void {
  assert(rowBytes % 4 == 0)
  for (let n = rowBegin; n < rowEnd; n++) {
    copyWords(recordsPtr + i32.load(indicesPtr + n * 4) * recordBytes, rowsPtr + n * rowBytes, rowBytes)
  }
}

/** The reverse: record indices[n] = row n. */
export function scatterRecords(
  indicesPtr: usize, rowBegin: i32, rowEnd: i32, recordsPtr: usize, recordBytes: i32, rowsPtr: usize, rowBytes: i32,
): void {
  assert(rowBytes % 4 == 0)
  for (let n = rowBegin; n < rowEnd; n++) {
    copyWords(rowsPtr + n * rowBytes, recordsPtr + i32.load(indicesPtr + n * 4) * recordBytes, rowBytes)
  }
}
