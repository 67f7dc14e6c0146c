// Entry point `lstm-wasm/layers`.
export type { Layer, LayerWeightSpec } from './layer.ts'
export type { Activation, ActivationFunction, ActivationName } from './activations.ts'
export { gruCell, lstmCell, rnnCell, type GruCellOptions, type LstmCellOptions, type RnnCellOptions } from './cells.ts'
export { conv1d, type Conv1dOptions } from './conv1d.ts'
export { gru, type GruOptions } from './gru.ts'
export { lstm } from './lstm.ts'
export type { LstmOptions } from './lstm-options.ts'
export { batchNorm, layerNorm, type NormOptions } from './normalization.ts'
export { sequential, type LoadStateDictOptions, type Sequential, type SequentialOptions } from './sequential.ts'
export type { LayerOptions } from './options.ts'
export type { RecurrentOptions } from './recurrent-options.ts'
export {
  activation, dense, dense as linear, dropout, embedding, input, lastStep, type DenseOptions, type InputDescription, type InputOptions,
} from './simple.ts'
export { simpleRnn, type SimpleRnnOptions } from './simple-rnn.ts'
