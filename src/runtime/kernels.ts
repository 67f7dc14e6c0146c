// What each kernel computes, with shapes and equations, stands above its source in assembly/.
export type { Kernels } from '../contract/kernels.ts'

/**
 * Which binary runs: `simd` gives the same bits on every engine; `relaxed-simd` is faster where the
 * processor fuses multiply and add, and may differ in the last bits from machine to machine.
 */
export type Variant = 'simd' | 'relaxed-simd'
