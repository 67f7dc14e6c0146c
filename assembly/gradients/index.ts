// The export list of the binaries for training, and nothing else: loaded by lstm-wasm/training alone, on the memory of the others.
export { contractStamp } from '../stamp'
export { ctcF32 } from './ctc'
export { crossEntropyF32, elementLossF32, signalRatioF32, sparseCrossEntropyF32 } from './losses'
export { adamStep, clipF32, rmspropStep, scaleRangeF32, sgdStep, sumOfSquaresF32 } from './optimizers'
export { denseBackwardBytes, denseBackwardF32 } from './dense'
export { addF32 } from './recurrent/layer'
export { lstmBackwardBytes, lstmBackwardF32, lstmFinalStates, lstmKeepF32, lstmKeepWorkspaceBytes } from './recurrent/lstm'
export { setBias, unpackWeights } from './weight-product'
