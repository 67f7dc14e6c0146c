// Operators that only training has: made known by its door.
import type { Operator } from '../operator.ts'
import { activationGradient } from './activation-gradient.ts'
import { drop } from './drop.ts'
import { lookUp } from './look-up.ts'
import { poolGradient } from './pool-gradient.ts'
import { scatterAdd } from './scatter-add.ts'
import { unfold } from './unfold.ts'

export const TRAINING: readonly Operator[] = [activationGradient, drop, lookUp, poolGradient, scatterAdd, unfold]
