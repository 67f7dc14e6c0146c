// Entry point of `lstm-wasm/export`.
export { toNam } from './audio/to-nam.ts'
export { toRtneural, type AudioExportOptions } from './audio/to-rtneural.ts'
export { toKeras } from './keras/to-keras.ts'
export { toOnnx } from './onnx/to-onnx.ts'
export { writeNpz } from './npz.ts'
export { describePytorch, toStateDict, type StateDictOptions } from './pytorch/state-dict.ts'
export type { ExportOptions, ExportSource } from './source.ts'
