/**
 * An N-d box of elements on one side or several, outermost axis first. These fields, then i32s: the sizes of its axes, and for every
 * side the distance in bytes from one element to the next along each axis: (1 + sides, rank). A distance may be 0 (repeat) or
 * negative (backwards).
 */
@unmanaged
export class Box {
  /** 1 or 4. */
  elementBytes: i32
  /** At least 1. */
  rank: i32

  // @ts-ignore: decorator
  @inline
  size(axis: i32): u32 {
    return load<u32>(changetype<usize>(this) + axis * 4, offsetof<Box>())
  }

  // @ts-ignore: decorator
  @inline
  stride(side: i32, axis: i32): i32 {
    return load<i32>(changetype<usize>(this) + ((1 + side) * this.rank + axis) * 4, offsetof<Box>())
  }
}
