// The standard operators of ONNX, as operators of ours: https://onnx.ai/onnx/operators/
// Which is which, an operator says itself (`Operator.onnx`). Ours follow the newest version of each; what older versions wrote otherwise
// is in older-opsets.ts.
import { LstmError } from '../../errors.ts'
import { dropout } from '../../ops/elementwise/activations.ts'
import { clip } from '../../ops/elementwise/arithmetic.ts'
import { cast } from '../../ops/elementwise/cast.ts'
import { concat, split } from '../../ops/movement/concat-split.ts'
import { gather } from '../../ops/movement/gather.ts'
import { pad } from '../../ops/movement/pad.ts'
import { identity, squeeze, unsqueeze } from '../../ops/movement/reshape.ts'
import { constantOfShape } from '../../ops/movement/shape.ts'
import { slice } from '../../ops/movement/views.ts'
import type { Operator } from '../../ops/operator.ts'
import { gru } from '../../ops/recurrent/gru.ts'
import { lstm } from '../../ops/recurrent/lstm.ts'
import { rnn } from '../../ops/recurrent/rnn.ts'
import { batchNormalization, layerNormalization, rmsNormalization } from '../../ops/reduction/normalization.ts'
import { topK } from '../../ops/reduction/ordering.ts'
import {
  reduceL1, reduceL2, reduceLogSum, reduceLogSumExp, reduceMax, reduceMean, reduceMin, reduceProd, reduceSum, reduceSumSquare,
} from '../../ops/reduction/reduce.ts'
import { logSoftmax } from '../../ops/reduction/log-softmax.ts'
import { softmax } from '../../ops/reduction/softmax.ts'
import { knownOperators } from '../../ops/registry.ts'
import { attention } from './composed/attention.ts'
import { einsum } from './composed/einsum.ts'
import * as elements from './composed/elements.ts'
import { groupNormalization, hardmax, lpNormalization, meanVarianceNormalization } from './composed/normalizations.ts'
import { MICROSOFT_OPERATORS, simplifiedLayerNormalization } from './composed/onnxruntime.ts'
import * as pools from './composed/pools.ts'
import * as lists from './composed/sequences.ts'
import { bernoulli, multinomial, random } from './composed/random.ts'
import type { Conversion } from './conversion.ts'
import { convertIf } from './flow/if.ts'
import { convertLoop } from './flow/loop.ts'
import { convertScan } from './flow/scan.ts'
import * as sizes from './known-sizes.ts'
import * as older from './older-opsets.ts'
import { QUANTIZED_OPERATORS } from './quantized/operators.ts'
import { convertRecurrent } from './recurrent.ts'
import { convertResize } from './resize.ts'
import * as special from './special-operators.ts'

/** Adds what stands for a node of a file. */
export type Converter = (c: Conversion) => void

/** Operators whose ONNX nodes are not theirs one to one, or were not in older versions. */
const OWN_WAYS: readonly (readonly [operator: Operator, convert: Converter])[] = [
  ...[reduceL1, reduceL2, reduceLogSum, reduceLogSumExp, reduceMax, reduceMean, reduceMin, reduceProd, reduceSum, reduceSumSquare].map((operator) => (
    [operator, older.reduction] as const
  )),
  [squeeze, older.withAxes],
  [unsqueeze, older.withAxes],
  [slice, older.slice],
  [pad, older.pad],
  [clip, older.clip],
  [split, older.split],
  [softmax, older.softmax],
  [logSoftmax, older.softmax],
  [topK, older.topK],
  [batchNormalization, older.batchNormalization],
  [cast, special.cast],
  [concat, special.concat],
  [constantOfShape, special.constantOfShape],
  [dropout, special.dropout],
  [gather, sizes.gather],
  [identity, (c) => c.alias(0, c.input(0))],
  [layerNormalization, special.rowNormalization],
  ...[lstm, gru, rnn].map((operator) => [operator, convertRecurrent] as const),
  [rmsNormalization, special.rowNormalization],
]

/** ONNX operators that become several of ours, one of several, one with other attributes, or none; and those of families. */
const OTHERS: Readonly<Record<string, Converter>> = {
  ...Object.fromEntries(['AveragePool', 'Conv', 'ConvTranspose', 'MaxPool'].map((op) => [op, special.windowed])),
  Abs: elements.abs,
  Attention: attention,
  Bernoulli: bernoulli,
  CastLike: special.castLike,
  ConcatFromSequence: lists.concatFromSequence,
  Constant: special.constant,
  Einsum: einsum,
  Gelu: special.gelu,
  GroupNormalization: groupNormalization,
  GlobalLpPool: pools.globalLpPool,
  Hardmax: hardmax,
  If: convertIf,
  IsInf: elements.isInf,
  Loop: convertLoop,
  LpNormalization: lpNormalization,
  LpPool: pools.lpPool,
  Mean: special.mean,
  MeanVarianceNormalization: meanVarianceNormalization,
  Multinomial: multinomial,
  Neg: elements.neg,
  Pow: elements.pow,
  PRelu: special.pRelu,
  Resize: convertResize,
  Scan: convertScan,
  ...Object.fromEntries(['RandomNormal', 'RandomNormalLike', 'RandomUniform', 'RandomUniformLike'].map((op) => [op, random])),
  Selu: special.selu,
  SequenceAt: lists.sequenceAt,
  SequenceConstruct: lists.sequenceConstruct,
  SequenceEmpty: lists.sequenceEmpty,
  SequenceErase: lists.sequenceErase,
  SequenceInsert: lists.sequenceInsert,
  SequenceLength: lists.sequenceLength,
  Shrink: special.shrink,
  Sign: elements.sign,
  SimplifiedLayerNormalization: simplifiedLayerNormalization,
  SplitToSequence: lists.splitToSequence,
  Swish: special.swish,
  Upsample: convertResize,
}

/**
 * Operators that compute with whole numbers in ONNX, and not here: a node with such numbers is sound, but not supported. Those that only move, choose
 * or compare elements, or add and multiply them one by one, take both.
 */
const OF_FLOATS: readonly string[] = [
  'Erf', 'Gemm', 'MatMul', 'PRelu', 'QuantizeLinear', 'ReduceL1', 'ReduceL2', 'ReduceLogSum', 'ReduceLogSumExp', 'ReduceMean', 'ReduceSumSquare', 'Relu', 'Resize',
  'Shrink', 'Upsample',
]

/** The same with whole numbers refused by name. */
function ofFloats(convert: Converter): Converter {
  return (c) => {
    if (c.has(0) && c.type(c.input(0)).dtype !== 'float32') throw new LstmError('UNSUPPORTED', `onnx: ${c.label}: whole numbers; a Cast to float32 before it makes it run`)
    convert(c)
  }
}

/** By the name of the ONNX operator, with its domain where that is not the standard one, of the operators that are known by now. */
export function converters(): ReadonlyMap<string, Converter> {
  const ways = new Map(OWN_WAYS.map(([{ name }, convert]) => [name, convert]))
  const own = knownOperators().flatMap(({ name, onnx = [] }) => {
    const convert = ways.get(name) ?? ((c: Conversion) => c.emitOutputs(name, c.inputs, c.attributes()))
    return [onnx].flat().map((op): [string, Converter] => [op, convert])
  })
  const known = new Map([...own, ...Object.entries(OTHERS), ...MICROSOFT_OPERATORS, ...QUANTIZED_OPERATORS])
  for (const op of OF_FLOATS) known.set(op, ofFloats(known.get(op) as Converter))
  return known
}
