// Entry point of `lstm-wasm/export`.
export { toKeras } from './keras/to-keras.ts'
export { toOnnx } from './onnx/to-onnx.ts'
export type { ExportOptions, ExportSource } from './source.ts'
