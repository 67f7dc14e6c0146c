// The models of test/python/golden_quantized.py: onnxruntime's quantisers made them of float32 models, and onnxruntime has run both.
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { readOnnx } from '../../src/formats/onnx/index.ts'
import { readSafetensors } from '../../src/formats/safetensors/safetensors.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { compile } from '../../src/model/load.ts'
import type { Constant } from '../../src/ops/constant.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import type { ArrayLike } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import '../guards.ts'
import { distance, int8In } from '../quantized-outputs.ts'
import { ALONE_DISTANCE, PYTORCH_DISTANCE, QUANTIZED_RATIO, REQUANTIZED_RATIO } from '../tolerance.ts'
import { describeBinaries, runtimeOf } from '../variants.ts'
import { floatTensor, writeOnnx, type GraphSpec, type NodeSpec, type TensorSpec } from './onnx-writer.ts'

const folder = new URL('../golden/quantized/', import.meta.url)
const { cases } = JSON.parse(readFileSync(new URL('cases.json', folder), 'utf8')) as { cases: { name: string }[] }
const { tensors } = readSafetensors(readFileSync(new URL('cases.safetensors', folder)))

const graphOf = (name: string): Graph => readOnnx(readFileSync(new URL(`${name}.onnx`, folder)))

function named(name: string, what: string): [string, ArrayLike][] {
  const prefix = `${name}/${what}/`
  return [...tensors].flatMap(([key, value]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : []))
}

/** Models whose weights have no 8 bits here: their numbers are onnxruntime's. */
const WIDENED = [
  'qdq-uint8-weights', 'nbits', 'nbits-zeros', 'dequantize-blocked', 'pair-uint8', 'pair-int8', 'pair-per-axis', 'int4-blocked', 'qattention', 'qattention-past', 'operator-matmul',
  'operator-conv', 'operator-gemm', 'qgemm-float',
]
/** Integers of onnxruntime, every one of them; what is float32 beside them is as above. */
const INTEGERS = [
  'qlinear-matmul', 'qlinear-matmul-columns', 'qlinear-matmul-uint8', 'qlinear-matmul-long', 'qlinear-matmul-two', 'qlinear-conv', 'qlinear-conv-2d', 'qlinear-conv-groups',
  'qlinear-conv-long', 'qgemm', 'integers-alone',
]
/** Tables of 8 bits, whose rows are onnxruntime's numbers. */
const TABLES = ['embedding', 'embedding-rows', 'embedding-after']
/** Weights that onnxruntime widens and multiplies as float32, where 8 bits are multiplied here. */
const ALONE = ['int4-column', 'uint4']
const WIDENED_OR_INTEGERS = [...WIDENED, ...INTEGERS]

describeBinaries('quantised ONNX models are as near to the float32 model as onnxruntime is', (binary) => {
  let runtime: Runtime
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
  })

  it.each(cases.map(({ name }) => name))('%s', async (name) => {
    const graph = graphOf(name)
    const ratio = graph.notes === undefined ? QUANTIZED_RATIO : REQUANTIZED_RATIO
    using model = await compile(graph, { runtime })
    const outputs = model.run(Object.fromEntries(named(name, 'in')))
    expect(Object.keys(outputs).sort()).toEqual(named(name, 'out').map(([key]) => key).sort())
    for (const [key, theirs] of named(name, 'out')) {
      const ours = outputs[key] as ArrayLike
      if (ours.dtype !== 'float32') expect([...ours.data], key).toEqual([...theirs.data])
      else if ([...WIDENED_OR_INTEGERS, ...TABLES].includes(name)) expect(distance(ours, theirs), key).toBeLessThanOrEqual(PYTORCH_DISTANCE)
      else if (ALONE.includes(name)) expect(distance(ours, theirs), key).toBeLessThanOrEqual(ALONE_DISTANCE)
      else {
        const float = tensors.get(`${name}/float/${key}`) as ArrayLike
        const own = distance(ours, float)
        expect(own, `${key}: distance from float32`).toBeLessThanOrEqual(ratio * distance(theirs, float))
        // Its activations are rounded otherwise, but the weights are the same.
        expect(own, `${key}: something is rounded`).toBeGreaterThan(PYTORCH_DISTANCE)
      }
    }
  })
})

describe('weights of 8 bits', () => {
  it.each<[name: string, constants: string]>([
    ['lstm-int8', '44x13@0 44x11@0'],
    ['lstm-int8-per-channel', '68x12@0 68x17@0 68x12@0 68x17@0'],
    ['lstm-uint8-128', '24x8@0 24x6@0'],
    ['matmul-int8', '19x23@1 23x5@1'],
    ['matmul-int8-per-channel', '18x14@1 14x6@1'],
    ['matmul-optimised', '17x13@1 13x7@1'],
    ['gemm-int8', '20x16@1 16x3@1'],
    ['conv-int8', '9x7x3@0'],
    ['qdq-matmul', '19x23@1 23x5@1'],
    ['qdq-gemm-per-channel', '16x20@0 16x3@1'],
    ['qdq-conv-per-channel', '9x7x3@0'],
    ['int4-column', '22x7@1'],
    ['uint4', '22x7@1'],
    ['embedding', '13x6@0'],
    ['embedding-rows', '13x6@0'],
    ['embedding-after', '11x5@0'],
  ])('%s: the integers of the file', (name, constants) => {
    const graph = graphOf(name)
    expect(int8In(graph).join(' ')).toBe(constants)
    expect(graph.notes).toBeUndefined()
  })

  it('zero points that leave no 8 bits are rounded away, which a note says', () => {
    expect(graphOf('lstm-uint8-zero-points').notes).toEqual([
      "node 'lstm' (DynamicQuantizeLSTM): no 8 bits without zero points are equal to 'forward.inputWeights', whose outputs are quantised anew: weights change by up to 0.0013",
      "node 'lstm' (DynamicQuantizeLSTM): no 8 bits without zero points are equal to 'forward.recurrentWeights', whose outputs are quantised anew: weights change by up to 0.0011",
    ])
    expect(graphOf('matmul-uint8').notes).toHaveLength(1)
  })

  it('operators from integers to integers keep theirs in 8 bits until a model is made', () => {
    const stored = (name: string): string[] => [...graphOf(name).constants.values()].flatMap(({ storage, shape }: Constant) => (storage === 'int8 widened' ? [shape.join('x')] : []))
    expect(stored('qgemm')).toEqual(['6x17'])
    expect(stored('qlinear-conv-2d')).toEqual(['6x4x3x2'])
  })

  it('sums beyond 2^24 are put together of parts that are not', () => {
    const sizes = (name: string, rank: number, axis: number): number[] => (
      [...graphOf(name).constants.values()].flatMap(({ shape }) => (shape.length === rank ? [shape[axis] as number] : []))
    )
    for (const [parts, total] of [[sizes('qlinear-matmul-long', 2, 0), 3001], [sizes('qlinear-conv-long', 3, 1).filter((size) => size > 1), 1100]] as const) {
      expect(parts.length).toBeGreaterThan(1)
      expect(parts.reduce((sum, size) => sum + size, 0)).toBe(total)
    }
    expect(sizes('qlinear-matmul', 2, 0)).toEqual([19])
  })

  it('a QuantizeLinear and the DequantizeLinear after it are one operator', () => {
    for (const name of ['pair-uint8', 'pair-int8']) expect(graphOf(name).nodes.map(({ op }) => op)).toEqual(['throughIntegers'])
    expect(graphOf('qdq-matmul').nodes.map(({ op }) => op)).toEqual(['throughIntegers', 'matMul', 'throughIntegers', 'add', 'throughIntegers', 'tanh', 'throughIntegers', 'matMul', 'throughIntegers'])
    expect(graphOf('pair-per-axis').nodes).toHaveLength(6)
  })

  it('rows of a table are those of an embedding', () => {
    for (const name of TABLES) expect(graphOf(name).nodes.map(({ op }) => op)).toEqual(['embedding', 'matMul'])
  })

  it('no node is left of what makes a product', () => {
    expect(graphOf('matmul-int8').nodes.map(({ op }) => op)).toEqual(['matMul', 'add', 'tanh', 'matMul'])
    expect(graphOf('conv-int8').nodes.map(({ op }) => op)).toEqual(['conv', 'add'])
  })

  it('WIDENED are those without any', () => {
    expect(cases.map(({ name }) => name).filter((name) => int8In(graphOf(name)).length === 0).sort()).toEqual([...WIDENED_OR_INTEGERS].sort())
  })
})

/** int8, or another type of one byte. */
function bytes(name: string, dims: readonly number[], values: readonly number[], type: number = 3): TensorSpec {
  return { name, dims, type, raw: Uint8Array.from(values) }
}

const X = [{ name: 'x', type: 1, shape: ['n', 2] }]
const model = (nodes: readonly NodeSpec[], initializers: readonly TensorSpec[], inputs: GraphSpec['inputs'] = X): Uint8Array => (
  writeOnnx({ nodes, inputs: inputs ?? X, outputs: [{ name: 'y', type: 1, shape: ['n', 2] }], initializers })
)
const W = bytes('w', [2, 3], [1, 2, 3, 255, 254, 128])
const product = (inputs: readonly string[], initializers: readonly TensorSpec[]): Uint8Array => (
  model([{ op: 'DynamicQuantizeMatMul', domain: 'com.microsoft', name: 'm', inputs, outputs: ['y'] }], initializers)
)
const weight = (attributes: NodeSpec['attributes'], initializers: readonly TensorSpec[], inputs: readonly string[] = ['w', 's', 'z']): Uint8Array => (
  model([{ op: 'DequantizeLinear', name: 'd', inputs, outputs: ['v'], attributes: attributes ?? {} }, { op: 'MatMul', inputs: ['x', 'v'], outputs: ['y'] }], initializers)
)

it('integers down to -128, and scales of one for each output', async () => {
  const graph = readOnnx(product(['x', 'w', 's'], [W, floatTensor('s', [3], [0.5, 0.25, 2])]))
  expect([...graph.constants.values()].map(({ data }) => [...data])).toEqual([[0.5, 0.5, 6, -0.5, -0.5, -256]])
  using compiled = await compile(graph)
  expect([...compiled.run({ x: { dtype: 'float32', shape: [1, 2], data: Float32Array.of(1, 1) } }).y?.data ?? []]).toEqual([0, 0, -250])
})

it('scales below 0, as symmetric quantisers have them: integers change their sign, or are widened', async () => {
  const dataOf = (file: Uint8Array): number[][] => [...readOnnx(file).constants.values()].map(({ data }) => [...data])
  expect(dataOf(product(['x', 'w', 's'], [W, floatTensor('s', [3], [0.5, -0.25, 2])]))).toEqual([[0.5, -0.5, 6, -0.5, 0.5, -256]])
  expect(dataOf(weight({ axis: 1 }, [W, floatTensor('s', [3], [0.5, 0.25, -2])], ['w', 's']))).toEqual([[0.5, 0.5, -6, -0.5, -0.5, 256]])
  const blocks = [bytes('w', [1, 1, 8], [0xF0, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88], 2), floatTensor('s', [1], [-0.5])]
  using compiled = await compile(readOnnx(model([
    { op: 'MatMulNBits', domain: 'com.microsoft', inputs: ['x', 'w', 's'], outputs: ['y'], attributes: { K: 2, N: 1, bits: 4, block_size: 16 } },
  ], blocks)))
  expect([...compiled.run({ x: { dtype: 'float32', shape: [2, 2], data: Float32Array.of(1, 0, 0, 1) } }).y?.data ?? []]).toEqual([4, -3.5])
})

it('an all-zero weight with other zero points stays zeros', () => {
  const graph = readOnnx(product(['x', 'w', 's', 'z'], [bytes('w', [2, 1], [0, 0], 2), floatTensor('s', [], [0.5]), bytes('z', [], [200], 2)]))
  expect([...graph.constants.values()].map(({ data }) => [...data])).toEqual([[-100, -100]])
})

describe('what is refused', () => {
  const scale = floatTensor('s', [], [0.5])
  const nBits = (attributes: NodeSpec['attributes'], initializers: readonly TensorSpec[], inputs: readonly string[] = ['x', 'w', 's']): Uint8Array => (
    model([{ op: 'MatMulNBits', domain: 'com.microsoft', name: 'm', inputs, outputs: ['y'], attributes: attributes ?? {} }], initializers)
  )
  const integer = (op: string, inputs: readonly string[], initializers: readonly TensorSpec[], domain: string = ''): Uint8Array => (
    model([{ op, domain, name: 'm', inputs, outputs: ['y'] }], initializers, [...X, { name: 'x8', type: 2, shape: ['n', 2] }])
  )
  it.each<[what: string, code: 'FORMAT' | 'UNSUPPORTED', file: Uint8Array, message: string]>([
    ['operators between integers that are no products', 'UNSUPPORTED', model([{ op: 'QLinearAdd', domain: 'com.microsoft', name: 'a', inputs: ['x', 's', 'z', 'x', 's', 'z', 's', 'z'], outputs: ['y'] }], [scale, bytes('z', [], [0])]),
      "onnx: the model asks for what is not supported: operator com.microsoft.QLinearAdd (node 'a'); onnxruntime quantised this file as operators from integers to integers: quantise with quant_format=QuantFormat.QDQ, and operators between products stay float32"],
    ['float32 in the place of integers', 'FORMAT', integer('MatMulInteger', ['x', 'w'], [W]), "onnx: node 'm' (MatMulInteger): expected integers, got float32"],
    ['float32 weights of integers', 'FORMAT', integer('MatMulInteger', ['x8', 'w'], [floatTensor('w', [2, 2], [1, 2, 3, 4])]), "onnx: node 'm' (MatMulInteger): expected integers for its weight, got float32"],
    ['a zero point for each row of activations', 'UNSUPPORTED', integer('MatMulInteger', ['x8', 'w', 'z'], [W, bytes('z', [2], [1, 2], 2)]),
      "onnx: the model asks for what is not supported: node 'm' (MatMulInteger): a zero point for each row is not supported"],
    ['zero points of another number', 'FORMAT', integer('MatMulInteger', ['x8', 'w', '', 'z'], [W, bytes('z', [2], [1, 2])]), "onnx: node 'm' (MatMulInteger): expected one zero point or 3 for its weight, got 2"],
    ['scales of another number', 'FORMAT', integer('QLinearMatMul', ['x8', 's', 'z', 'w', 's2', 'z', 's', 'z'], [W, scale, bytes('z', [], [0], 2), floatTensor('s2', [2], [1, 1])]),
      "onnx: node 'm' (QLinearMatMul): expected one scale or 3 for its weight, got 2"],
    ['a scale for each row', 'UNSUPPORTED', integer('QLinearMatMul', ['x8', 's2', 'z', 'w', 's', 'z', 's', 'z'], [W, scale, bytes('z', [], [0], 2), floatTensor('s2', [2], [1, 1])]),
      "onnx: the model asks for what is not supported: node 'm' (QLinearMatMul): the scale of its input for each row is not supported"],
    ['a bias of float32', 'FORMAT', integer('QGemm', ['x8', 's', 'z', 'w', 's', 'z', 'b'], [W, scale, bytes('z', [], [0], 2), floatTensor('b', [3], [1, 1, 1])], 'com.microsoft'),
      "onnx: node 'm' (QGemm): expected int32 for its bias, got float32"],
    ['rotary attention', 'UNSUPPORTED', model([{ op: 'QAttention', domain: 'com.microsoft', name: 'm', inputs: ['x'], outputs: ['y'], attributes: { do_rotary: 1 } }], []),
      "onnx: the model asks for what is not supported: node 'm' (QAttention): do_rotary 1 is not supported"],
    ['fewer bytes than integers of 4 bits', 'FORMAT', weight({}, [{ name: 'w', dims: [2, 2], type: 22, raw: Uint8Array.of(1) }, scale], ['w', 's']), "onnx: the tensor 'w' int4 [2, 2] needs 2 bytes, got 1"],
    ['fewer elements than integers of 4 bits', 'FORMAT', weight({}, [{ name: 'w', dims: [3, 3], type: 21, int32s: [1, 2] }, scale], ['w', 's']), "onnx: the tensor 'w' uint4 [3, 3] needs 9 elements, got 4"],
    ['scales below 0 of an operator of integers', 'FORMAT', integer('QLinearMatMul', ['x8', 's', 'z', 'w', 's2', 'z', 's', 'z'], [W, scale, bytes('z', [], [0], 2), floatTensor('s2', [], [-1])]),
      "onnx: node 'm' (QLinearMatMul): expected finite numbers from 0 on for the scales of its weight, got -1"],
    ['scales that are no numbers', 'FORMAT', product(['x', 'w', 's'], [W, floatTensor('s', [3], [1, NaN, 1])]),
      "onnx: node 'm' (DynamicQuantizeMatMul): expected finite numbers for the scales of its weight, got NaN"],
    ['scales of another number', 'FORMAT', product(['x', 'w', 's'], [W, floatTensor('s', [2], [1, 1])]),
      "onnx: node 'm' (DynamicQuantizeMatMul): the scales of its weight [2] do not fit it"],
    ['integers as scales', 'FORMAT', product(['x', 'w', 's'], [W, bytes('s', [], [1])]),
      "onnx: node 'm' (DynamicQuantizeMatMul): expected floating-point numbers for the scales of its weight, got int32"],
    ['fewer zero points than scales', 'FORMAT', product(['x', 'w', 's', 'z'], [W, floatTensor('s', [3], [1, 1, 1]), bytes('z', [1], [0])]),
      "onnx: node 'm' (DynamicQuantizeMatMul): expected a zero point for each of the 3 scales of its weight, got 1"],
    ['float32 weights', 'FORMAT', product(['x', 'w', 's'], [floatTensor('w', [2, 1], [1, 1]), scale]),
      "onnx: node 'm' (DynamicQuantizeMatMul): expected integers for its weight, got float32"],
    ['weights that are inputs', 'UNSUPPORTED',
      model([{ op: 'DynamicQuantizeMatMul', domain: 'com.microsoft', name: 'm', inputs: ['x', 'w', 's'], outputs: ['y'] }], [scale], [...X, { name: 'w', type: 3, shape: [2, 3] }]),
      "onnx: the model asks for what is not supported: node 'm' (DynamicQuantizeMatMul): its weight that does not follow from constants is not supported"],
    ['an axis that is not there', 'FORMAT', weight({ axis: 2 }, [W, floatTensor('s', [3], [1, 1, 1])], ['w', 's']), "onnx: node 'd' (DequantizeLinear): expected an axis from -2 to 1, got 2"],
    ['blocks of another size', 'FORMAT', weight({ axis: 0, block_size: 2 }, [W, floatTensor('s', [2, 3], [1, 1, 1, 1, 1, 1])], ['w', 's']),
      "onnx: node 'd' (DequantizeLinear): the scales of its input [2, 3] do not fit it"],
    ['a block below 0', 'FORMAT', weight({ axis: 0, block_size: 2 ** 63 }, [W, scale], ['w', 's']), "onnx: node 'd' (DequantizeLinear): expected a block_size from 0 on, got -9223372036854776000"],
    ['float32 that is to become float32', 'FORMAT', weight({}, [floatTensor('w', [2, 1], [1, 1]), scale], ['w', 's']), "onnx: node 'd' (DequantizeLinear): expected integers, got float32"],
    ['a quantisation to 32 bits', 'UNSUPPORTED',
      model([{ op: 'QuantizeLinear', name: 'q', inputs: ['x', 's', 'z'], outputs: ['y'] }], [scale, { name: 'z', dims: [], type: 6, int32s: [0] }]),
      "onnx: the model asks for what is not supported: node 'q' (QuantizeLinear): the element type int32 is not supported"],
    ['bits of another number', 'FORMAT', nBits({ K: 2, N: 1, bits: 3, block_size: 16 }, [bytes('w', [1, 1, 1], [0], 2), scale]),
      "onnx: node 'm' (MatMulNBits): expected K, N, block_size above 0 and 2, 4 or 8 bits, got 2, 1, 16 and 3"],
    ['fewer bytes than weights', 'FORMAT', nBits({ K: 2, N: 2 ** 30, block_size: 16 }, [bytes('w', [1, 1, 1], [0], 2), scale]),
      "onnx: node 'm' (MatMulNBits): expected 8589934592 bytes for its weight, got uint8 [1, 1, 1]"],
    ['an order of groups', 'UNSUPPORTED', nBits({ K: 2, N: 1, block_size: 2 }, [bytes('w', [1, 1, 1], [0], 2), scale], ['x', 'w', 's', '', 's']),
      "onnx: the model asks for what is not supported: node 'm' (MatMulNBits): an order of groups (g_idx) is not supported"],
  ])('%s', (_what, code, file, message) => {
    const error = expectError(() => readOnnx(file), code, /^onnx: /)
    expect(error.message.slice(0, message.length)).toBe(message)
  })

  it('an LSTM whose integers are of another shape', () => {
    const lstm = (scales: TensorSpec, w: TensorSpec = bytes('w', [1, 2, 4], Array(8).fill(1) as number[])): Uint8Array => model([{
      op: 'DynamicQuantizeLSTM', domain: 'com.microsoft', name: 'l', inputs: ['x3', 'w', 'r', '', '', '', '', '', 's', '', 's2'], outputs: ['y'],
    }], [w, bytes('r', [1, 1, 4], [1, 2, 3, 4]), scales, floatTensor('s2', [1], [1])], [{ name: 'x3', type: 1, shape: ['t', 'n', 2] }])
    expect(readOnnx(lstm(floatTensor('s', [1], [1]))).nodes.map(({ op }) => op)).toEqual(['lstm', 'unsqueeze'])
    expectError(() => readOnnx(lstm(floatTensor('s', [1, 3], [1, 1, 1]))), 'FORMAT', /the scales of W \[1, 3\] do not fit it$/)
    expectError(() => readOnnx(lstm(floatTensor('s', [1], [1]), bytes('w', [2, 4], Array(8).fill(1) as number[]))), 'FORMAT', /expected integers with 3 axes for W, got int32 \[2, 4\]$/)
    expectError(() => readOnnx(lstm(floatTensor('s', [1], [1]), bytes('w', [1, 2, 3], Array(6).fill(1) as number[]))), 'FORMAT', /expected W \[1, 4, 2\], got \[1, 3, 2\]$/)
  })
})
