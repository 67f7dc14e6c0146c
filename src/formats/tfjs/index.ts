// The door of `lstm-wasm/tfjs`.
export { readTfjs, readTfjsWeights, tfjs } from './tfjs.ts'
