// Entry point of `lstm-wasm/operators`.

/**
 * The operators of imported models, which `load` and `compile` load by themselves when a model needs them; for places that
 * forbid dynamic imports, and for `lstm-wasm/core`: `load(source, { operators })`.
 */
export { addAllOperators as operators } from './ops/all.ts'
