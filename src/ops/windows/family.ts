// The family of sliding windows: a chunk of its own.
import type { Operator } from '../operator.ts'
import { instanceNormalization } from '../reduction/instance-normalization.ts'
import { conv } from './convolution.ts'
import { averagePool, globalAveragePool, globalMaxPool, maxPool, sumPool } from './pooling.ts'
import { resize } from './resize.ts'
import { convTranspose } from './transposed-convolution.ts'

export const WINDOWS: readonly Operator[] = [
  averagePool, conv, convTranspose, globalAveragePool, globalMaxPool, instanceNormalization, maxPool, resize, sumPool,
]
