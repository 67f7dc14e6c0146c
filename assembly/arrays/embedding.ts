/**
 * out (length, width) = table[index[n]], one row a lookup.
 * Returns the position of the first index outside 0 <= index < tableRows, or -1 when there is none;
 * all indices are checked before the first row is written.
 */
export function embeddingF32(
  indexPtr: usize, begin: i32, end: i32, tablePtr: usize, tableRows: i32, width: i32, outPtr: usize,
): i32 {
  const bad = firstOutside(indexPtr, begin, end, tableRows)
  if (bad >= 0) return bad
  const rowBytes = width * 4
  for (let n = begin; n < end; n++) {
    memory.copy(outPtr + n * rowBytes, tablePtr + i32.load(indexPtr + n * 4) * rowBytes, rowBytes)
  }
  return -1
}

/**
 * The same with a table of 8 bits: out[n] = scale[index[n]] q[index[n]], integers (tableRows, width) at tablePtr, scales (tableRows) at
 * scalePtr.
 */
export function embeddingI8(
  indexPtr: usize, begin: i32, end: i32, tablePtr: usize, scalePtr: usize, tableRows: i32, width: i32, outPtr: usize,
): i32 {
  const bad = firstOutside(indexPtr, begin, end, tableRows)
  if (bad >= 0) return bad
  for (let n = begin; n < end; n++) {
    const row = i32.load(indexPtr + n * 4)
    const scale = f32.load(scalePtr + row * 4)
    const fromPtr = tablePtr + row * width
    const toPtr = outPtr + n * width * 4
    for (let i = 0; i < width; i++) f32.store(toPtr + i * 4, f32(load<i8>(fromPtr + i)) * scale)
  }
  return -1
}

function firstOutside(indexPtr: usize, begin: i32, end: i32, tableRows: i32): i32 {
  for (let n = begin; n < end; n++) {
    if (i32.load(indexPtr + n * 4) as u32 >= (tableRows as u32)) return n
  }
  return -1
}
