/**
 * Which binary runs: `simd` gives the same bits on every engine; `relaxed-simd` is faster where the
 * processor fuses multiply and add, and may differ in the last bits from machine to machine.
 */
export type Variant = 'simd' | 'relaxed-simd'

/**
 * The functions every binary exports: pointers and sizes in, nothing kept. What each one computes,
 * with shapes and equations, stands above its source in `assembly/`. Byte strides end in `Bytes`.
 */
export interface Kernels {
  readonly copyRows: (fromPtr: number, fromRowBytes: number, toPtr: number, toRowBytes: number, rows: number, rowBytes: number) => void
  readonly fillZero: (ptr: number, bytes: number) => void
  readonly activateF32: (code: number, alpha: number, beta: number, inPtr: number, outPtr: number, length: number) => void
  readonly sigmoidF32: (inPtr: number, outPtr: number, length: number) => void
  readonly tanhF32: (inPtr: number, outPtr: number, length: number) => void
  readonly reluF32: (inPtr: number, outPtr: number, length: number) => void
  readonly softmaxF32: (inPtr: number, outPtr: number, rowBegin: number, rowEnd: number, columns: number) => void
  readonly embeddingF32: (
    indexPtr: number, begin: number, end: number, tablePtr: number, tableRows: number, width: number, outPtr: number,
  ) => number
  readonly gemmF32: (
    aPtr: number, aRowBytes: number, aStepBytes: number, rowsPerStep: number, rowBegin: number, rowEnd: number, k: number,
    packedPtr: number, columns: number, outPtr: number, outRowBytes: number,
  ) => void
  readonly lstmForwardF32: (
    callPtr: number, cellPtr: number, xPtr: number, hPtr: number, cPtr: number, yPtr: number, workspacePtr: number,
  ) => void
  readonly lstmGeneralF32: (
    callPtr: number, cellPtr: number, xPtr: number, hPtr: number, cPtr: number, yPtr: number, maskPtr: number, heldPtr: number,
    historyPtr: number, workspacePtr: number,
  ) => void
  readonly maskFromLengths: (lengthsPtr: number, rows: number, timesteps: number, maskPtr: number) => number
  readonly zeroEmptyRows: (maskPtr: number, rows: number, timesteps: number, statePtr: number, rowBytes: number) => void
  readonly recurrentChunkSteps: (rows: number, timesteps: number, inputSize: number, hiddenSize: number, gates: number) => number
  readonly recurrentWorkspaceBytes: (
    rows: number, chunkSteps: number, inputSize: number, hiddenSize: number, outputSize: number, gates: number,
  ) => number
  readonly packDenseF32: (packedPtr: number, weightPtr: number, biasPtr: number, k: number, columns: number) => void
  readonly packGatesF32: (
    packedPtr: number, weightPtr: number, biasPtr: number, secondBiasPtr: number, k: number, hiddenSize: number, gates: number,
    forgetBias: number,
  ) => void
  readonly packedDenseBytes: (k: number, columns: number) => number
  readonly packedGatesBytes: (k: number, hiddenSize: number, gates: number) => number
  readonly stridedCopy: (
    fromPtr: number, toPtr: number, descriptorPtr: number, rank: number, elementBytes: number, rowBegin: number, rowEnd: number,
  ) => void
  readonly stridedSelect: (
    conditionPtr: number, xPtr: number, yPtr: number, toPtr: number, descriptorPtr: number, rank: number, elementBytes: number,
    rowBegin: number, rowEnd: number,
  ) => void
  readonly findBadIndex: (indexPtr: number, length: number, size: number) => number
  readonly gatherRows: (
    indexPtr: number, length: number, fromPtr: number, size: number, rowBytes: number, toPtr: number, outerBegin: number, outerEnd: number,
  ) => void
  readonly gatherElements: (
    indexPtr: number, fromPtr: number, toPtr: number, descriptorPtr: number, rank: number, elementBytes: number,
    size: number, axisBytes: number, begin: number, end: number,
  ) => void
  readonly scatterElements: (
    code: number, isInt: number, indexPtr: number, fromPtr: number, toPtr: number, descriptorPtr: number, rank: number, elementBytes: number,
    size: number, axisBytes: number, begin: number, end: number,
  ) => void
  readonly topK: (
    smallest: number, isInt: number, inPtr: number, outer: number, length: number, inner: number, k: number, valuesPtr: number,
    indicesPtr: number, workspacePtr: number,
  ) => void
  readonly placeOneHot: (
    indexPtr: number, begin: number, end: number, depth: number, inner: number, valuePtr: number, toPtr: number, elementBytes: number,
  ) => void
  readonly reverseSequence: (
    fromPtr: number, toPtr: number, lengthsPtr: number, rows: number, timesteps: number,
    rowStride: number, timeStride: number, stepBytes: number,
  ) => number
  readonly castElements: (fromPtr: number, fromKind: number, toPtr: number, toKind: number, begin: number, end: number) => void
  readonly broadcastBinary: (
    code: number, aPtr: number, aOuterBytes: number, aRowBytes: number, aBytes: number, bPtr: number, bOuterBytes: number,
    bRowBytes: number, bBytes: number, outPtr: number, outer: number, rows: number, length: number,
  ) => void
  readonly packStridedF32: (
    packedPtr: number, weightPtr: number, biasPtr: number, outer: number, inner: number, columns: number, outerBytes: number,
    innerBytes: number, columnBytes: number,
  ) => void
  readonly transposeF32: (
    inPtr: number, inStrideBytes: number, outPtr: number, outStrideBytes: number, count: number, rows: number,
    columns: number,
  ) => void
  readonly scaleF32: (ptr: number, factor: number, length: number) => void
  readonly logSoftmaxF32: (inPtr: number, outPtr: number, rowBegin: number, rowEnd: number, columns: number) => void
  readonly reduceF32: (
    code: number, finishing: number, count: number, inPtr: number, outPtr: number, outer: number, length: number,
    inner: number,
  ) => void
  readonly reduceI32: (code: number, inPtr: number, outPtr: number, outer: number, length: number, inner: number) => void
  readonly cumSum: (
    isInt: number, exclusive: number, reverse: number, inPtr: number, outPtr: number, outer: number, length: number, inner: number,
  ) => void
  readonly argF32: (
    least: number, last: number, isInt: number, inPtr: number, outPtr: number, outer: number, length: number, inner: number,
  ) => void
  readonly convolveF32: (
    xPtr: number, height: number, width: number, channels: number, xPixelBytes: number, packedPtr: number, columns: number,
    windowHeight: number, windowWidth: number, strideRows: number, strideColumns: number, padTop: number, padLeft: number,
    dilationRows: number, dilationColumns: number, outPtr: number, outHeight: number, outWidth: number,
    outPixelBytes: number, workspacePtr: number,
  ) => void
  readonly convolveWorkspaceBytes: (rows: number, k: number) => number
  readonly scatterF32: (
    productsPtr: number, length: number, window: number, channels: number, stride: number, dilation: number, pad: number,
    biasPtr: number, outPtr: number, outLength: number, outPixelBytes: number,
  ) => void
  readonly poolF32: (
    average: number, countPad: number, inPtr: number, outPtr: number, planes: number, height: number, width: number,
    inner: number, windowHeight: number, windowWidth: number, strideRows: number, strideColumns: number, padTop: number,
    padLeft: number, padBottom: number, padRight: number, dilationRows: number, dilationColumns: number, outHeight: number,
    outWidth: number,
  ) => void
  readonly normalizeF32: (
    centred: number, inPtr: number, outPtr: number, rows: number, columns: number, epsilon: number, scalePtr: number,
    biasPtr: number, channels: number,
  ) => void
  readonly batchNormF32: (
    inPtr: number, outPtr: number, outer: number, channels: number, inner: number, epsilon: number, scalePtr: number,
    biasPtr: number, meanPtr: number, variancePtr: number, factorsPtr: number,
  ) => void
  readonly gatherRecords: (
    indicesPtr: number, rowBegin: number, rowEnd: number, recordsPtr: number, recordBytes: number, rowsPtr: number, rowBytes: number,
  ) => void
  readonly scatterRecords: (
    indicesPtr: number, rowBegin: number, rowEnd: number, recordsPtr: number, recordBytes: number, rowsPtr: number, rowBytes: number,
  ) => void
}

/** Name and number of parameters of every kernel: the contract between the binaries and TypeScript. */
export const KERNEL_ARITIES: Readonly<Record<keyof Kernels, number>> = {
  copyRows: 6,
  fillZero: 2,
  activateF32: 6,
  sigmoidF32: 3,
  tanhF32: 3,
  reluF32: 3,
  softmaxF32: 5,
  embeddingF32: 7,
  gemmF32: 11,
  lstmForwardF32: 7,
  lstmGeneralF32: 10,
  maskFromLengths: 4,
  zeroEmptyRows: 5,
  recurrentChunkSteps: 5,
  recurrentWorkspaceBytes: 6,
  packDenseF32: 5,
  packGatesF32: 8,
  packedDenseBytes: 2,
  packedGatesBytes: 3,
  stridedCopy: 7,
  stridedSelect: 9,
  findBadIndex: 3,
  gatherRows: 8,
  gatherElements: 10,
  scatterElements: 12,
  topK: 10,
  placeOneHot: 8,
  reverseSequence: 8,
  castElements: 6,
  broadcastBinary: 13,
  packStridedF32: 9,
  transposeF32: 7,
  scaleF32: 3,
  logSoftmaxF32: 5,
  reduceF32: 8,
  reduceI32: 6,
  cumSum: 8,
  argF32: 8,
  convolveF32: 20,
  convolveWorkspaceBytes: 2,
  scatterF32: 11,
  poolF32: 20,
  normalizeF32: 9,
  batchNormF32: 11,
  gatherRecords: 7,
  scatterRecords: 7,
}
