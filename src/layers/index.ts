// The door of `lstm-wasm/layers`.
export type { Layer } from './layer.ts'
export { lstm, type LstmOptions } from './lstm.ts'
export { sequential, type LoadStateDictOptions, type Sequential, type SequentialOptions } from './sequential.ts'
export {
  activation, dense, dropout, embedding, input, linear, type Activation, type DenseOptions, type InputDescription,
} from './simple.ts'
