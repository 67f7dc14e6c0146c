import type { Operator } from '../operator.ts'
import { alongAxis } from './softmax.ts'

/** log(e^x / sum(e^x)) along `axis` (default -1). Input: x, float32. */
export const logSoftmax: Operator<number> = alongAxis('logSoftmax', 'LogSoftmax', 'logSoftmaxF32')
