// Rows of any length, in vectors: what is past a row's end adds nothing.

/** Four elements of a row from `n` on; past the row's end -Infinity. */
// @ts-ignore: decorator
@inline
export function loadRow(rowPtr: usize, n: i32, columns: i32): v128 {
  let value = v128.load(rowPtr + n * 4)
  const left = columns - n
  if (left < 2) value = f32x4.replace_lane(value, 1, -Infinity)
  if (left < 3) value = f32x4.replace_lane(value, 2, -Infinity)
  if (left < 4) value = f32x4.replace_lane(value, 3, -Infinity)
  return value
}

/** The largest number of a row. */
// @ts-ignore: decorator
@inline
export function highestOf(rowPtr: usize, columns: i32): f32 {
  let highest: f32 = -Infinity
  for (let n = 0; n < columns; n++) highest = max(highest, f32.load(rowPtr + n * 4))
  return highest
}
