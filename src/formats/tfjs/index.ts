// The door of `lstm-wasm/tfjs`.
export { readTfjs, readTfjsStateDict, readTfjsWeights, tfjs, type TfjsOptions } from './tfjs.ts'
