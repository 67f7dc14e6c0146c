// The gradients of all operators that have one.
import { ELEMENTWISE } from './elementwise.ts'
import { MOVEMENT } from './movement.ts'
import { NORMALIZATION } from './normalization.ts'
import { PRODUCTS } from './products.ts'
import { REDUCTIONS } from './reductions.ts'
import type { GradientRule, GradientRules } from './rule.ts'
import { WINDOWS } from './windows.ts'

/** The same elements are dropped from the gradient. */
const drop: GradientRule = ({ node: { inputs: [, seed = ''], attributes }, outputs: [gradient = ''] }, build) => (
  [build.node('drop', [gradient, seed], attributes), undefined]
)

/** By the name of the operator: recurrent layers and dense ones on packed weights have theirs beside their lowerings. */
export const RULES: GradientRules = { ...ELEMENTWISE, ...MOVEMENT, ...REDUCTIONS, ...PRODUCTS, ...NORMALIZATION, ...WINDOWS, drop }
