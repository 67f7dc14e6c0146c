// What layers of Keras do not compute, node by node, by its reason; and what looks so, and is written all the same.
import { describe, expect, it } from 'vitest'
import { toKeras } from '../../src/export/index.ts'
import { keras } from '../../src/formats/keras/index.ts'
import { onlyBytes } from '../../src/formats/reader.ts'
import { compile } from '../../src/model/load.ts'
import { addAllOperators } from '../../src/ops/all.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { random } from '../weights.ts'
import { inputsOf } from './golden-models.ts'
import { sameOutputs } from './same-outputs.ts'
import { graphOf, index, ints, scalar, type Node } from './single-nodes.ts'

addAllOperators()

const SEQUENCE = ['batch', 5, 4] as const
const ROWS = ['batch', 4] as const

it.each<[string, Node]>([
  ["gemm 'n': alpha, beta or transA", { op: 'gemm', attributes: { alpha: 2 }, from: [ROWS, random(1, 4, 3)] }],
  ["gemm 'n': alpha, beta or transA", { op: 'gemm', attributes: { beta: 0.5 }, from: [ROWS, random(1, 4, 3), random(2, 3)] }],
  ["gemm 'n': alpha, beta or transA", { op: 'gemm', attributes: { transA: 1 }, from: [[4, 'batch'], random(1, 4, 3)] }],
  ["gemm 'n': a bias that is no vector of its columns", { op: 'gemm', from: [ROWS, random(1, 4, 3), random(2, 1)] }],
  ["the first axis of the input 'x1' is another one than that of 'x0', and Keras has one batch for all", { op: 'matMul', from: [ROWS, [4, 3]] }],
  ["thresholdedRelu 'n': no layer of Keras computes it, with these constants", { op: 'thresholdedRelu', attributes: { alpha: 1, beta: 2 }, from: [ROWS] }],
  ["reshape 'n': a shape that leaves two sizes open: [batch, timesteps, wide] to [", { op: 'reshape', from: [['batch', 'timesteps', 'wide'], ints(0, 0, 1, -1)] }],
  ["layerNormalization 'n': an axis that is the batch", { op: 'layerNormalization', attributes: { axis: 0 }, from: [[2, 4], random(1, 2, 4)] }],
  ["conv 'n': strides and dilations above 1 together", { op: 'conv', attributes: { strides: [2], dilations: [2] }, from: [SEQUENCE, random(1, 3, 5, 2)] }],
  ["maxPool 'n': ceilMode, countIncludePad or dilations", { op: 'maxPool', attributes: { kernelShape: [2], ceilMode: 1 }, from: [SEQUENCE] }],
  ["averagePool 'n': padding that depends on a size, or that a pool has", { op: 'averagePool', attributes: { kernelShape: [3], pads: [0, 1] }, from: [SEQUENCE] }],
  ["globalMaxPool 'n': more than two axes", { op: 'globalMaxPool', from: [['batch', 2, 3, 3, 3]] }],
  ["slice 'n': a part of an axis backwards", { op: 'slice', from: [SEQUENCE, ints(3), ints(0), ints(1), ints(-1)] }],
  ["cumSum 'n': exclusive or reverse", { op: 'cumSum', attributes: { reverse: 1 }, from: [SEQUENCE, index(1)] }],
  ["argMax 'n': the last of equal elements", { op: 'argMax', attributes: { axis: 1, selectLastIndex: 1 }, from: [ROWS] }],
  ["gather 'n': indices with several axes", { op: 'gather', attributes: { axis: 1 }, from: [SEQUENCE, new NdArray(Int32Array.of(0, 1), [2, 1])] }],
  ["sub 'n': a constant that is NaN or infinite", { op: 'sub', from: [ROWS, new NdArray(Float32Array.of(1, NaN, 2, 3), [4])] }],
  ["tile 'n': neither a layer of Keras nor a function of keras.ops computes it", { op: 'tile', from: [ROWS, ints(1, 2)] }],
])('%s: refused', (words, node) => {
  const { message } = expectError(() => toKeras(graphOf(node)), 'UNSUPPORTED', /^toKeras: what layers of Keras do not compute: /)
  expect(message).toContain(words)
})

describe('written', () => {
  it.each<[string, Node]>([
    ['three tensors that broadcast', { op: 'sum', from: [SEQUENCE, SEQUENCE, ['batch', 1, 4]] }], ['one tensor', { op: 'max', from: [ROWS] }],
    ['a number less a tensor', { op: 'sub', from: [scalar(2), ROWS] }], ['a tensor less a number', { op: 'sub', from: [ROWS, scalar(2)] }],
    ['a tensor by a number', { op: 'div', from: [ROWS, scalar(4)] }], ['a number for each channel', { op: 'mul', from: [SEQUENCE, random(1, 4)] }],
    ['a number more for each step', { op: 'add', from: [SEQUENCE, random(1, 5, 1)] }], ['a number more', { op: 'add', from: [ROWS, scalar(0.5)] }],
    ['a matrix the other way round', { op: 'gemm', attributes: { transB: 1 }, from: [ROWS, random(1, 3, 4), random(2, 3)] }],
    ['axes in the order that a transpose says', { op: 'transpose', attributes: { perm: [0, 2, 1] }, from: [SEQUENCE] }],
    ['a reshape that changes nothing', { op: 'reshape', from: [ROWS, ints(0, 4)] }], ['a softmax along another axis', { op: 'softmax', attributes: { axis: 1 }, from: [SEQUENCE] }],
    ['neg', { op: 'neg', from: [ROWS] }], ['affine', { op: 'affine', attributes: { alpha: 2, beta: -1 }, from: [ROWS] }], ['elu', { op: 'elu', attributes: { alpha: 2 }, from: [ROWS] }],
    ['thresholdedRelu', { op: 'thresholdedRelu', attributes: { alpha: 0.25 }, from: [ROWS] }], ['clipped', { op: 'clipped', attributes: { alpha: 0, beta: 0.5 }, from: [ROWS] }],
    ['leakyRelu', { op: 'leakyRelu', attributes: { alpha: 0.25 }, from: [ROWS] }], ['layerNormalization without a bias', { op: 'layerNormalization', from: [ROWS, random(1, 4)] }],
    ['tensors with other numbers of axes', { op: 'add', from: [SEQUENCE, ['batch', 1, 4]] }], ['a tensor by a tensor', { op: 'div', from: [ROWS, ROWS] }],
    ['a number by a tensor', { op: 'div', from: [scalar(2), ROWS] }], ['a tensor less a vector', { op: 'sub', from: [ROWS, random(1, 4)] }],
    ['the larger of a tensor and a number', { op: 'max', from: [ROWS, scalar(0.1)] }], ['a number for each element', { op: 'mul', from: [SEQUENCE, random(1, 5, 4)] }],
    ['a product with several matrices', { op: 'matMul', from: [SEQUENCE, random(1, 1, 4, 3)] }], ['steps by their number', { op: 'gather', attributes: { axis: 1 }, from: [SEQUENCE, ints(1, -2)] }],
    ['the last step of an input', { op: 'gather', attributes: { axis: 1 }, from: [SEQUENCE, index(-1)] }], ['rows of a table', { op: 'gather', attributes: { axis: 1 }, from: [SEQUENCE, ints(1, 2)] }],
    ['sin', { op: 'sin', from: [ROWS] }], ['a softmax over the batch', { op: 'softmax', attributes: { axis: 0 }, from: [ROWS] }],
    ['the logarithm of a softmax along another axis', { op: 'logSoftmax', attributes: { axis: 1 }, from: [SEQUENCE] }], ['a batch that is moved', { op: 'transpose', attributes: { perm: [1, 0, 2] }, from: [SEQUENCE] }],
    ['a reshape of all axes', { op: 'reshape', from: [ROWS, ints(-1, 2)] }], ['rows after rows', { op: 'concat', attributes: { axis: 0 }, from: [ROWS, ROWS] }],
    ['the mean of the features', { op: 'reduceMean', attributes: { keepdims: 0 }, from: [SEQUENCE, ints(2)] }], ['the largest of all', { op: 'reduceMax', from: [SEQUENCE] }],
    ['a part, and the other way round', { op: 'slice', from: [SEQUENCE, ints(1, -1), ints(4, -(2 ** 31)), ints(1, 2), ints(2, -1)] }],
    ['sums so far', { op: 'cumSum', from: [SEQUENCE, index(1)] }], ['the place of the largest', { op: 'argMax', attributes: { axis: 1, keepdims: 0 }, from: [ROWS] }],
    ['convolution with pads on either side', { op: 'conv', attributes: { pads: [2, 1] }, from: [['batch', 4, 6], random(1, 3, 4, 2)] }],
  ])('%s', async (_what, node) => {
    const runtime = await createRuntime({ variant: 'simd' })
    using model = await compile(graphOf(node), { runtime })
    using copy = await compile(await keras.read({ ...onlyBytes(toKeras(model)), name: 'model.keras' }, {}), { runtime })
    const inputs = inputsOf(model)
    const got = copy.run(Object.fromEntries(copy.inputs.map(({ name }, n) => [name, inputs[model.inputs[n]?.name as string] as NdArray])))
    sameOutputs({ y: Object.values(got)[0] as NdArray }, model.run(inputs))
  })
})
