// The door of `lstm-wasm/keras`.
export { keras, readKeras, readKerasWeights, type KerasOptions } from './keras.ts'
