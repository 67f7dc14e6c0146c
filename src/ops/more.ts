// Every operator besides those of the layers API: what imported models have around their LSTMs. A chunk of
// its own, loaded by readers and for graphs that name one of them.
import { elementwise } from './activations.ts'
import { add, clip, div, max, min, mod, mul, pow, sub, sum } from './arithmetic.ts'
import { cast } from './casting.ts'
import { and, equal, greater, greaterOrEqual, less, lessOrEqual, not, or, xor } from './comparison.ts'
import { conv } from './convolution.ts'
import { gather, gatherElements } from './gathering.ts'
import { gemm } from './gemm.ts'
import { history } from './history.ts'
import { concat, split } from './joining.ts'
import { matMul } from './matmul.ts'
import { batchNormalization, instanceNormalization, layerNormalization, rmsNormalization } from './normalization.ts'
import { addAllFunctions, FUNCTION_NAMES, plainFunction } from './more-functions.ts'
import { oneHot } from './one-hot.ts'
import type { Operator } from './operator.ts'
import { cumSum, topK } from './ordering.ts'
import { pad } from './padding.ts'
import { averagePool, globalAveragePool, globalMaxPool, maxPool } from './pooling.ts'
import {
  argMax, argMin, reduceL1, reduceL2, reduceLogSum, reduceLogSumExp, reduceMax, reduceMean, reduceMin, reduceProd, reduceSum, reduceSumSquare,
} from './reduction.ts'
import { flatten, identity, reshape, squeeze, unsqueeze } from './reshaping.ts'
import { scatterElements } from './scattering.ts'
import { reverseSequence, where } from './selecting.ts'
import { constantOfShape, range, shape, size } from './shapes.ts'
import { logSoftmax } from './softmax.ts'
import { convTranspose } from './transposed-convolution.ts'
import { trilu } from './triangle.ts'
import { addOperators } from './registry.ts'
import { expand, slice, tile, transpose } from './views.ts'

/** Elements moved, repeated, chosen and counted. */
const MOVEMENT: readonly Operator[] = [
  cast, concat, constantOfShape, expand, flatten, gather, gatherElements, history, identity, oneHot, pad, range, reshape, reverseSequence,
  scatterElements, shape, size, slice, split, squeeze, tile, transpose, trilu, unsqueeze, where,
]

/** Arithmetic, products, reductions, windows and normalisation. */
const COMPUTE: readonly Operator[] = [
  add, clip, div, max, min, mod, mul, pow, sub, sum,
  and, equal, greater, greaterOrEqual, less, lessOrEqual, not, or, xor,
  argMax, argMin, cumSum, topK,
  reduceL1, reduceL2, reduceLogSum, reduceLogSumExp, reduceMax, reduceMean, reduceMin, reduceProd, reduceSum, reduceSumSquare,
  averagePool, conv, convTranspose, gemm, globalAveragePool, globalMaxPool, logSoftmax, matMul, maxPool,
  batchNormalization, instanceNormalization, layerNormalization, rmsNormalization,
]

/** Makes all operators known: what a reader does before it builds a graph. */
export function addAllOperators(): void {
  addAllFunctions()
  // `linear` as an operator is the dense layer.
  addOperators([...FUNCTION_NAMES.filter((name) => name !== 'linear').map((name) => elementwise(name, plainFunction(name))), ...MOVEMENT, ...COMPUTE])
}
