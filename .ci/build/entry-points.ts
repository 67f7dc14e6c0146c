/** What can be imported besides the package itself, but for the processor: `lstm-wasm/layers`, ... */
export const ENTRY_POINTS: Readonly<Record<string, string>> = {
  layers: 'src/layers/index.ts',
  operators: 'src/operators.ts',
  streams: 'src/streams/index.ts',
  quantization: 'src/quantization/index.ts',
  export: 'src/export/index.ts',
  worklet: 'src/worklet/index.ts',
  npy: 'src/readers/npy.ts',
  safetensors: 'src/readers/safetensors.ts',
  onnx: 'src/readers/onnx.ts',
  keras: 'src/readers/keras.ts',
  tfjs: 'src/readers/tfjs.ts',
  torch: 'src/readers/torch.ts',
  tensorflow1: 'src/readers/tensorflow1.ts',
  rtneural: 'src/readers/rtneural.ts',
  nam: 'src/readers/nam.ts',
  tesseract: 'src/readers/tesseract.ts',
}
