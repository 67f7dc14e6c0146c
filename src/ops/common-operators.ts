// The operators that many imported models have around their LSTMs, besides those of the layers API. A chunk of its own, loaded by
// readers and for graphs that name one of them. What only few models have is in families of its own: families.ts.
import { add, clip, div, max, min, mod, mul, pow, sub, sum } from './elementwise/arithmetic.ts'
import { cast } from './elementwise/cast.ts'
import { and, equal, greater, greaterOrEqual, isNaN, less, lessOrEqual, not, or, xor } from './elementwise/comparison.ts'
import { gather, gatherElements } from './movement/gather.ts'
import { gemm } from './products/gemm.ts'
import { gru } from './recurrent/gru.ts'
import { history } from './recurrent/history.ts'
import { rnn } from './recurrent/rnn.ts'
import { concat, split } from './movement/concat-split.ts'
import { matMul } from './products/matmul.ts'
import { batchNormalization, layerNormalization, rmsNormalization } from './reduction/normalization.ts'
import { addAllFunctions, FUNCTION_NAMES, functionOperator } from './elementwise/function-table.ts'
import { oneHot } from './movement/one-hot.ts'
import type { Operator } from './operator.ts'
import { cumSum, topK } from './reduction/ordering.ts'
import { pad } from './movement/pad.ts'
import { argMax, argMin } from './reduction/arg.ts'
import {
  reduceL1, reduceL2, reduceLogSum, reduceLogSumExp, reduceMax, reduceMean, reduceMin, reduceProd, reduceSum, reduceSumSquare,
} from './reduction/reduce.ts'
import { flatten, identity, reshape, squeeze, unsqueeze } from './movement/reshape.ts'
import { scatterElements } from './movement/scatter.ts'
import { reverseSequence, where } from './movement/where.ts'
import { constantOfShape, range, shape, size } from './movement/shape.ts'
import { logSoftmax } from './reduction/log-softmax.ts'
import { trilu } from './movement/trilu.ts'
import { addOperators } from './registry.ts'
import { expand, slice, tile, transpose } from './movement/views.ts'

/** Elements moved, repeated, chosen and counted. */
const MOVEMENT: readonly Operator[] = [
  cast, concat, constantOfShape, expand, flatten, gather, gatherElements, history, identity, oneHot, pad, range, reshape, reverseSequence,
  scatterElements, shape, size, slice, split, squeeze, tile, transpose, trilu, unsqueeze, where,
]

/** Arithmetic, products, reductions and normalisation. */
const COMPUTE: readonly Operator[] = [
  add, clip, div, max, min, mod, mul, pow, sub, sum,
  and, equal, greater, greaterOrEqual, isNaN, less, lessOrEqual, not, or, xor,
  argMax, argMin, cumSum, topK,
  reduceL1, reduceL2, reduceLogSum, reduceLogSumExp, reduceMax, reduceMean, reduceMin, reduceProd, reduceSum, reduceSumSquare,
  gemm, logSoftmax, matMul,
  batchNormalization, layerNormalization, rmsNormalization,
]

/** Recurrent layers besides the LSTM. */
const RECURRENT: readonly Operator[] = [gru, rnn]

let areKnown = false

/** Makes these operators known: what a reader does before it builds a graph. */
export function addCommonOperators(): void {
  if (areKnown) return
  areKnown = true
  addAllFunctions()
  // `linear` as an operator is the dense layer.
  addOperators([...FUNCTION_NAMES.filter((name) => name !== 'linear').map(functionOperator), ...MOVEMENT, ...COMPUTE, ...RECURRENT])
}
