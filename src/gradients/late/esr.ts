import { signalRatio } from '../../ops/training/signal-ratio.ts'
import type { GradientFamily } from '../family.ts'
import { lossFamily } from '../usual/losses.ts'

export const family: GradientFamily = lossFamily([signalRatio])
