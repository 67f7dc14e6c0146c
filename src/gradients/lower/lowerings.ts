// How the operators of a model that have weights, or do another thing in training, become nodes that can be differentiated.
import type { Lowerings } from '../lowering.ts'
import { DROPOUT_LOWERINGS } from './dropout.ts'
import { EMBEDDING_LOWERINGS } from './embedding.ts'
import { WEIGHT_LOWERINGS } from './weights.ts'
import { normalizationLowerings, type RunningStatistics } from './normalization.ts'

/**
 * By the name of the operator: recurrent layers and dense ones have theirs in files of their own. Operators without one stay as they are, with
 * parameters in the place of trained constants.
 * @param statistics default: PyTorch's
 */
export function lowerings(statistics?: RunningStatistics): Lowerings {
  return { ...EMBEDDING_LOWERINGS, ...DROPOUT_LOWERINGS, ...WEIGHT_LOWERINGS, ...normalizationLowerings(statistics) }
}
