// Reader of TensorFlow.js layers models.
export { readTfjs, readTfjsStateDict, readTfjsWeights, tfjs, type TfjsOptions } from './tfjs.ts'
