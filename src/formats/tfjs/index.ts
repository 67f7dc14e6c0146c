// The reader of TensorFlow.js layers models with all operators.
import { withAllOperators } from '../../ops/all.ts'
import type { FormatReader } from '../reader.ts'
import { readTfjs as read, tfjs as reader } from './tfjs.ts'

export { readTfjsStateDict, readTfjsWeights, type TfjsOptions } from './tfjs.ts'

export const readTfjs: typeof read = withAllOperators(read)
/** Reader of TensorFlow.js files (`model.json`), for the option `readers` of `load`. */
export const tfjs: FormatReader = { ...reader, read: withAllOperators(async (...args: Parameters<FormatReader['read']>) => reader.read(...args)) }
