// Entry point of `lstm-wasm/relaxed`.
export { relaxedSimd } from './runtime/relaxed-simd.ts'
