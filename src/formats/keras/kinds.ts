import { additiveAttention, attention } from './layers/attention.ts'
import { multiHeadAttention } from './layers/attention-heads.ts'
import {
  activation, batchNormalization, dense, dropout, embedding, identity, layerNormalization, masking, normalization, prelu, rescaling,
  softmax, unitNormalization,
} from './layers/basic-layers.ts'
import { bidirectional } from './layers/bidirectional.ts'
import type { LayerSpec } from './config.ts'
import { einsumDense } from './layers/einsum-dense.ts'
import { convolution, depthwiseConvolution, separableConvolution, transposedConvolution } from './layers/convolution.ts'
import { groupNormalization, rmsNormalization } from './layers/normalizations.ts'
import type { LayerKind } from './layer-call.ts'
import { concatenate, dot, elementwise } from './layers/merging.ts'
import { isOperation, operation } from './layers/operations.ts'
import { globalAveragePooling, globalMaxPooling, pooling } from './layers/pooling.ts'
import { recurrent, recurrentCell } from './layers/recurrent.ts'
import { cropping, flatten, permute, repeatVector, reshape, upSampling, upSamplingImage, zeroPadding } from './layers/shape-layers.ts'
import { timeDistributed } from './layers/time-distributed.ts'

/** Keras's layers by class name. */
const KINDS: ReadonlyMap<string, LayerKind> = new Map(Object.entries({
  LSTM: recurrent, GRU: recurrent, SimpleRNN: recurrent, CuDNNLSTM: recurrent, CuDNNGRU: recurrent, RNN: recurrent,
  LSTMCell: recurrentCell, GRUCell: recurrentCell, SimpleRNNCell: recurrentCell, Bidirectional: bidirectional, TimeDistributed: timeDistributed,
  Dense: dense, EinsumDense: einsumDense, Embedding: embedding, Masking: masking,
  Activation: activation, ReLU: activation, LeakyReLU: activation, ELU: activation, ThresholdedReLU: activation, PReLU: prelu, Softmax: softmax,
  Dropout: dropout, SpatialDropout1D: identity, SpatialDropout2D: identity, AlphaDropout: identity, GaussianDropout: identity, GaussianNoise: identity,
  ActivityRegularization: identity, Identity: identity,
  Add: elementwise('add'), Subtract: elementwise('sub'), Multiply: elementwise('mul'), Average: elementwise('add', true),
  Maximum: elementwise('max'), Minimum: elementwise('min'), Concatenate: concatenate, Dot: dot,
  Attention: attention, AdditiveAttention: additiveAttention, MultiHeadAttention: multiHeadAttention,
  Flatten: flatten, Reshape: reshape, Permute: permute, RepeatVector: repeatVector,
  ZeroPadding1D: zeroPadding, Cropping1D: cropping, UpSampling1D: upSampling,
  ZeroPadding2D: zeroPadding, Cropping2D: cropping, UpSampling2D: upSamplingImage,
  Conv1D: convolution, DepthwiseConv1D: depthwiseConvolution, SeparableConv1D: separableConvolution, Conv1DTranspose: transposedConvolution,
  Conv2D: convolution, DepthwiseConv2D: depthwiseConvolution, SeparableConv2D: separableConvolution, Conv2DTranspose: transposedConvolution,
  MaxPooling1D: pooling('maxPool'), AveragePooling1D: pooling('averagePool'), MaxPooling2D: pooling('maxPool'), AveragePooling2D: pooling('averagePool'),
  GlobalMaxPooling1D: globalMaxPooling, GlobalAveragePooling1D: globalAveragePooling,
  GlobalMaxPooling2D: globalMaxPooling, GlobalAveragePooling2D: globalAveragePooling,
  BatchNormalization: batchNormalization, LayerNormalization: layerNormalization, UnitNormalization: unitNormalization, Rescaling: rescaling,
  Normalization: normalization, RMSNormalization: rmsNormalization, GroupNormalization: groupNormalization,
}))

/** What a layer does; undefined for one that cannot be run. */
export function kindOf(layer: LayerSpec): LayerKind | undefined {
  return isOperation(layer) ? operation : KINDS.get(layer.className)
}

export function supportedClasses(): string[] {
  return [...KINDS.keys()]
}
