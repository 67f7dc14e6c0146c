// Rows of gates, whose vectors of four units lie some bytes apart.
import { UNITS_PER_GROUP } from '../products/layout'

/** Clamps to +-limit; a limit of 0 is none. */
export function clipRow(ptr: usize, strideBytes: i32, groups: i32, limit: f32): void {
  if (limit == 0) return
  for (let group = 0; group < groups; group++) {
    const atPtr = ptr + group * strideBytes
    const clamped = f32x4.pmin(f32x4.pmax(v128.load(atPtr), f32x4.splat(-limit)), f32x4.splat(limit))
    v128.store(atPtr, clamped)
  }
}

/** to += from */
export function addRow(fromPtr: usize, fromStrideBytes: i32, toPtr: usize, toStrideBytes: i32, length: i32): void {
  for (; length > 0; length -= UNITS_PER_GROUP) {
    v128.store(toPtr, f32x4.add(v128.load(toPtr), v128.load(fromPtr)))
    fromPtr += fromStrideBytes
    toPtr += toStrideBytes
  }
}
