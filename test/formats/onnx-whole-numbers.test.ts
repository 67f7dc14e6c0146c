// Nodes with whole numbers, of every operator that ONNX allows them for: they run, or are refused by name; never called malformed.
import { expect, it } from 'vitest'
import { LstmError } from '../../src/errors.ts'
import { converters } from '../../src/formats/onnx/operators.ts'
import { readOnnx } from '../../src/readers/onnx.ts'
import { addAllOperators } from '../../src/ops/all.ts'
import { writeOnnx, type AttributeSpec, type TensorSpec } from './onnx-writer.ts'

addAllOperators()

/** Standard operators whose first input may be int64 in some version, by `onnx.defs.get_all_schemas_with_history()` of onnx 1.23. */
const TAKE_WHOLE_NUMBERS = `
  Abs Add ArgMax ArgMin BitCast BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor BlackmanWindow Cast CastLike CenterCropPad Clip Col2Im Compress Concat ConstantOfShape
  CumProd CumSum DepthToSpace DequantizeLinear Div Einsum Equal Erf Expand EyeLike Flatten Gather GatherElements GatherND Gemm Greater GreaterOrEqual GridSample HammingWindow
  HannWindow Identity Less LessOrEqual Loop MatMul Max MelWeightMatrix Min Mod Mul Neg NonZero OneHot Optional OptionalGetElement OptionalHasElement PRelu Pad Pow
  QuantizeLinear RandomNormalLike RandomUniformLike Range ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum
  ReduceSumSquare Relu Reshape Resize ReverseSequence Scan Scatter ScatterElements ScatterND SequenceConstruct Shape Shrink Sign Size Slice SpaceToDepth Split
  SplitToSequence Squeeze Sub TensorScatter TfIdfVectorizer Tile TopK Transpose Trilu Unique Unsqueeze Upsample`.trim().split(/\s+/)

/** A constant of the node besides x [2, 2] of whole numbers. */
const ints = (values: readonly number[], dims: readonly number[] = [values.length], name = 'a'): TensorSpec => ({ name, dims, type: 7, int64s: values })
const square = ints([1, 2, 3, 4], [2, 2])

interface Rest {
  readonly constants?: readonly TensorSpec[]
  readonly attributes?: Readonly<Record<string, AttributeSpec>>
  /** How often the node takes x. Default 1 */
  readonly times?: number
}

/** What else a node has to have. Loops and windows hold what their bodies do. */
const RESTS: Readonly<Record<string, Rest>> = {
  ...Object.fromEntries(['Add', 'Div', 'Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'MatMul', 'Max', 'Min', 'Mod', 'Mul', 'PRelu', 'Pow', 'Sub'].map((op) => [op, { times: 2 }])),
  Cast: { attributes: { to: 1 } },
  CastLike: { times: 2 },
  Concat: { attributes: { axis: 0 } },
  CumSum: { constants: [ints([0], [])] },
  DequantizeLinear: { constants: [{ name: 'a', dims: [], type: 1, floats: [0.5] }] },
  Einsum: { attributes: { equation: 'ij->ji' } },
  Expand: { constants: [ints([2, 2])] },
  Gather: { constants: [ints([1])] },
  GatherElements: { constants: [ints([0, 1, 1, 0], [2, 2])] },
  GatherND: { constants: [ints([0, 1], [2, 1])] },
  Gemm: { times: 2 },
  OneHot: { constants: [ints([3], [1]), ints([0, 1], [2], 'b')] },
  Pad: { constants: [ints([0, 1, 0, 1])] },
  QuantizeLinear: { constants: [{ name: 'a', dims: [], type: 1, floats: [0.5] }] },
  Reshape: { constants: [ints([4])] },
  Resize: { constants: [{ name: 'a', dims: [0], type: 1, floats: [] }, { name: 'b', dims: [2], type: 1, floats: [2, 2] }] },
  ReverseSequence: { constants: [ints([1, 2])] },
  Scatter: { constants: [ints([0, 1, 1, 0], [2, 2]), { ...square, name: 'b' }] },
  ScatterElements: { constants: [ints([0, 1, 1, 0], [2, 2]), { ...square, name: 'b' }] },
  ScatterND: { constants: [ints([0, 1], [2, 1]), { ...square, name: 'b' }] },
  Slice: { constants: [ints([0]), ints([1], [1], 'b')] },
  Split: { constants: [ints([1, 1])] },
  Squeeze: { constants: [ints([], [0])] },
  Tile: { constants: [ints([2, 1])] },
  TopK: { constants: [ints([1])] },
  Unsqueeze: { constants: [ints([0])] },
  Upsample: { constants: [{ name: 'a', dims: [2], type: 1, floats: [2, 2] }] },
}
/** Operators of which x is no number to compute with, or whose nodes hold graphs. */
const OTHERS = ['ConstantOfShape', 'Loop', 'Range', 'Scan', 'SequenceConstruct', 'SplitToSequence']

it.each(TAKE_WHOLE_NUMBERS.filter((op) => converters().has(op) && !OTHERS.includes(op)))('%s', (op) => {
  const { constants = [], attributes = {}, times = 1 } = RESTS[op] ?? {}
  const inputs = [...Array.from({ length: times }, () => 'x'), ...constants.map(({ name = '' }) => name)]
  const file = writeOnnx({
    nodes: [{ op, name: 'n', inputs, outputs: op === 'Split' ? ['y', 'z'] : ['y'], attributes }], inputs: [{ name: 'x', shape: [2, 2], type: 7 }], outputs: op === 'Split' ? [{ name: 'y' }, { name: 'z' }] : [{ name: 'y' }], initializers: constants,
  }, op === 'Upsample' ? 9 : 17)
  try {
    readOnnx(file, { seed: 1 })
  } catch (error) {
    const { code, message } = error as LstmError
    expect(`${code}: ${message}`).toMatch(/^UNSUPPORTED: .*node 'n' \(\w+\)/)
  }
})
