// The reader of Keras models with all operators.
import { withAllOperators } from '../../ops/all.ts'
import type { FormatReader } from '../reader.ts'
import { keras as reader, readKeras as read } from './reader.ts'

export { readKerasWeights, type KerasOptions } from './reader.ts'

export const readKeras: typeof read = withAllOperators(read)
/** Reader of Keras files (`.keras`, `.h5`), for the option `readers` of `load`. */
export const keras: FormatReader = { ...reader, read: withAllOperators(async (...args: Parameters<FormatReader['read']>) => reader.read(...args)) }
