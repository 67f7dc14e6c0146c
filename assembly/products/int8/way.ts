// Which way the products of 8 bits go here. The dot of four bytes is said to take 7 bits of its second operand: what it makes of the eighth
// is the engine's choice, made once. Where that is exact, one dot does: docs/kernels.md, "Eight bits".
import { HAS_DOT, dot } from '../../simd'
import { INT8_SIGNED, INT8_UNSIGNED, INT8_WIDE } from './layout'

/** Bytes of both operands for the probe; read from memory, so that no compiler knows the result: 16 weights, then 16 activations. */
const PROBE: usize = memory.data<u8>([
  127, 127, 127, 127, 129, 129, 129, 129, 127, 129, 127, 129, 1, 255, 90, 178,
  255, 255, 255, 255, 255, 255, 255, 255, 128, 127, 0, 255, 254, 3, 129, 85,
])

/**
 * How matrices of 8 bits are packed here, found by trying: 1 for bytes and a dot that takes activations plus 128, 2 for bytes and a dot that
 * takes them as they are, 3 for 16 bits. Sums that are cut, or added with 16 bits in between, would show.
 * `hasLeast`: whether a weight is -128. Four products of it by -128 are what the tiers of one engine with a signed dot differ in.
 */
export function int8Kind(hasLeast: i32): i32 {
  if (!HAS_DOT) return INT8_WIDE
  const sums = dot(v128.load(PROBE), v128.load(PROBE, 16), i32x4.splat(3))
  if (isExact(sums, true)) return INT8_UNSIGNED
  return !hasLeast && isExact(sums, false) ? INT8_SIGNED : INT8_WIDE
}

/** Whether the sums are 3 plus the products of the bytes one by one, the second operand unsigned or signed. */
function isExact(sums: v128, isUnsigned: bool): bool {
  let right = i32x4.splat(0)
  for (let lane = 0; lane < 4; lane++) {
    let sum = 3
    for (let n = 4 * lane; n < 4 * lane + 4; n++) {
      const a = isUnsigned ? i32(load<u8>(PROBE + n, 16)) : i32(load<i8>(PROBE + n, 16))
      sum += i32(load<i8>(PROBE + n)) * a
    }
    // Lanes move down by one, the new one comes last: after four, they are in order.
    right = i32x4.replace_lane(v128.shuffle<i32>(right, right, 1, 2, 3, 0), 3, sum)
  }
  return v128.all_true<i32>(i32x4.eq(sums, right)) as bool
}
