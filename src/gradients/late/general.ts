// All that most nets of recurrent and dense layers do without, and that is in no smaller family.
import { scatterAdd } from '../../ops/training/scatter-add.ts'
import type { GradientFamily } from '../family.ts'
import { ARITHMETIC } from './arithmetic.ts'
import { normalizationLowerings } from './batch-normalization.ts'
import { MOVES } from './movement.ts'
import { NORMALIZATION } from './normalization.ts'
import { PRODUCTS } from './products.ts'
import { REDUCTIONS } from './reductions.ts'
import { weightsOf } from './trained-weights.ts'
import { withParametersAt } from './weights.ts'

export const family: GradientFamily = {
  operators: [scatterAdd],
  lowerings: { gemm: withParametersAt(0, 1, 2), matMul: withParametersAt(0, 1), ...normalizationLowerings() },
  rules: { ...ARITHMETIC, ...MOVES, ...REDUCTIONS, ...PRODUCTS, ...NORMALIZATION },
  weightsOf,
}
