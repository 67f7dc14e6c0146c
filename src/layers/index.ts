// The door of `lstm-wasm/layers`.
export type { Layer } from './layer.ts'
export { lstm, type LstmOptions } from './lstm.ts'
export { sequential, type LoadStateDictOptions, type Sequential, type SequentialOptions } from './sequential.ts'
export type { LayerOptions } from './options.ts'
export {
  activation, dense, dense as linear, dropout, embedding, input, type Activation, type DenseOptions, type InputDescription, type InputOptions,
} from './simple.ts'
