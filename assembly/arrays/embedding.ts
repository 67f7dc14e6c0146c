/**
 * out (length, width) = table[index[n]], one row a lookup.
 * Returns the position of the first index outside 0 <= index < tableRows, or -1 when there is none;
 * all indices are checked before the first row is written.
 */
export function embeddingF32(
  indexPtr: usize, begin: i32, end: i32, tablePtr: usize, tableRows: i32, width: i32, outPtr: usize,
): i32 {
  for (let n = begin; n < end; n++) {
    if (i32.load(indexPtr + n * 4) as u32 >= (tableRows as u32)) return n
  }
  const rowBytes = width * 4
  for (let n = begin; n < end; n++) {
    memory.copy(outPtr + n * rowBytes, tablePtr + i32.load(indexPtr + n * 4) * rowBytes, rowBytes)
  }
  return -1
}
