/** Binaries that can be imported as modules, `lstm-wasm/NAME.wasm`: those of inference, and what training adds to each. */
export const WASM_FILES: readonly string[] = ['simd', 'relaxed-simd', 'gradients-simd', 'gradients-relaxed-simd']
