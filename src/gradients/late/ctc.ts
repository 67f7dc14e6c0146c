import { ctc } from '../../ops/training/ctc.ts'
import type { GradientFamily } from '../family.ts'
import { lossFamily } from '../usual/losses.ts'

export const family: GradientFamily = lossFamily([ctc])
