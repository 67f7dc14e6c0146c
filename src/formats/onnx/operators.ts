// The standard operators of ONNX, as operators of ours: https://onnx.ai/onnx/operators/
// Ours follow the newest version of each; what older versions wrote otherwise is in older-opsets.ts.
import type { Conversion } from './conversion.ts'
import { convertIf } from './if.ts'
import { gather } from './known-sizes.ts'
import { convertLstm } from './lstm.ts'
import * as older from './older-opsets.ts'
import * as special from './special-operators.ts'

/** How nodes of one ONNX operator are converted. */
export interface Converter {
  /** The operator of ours that it becomes. test/formats/onnx.test.ts looks whether there is one. */
  readonly op?: string
  readonly convert: (c: Conversion) => void
}

/** `ReduceMean` -> `reduceMean`. */
function ownName(op: string): string {
  return op.charAt(0).toLowerCase() + op.slice(1)
}

/** Operators that are ours under the same name, with the same inputs, outputs and attributes. */
const SAME = [
  'Abs', 'Add', 'And', 'ArgMax', 'ArgMin', 'Atan', 'AveragePool', 'Ceil', 'Celu', 'Concat', 'Conv', 'ConvTranspose', 'Cos', 'CumSum', 'Div', 'Elu', 'Equal',
  'Erf', 'Exp', 'Expand', 'Flatten', 'Floor', 'GatherElements', 'Gemm', 'GlobalAveragePool', 'GlobalMaxPool', 'Greater', 'GreaterOrEqual',
  'HardSigmoid', 'HardSwish', 'InstanceNormalization', 'LeakyRelu', 'Less', 'LessOrEqual', 'Log', 'MatMul', 'Max', 'Min', 'Mish', 'Mod', 'Mul', 'Neg',
  'Not', 'OneHot', 'Or', 'Pow', 'Range', 'Reciprocal', 'Relu', 'Reshape', 'ReverseSequence', 'Round', 'ScatterElements', 'Shape',
  'Sigmoid', 'Sign', 'Sin', 'Size', 'Softplus', 'Softsign', 'Sqrt', 'Sub', 'Sum', 'Tanh', 'ThresholdedRelu', 'Tile', 'Trilu', 'Where',
  'Xor',
] as const

const REDUCTIONS = [
  'ReduceL1', 'ReduceL2', 'ReduceLogSum', 'ReduceLogSumExp', 'ReduceMax', 'ReduceMean', 'ReduceMin', 'ReduceProd', 'ReduceSum', 'ReduceSumSquare',
] as const

const same = (op: string): [string, Converter] => [op, {
  op: ownName(op),
  convert: (c) => c.emitOutputs(ownName(op), c.inputs, c.attributes()),
}]

const entry = (op: string, convert: (c: Conversion) => void, own: string = ownName(op)): [string, Converter] => [op, { op: own, convert }]

/** By the name of the ONNX operator. */
export const CONVERTERS: ReadonlyMap<string, Converter> = new Map([
  ...SAME.map(same),
  ...REDUCTIONS.map((op) => entry(op, older.reduction)),
  entry('Squeeze', older.withAxes),
  entry('Unsqueeze', older.withAxes),
  entry('Slice', older.slice),
  entry('Pad', older.pad),
  entry('Clip', older.clip),
  entry('Split', older.split),
  entry('Softmax', older.softmax),
  entry('LogSoftmax', older.softmax),
  entry('TopK', older.topK),
  entry('BatchNormalization', older.batchNormalization),
  entry('Cast', special.cast),
  entry('CastLike', special.castLike, 'cast'),
  entry('ConstantOfShape', special.constantOfShape),
  entry('Gather', gather),
  entry('Gelu', special.gelu),
  entry('LayerNormalization', special.rowNormalization),
  entry('LSTM', convertLstm, 'lstm'),
  entry('MaxPool', special.maxPool),
  entry('Mean', special.mean, 'sum'),
  entry('PRelu', special.pRelu, 'where'),
  // Its name until 11.
  entry('Scatter', (c) => c.emitOutputs('scatterElements', c.inputs, c.attributes()), 'scatterElements'),
  entry('RMSNormalization', special.rowNormalization, 'rmsNormalization'),
  entry('Selu', special.selu),
  entry('Shrink', special.shrink, 'softShrink'),
  entry('Swish', special.swish, 'silu'),
  entry('Transpose', special.transpose),
  ['Constant', { convert: special.constant }],
  ['Dropout', { convert: special.dropout }],
  ['Identity', { convert: (c) => c.alias(0, c.input(0)) }],
  ['If', { convert: convertIf }],
])
