// Entry point of `lstm-wasm/quantization`.
export { quantize, type Quantized, type QuantizeOptions } from './quantize.ts'
export { formatReport, type LayerReport, type OutputChange, type QuantizationReport } from './report.ts'
