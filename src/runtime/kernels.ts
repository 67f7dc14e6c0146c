// What each kernel computes, with shapes and equations, stands above its source in assembly/.
import type { Kernels } from '../contract/kernels.ts'

export type { Kernels } from '../contract/kernels.ts'

/**
 * Which binary runs: `simd` gives the same bits on every engine; `relaxed-simd` is faster where the
 * processor fuses multiply and add, and may differ in the last bits from machine to machine.
 */
export type Variant = 'simd' | 'relaxed-simd'

/** Calls that do not know of each other: those between `begin` and `end` may be made at the same time. */
export interface Together {
  readonly begin: () => void
  readonly end: () => void
}

/** How plans share their work with threads. */
export interface Sharing {
  /** Kernels for a call of so many multiply-adds: where that is too little for threads to pay, they know of none. */
  kernelsFor(multiplyAdds: number): Kernels
  /** Steps around calls of layers that may be made at the same time, each in a workspace of its own. */
  together(multiplyAdds: number, calls: number): Together
}
