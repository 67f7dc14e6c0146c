// What training knows of operators: those that only it has, gradients, and lowerings.
import { LINEAR_LOWERINGS, LINEAR_RULES } from '../gradients/linear.ts'
import { lowerings } from '../gradients/lower/lowerings.ts'
import type { Lowerings } from '../gradients/lowering.ts'
import { RECURRENT_LOWERINGS, RECURRENT_RULES } from '../gradients/recurrent.ts'
import type { GradientRules } from '../gradients/rule.ts'
import { RULES } from '../gradients/rules.ts'
import { addCommonOperators } from '../ops/common-operators.ts'
import { addOperators } from '../ops/registry.ts'
import { TRAINING } from '../ops/training/family.ts'
import { gruBackward, trainedGru } from '../ops/training/gru.ts'
import { linearBackward, trainedLinear } from '../ops/training/linear.ts'
import { LOSS_OPERATORS } from '../ops/training/losses.ts'
import { lstmBackward, trainedLstm } from '../ops/training/lstm.ts'
import { rnnBackward, trainedRnn } from '../ops/training/rnn.ts'
import { LOSS_RULES } from './loss-graph.ts'

/** Makes the operators of training known. */
export function addTrainingOperators(): void {
  addCommonOperators()
  addOperators([...TRAINING, gruBackward, linearBackward, lstmBackward, rnnBackward, trainedGru, trainedLinear, trainedLstm, trainedRnn, ...LOSS_OPERATORS])
}

/** Gradients by operator. */
export const GRADIENT_RULES: GradientRules = { ...RULES, ...RECURRENT_RULES, ...LINEAR_RULES, ...LOSS_RULES }

/** Lowerings by operator. */
export const LOWERINGS: Lowerings = { ...lowerings(), ...RECURRENT_LOWERINGS, ...LINEAR_LOWERINGS }
