/** Copies `rows` rows of `rowBytes` bytes; the rows of either side may lie apart. */
export function copyRows(
  fromPtr: usize, fromRowBytes: i32, toPtr: usize, toRowBytes: i32, rows: i32, rowBytes: i32,
): void {
  for (let row = 0; row < rows; row++) {
    memory.copy(toPtr + row * toRowBytes, fromPtr + row * fromRowBytes, rowBytes)
  }
}

/** `bytes` bytes of zeros. */
export function fillZero(ptr: usize, bytes: i32): void {
  memory.fill(ptr, 0, bytes)
}
