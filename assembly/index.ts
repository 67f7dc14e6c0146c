// The export list of every binary, and nothing else. test/kernels/exports.test.ts freezes it.
export { sigmoidF32, tanhF32, reluF32 } from './elementwise'
export { embeddingF32 } from './embedding'
export { gemmF32 } from './gemm'
export { copyRows, fillZero } from './move'
export { lstmForwardF32, lstmWorkspaceBytes } from './lstm'
export { packDenseF32, packLstmF32, packedDenseBytes, packedLstmBytes } from './pack'
export { softmaxF32 } from './softmax'
