// Entry point of `lstm-wasm/export`.
export { toKeras } from './keras/to-keras.ts'
export { toOnnx } from './onnx/to-onnx.ts'
export { writeNpz } from './npz.ts'
export { describePytorch, toStateDict, type StateDictOptions } from './pytorch/state-dict.ts'
export type { ExportOptions, ExportSource } from './source.ts'
