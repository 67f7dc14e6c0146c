/** Kinds of elements. A bool is a uint8 that is 0 or 1. */
export const enum ElementKind {
  float32 = 0,
  int32 = 1,
  uint8 = 2,
  bool = 3,
}

/**
 * to[n] = from[n] as another kind of element, elements begin to end. float32 becomes a whole number by
 * truncation, as large as the kind allows, NaN 0; int32 becomes uint8 modulo 256; bool is 1 for
 * everything but zero. `fromKind` is not bool.
 */
export function castElements(fromPtr: usize, fromKind: i32, toPtr: usize, toKind: i32, begin: i32, end: i32): void {
  assert(fromKind >= ElementKind.float32 && fromKind <= ElementKind.uint8 && toKind >= ElementKind.float32 && toKind <= ElementKind.bool)
  for (let n = begin; n < end; n++) {
    if (fromKind == ElementKind.float32) {
      const value = f32.load(fromPtr + n * 4)
      if (toKind == ElementKind.float32) f32.store(toPtr + n * 4, value)
      else if (toKind == ElementKind.int32) i32.store(toPtr + n * 4, i32x4.extract_lane(i32x4.trunc_sat_f32x4_s(f32x4.splat(value)), 0))
      else if (toKind == ElementKind.uint8) i32.store8(toPtr + n, min<u32>(i32x4.extract_lane(i32x4.trunc_sat_f32x4_u(f32x4.splat(value)), 0), 255))
      else i32.store8(toPtr + n, i32(value != 0))
    } else {
      const value = fromKind == ElementKind.int32 ? i32.load(fromPtr + n * 4) : i32.load8_u(fromPtr + n)
      if (toKind == ElementKind.float32) f32.store(toPtr + n * 4, f32(value))
      else if (toKind == ElementKind.int32) i32.store(toPtr + n * 4, value)
      else if (toKind == ElementKind.uint8) i32.store8(toPtr + n, value)
      else i32.store8(toPtr + n, i32(value != 0))
    }
  }
}
