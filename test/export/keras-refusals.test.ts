// What layers of Keras do not compute, node by node, by its reason; and what looks so, and is written all the same.
import { describe, expect, it } from 'vitest'
import { toKeras } from '../../src/export/index.ts'
import { keras } from '../../src/formats/keras/index.ts'
import { onlyBytes } from '../../src/formats/reader.ts'
import { compile } from '../../src/model/load.ts'
import { addAllOperators } from '../../src/ops/all.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import type { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { random } from '../weights.ts'
import { inputsOf } from './golden-models.ts'
import { sameOutputs } from './same-outputs.ts'
import { graphOf, index, ints, scalar, type Node } from './single-nodes.ts'

addAllOperators()

const SEQUENCE = ['batch', 5, 4] as const
const ROWS = ['batch', 4] as const

it.each<[string, Node]>([
  ["add 'n': arithmetic of tensors with other numbers of axes", { op: 'add', from: [SEQUENCE, [4]] }],
  // The second fits the first, the third does not.
  ["sum 'n': arithmetic of tensors with other numbers of axes", { op: 'sum', from: [SEQUENCE, SEQUENCE, [4]] }],
  ["div 'n': arithmetic of tensors with other numbers of axes", { op: 'div', from: [ROWS, ROWS] }],
  ["div 'n': arithmetic with a constant that is more than one number", { op: 'div', from: [scalar(2), ROWS] }],
  ["sub 'n': arithmetic with a constant that is more than one number", { op: 'sub', from: [ROWS, random(1, 4)] }],
  ["max 'n': arithmetic with a constant that is more than one number", { op: 'max', from: [ROWS, scalar(1)] }],
  ["mul 'n': arithmetic with a constant that is more than one number", { op: 'mul', from: [SEQUENCE, random(1, 5, 4)] }],
  ["gemm 'n': alpha, beta or transA", { op: 'gemm', attributes: { alpha: 2 }, from: [ROWS, random(1, 4, 3)] }],
  ["gemm 'n': alpha, beta or transA", { op: 'gemm', attributes: { beta: 0.5 }, from: [ROWS, random(1, 4, 3), random(2, 3)] }],
  ["gemm 'n': alpha, beta or transA", { op: 'gemm', attributes: { transA: 1 }, from: [[4, 'batch'], random(1, 4, 3)] }],
  ["gemm 'n': a bias that is no vector of its columns", { op: 'gemm', from: [ROWS, random(1, 4, 3), random(2, 1)] }],
  ["gemm 'n': a matrix that is computed", { op: 'gemm', from: [ROWS, [4, 3]] }],
  ["matMul 'n': a product with other things than one matrix", { op: 'matMul', from: [SEQUENCE, random(1, 2, 4, 3)] }],
  ["gather 'n': indices", { op: 'gather', attributes: { axis: 1 }, from: [SEQUENCE, ints(1, 2)] }],
  ["gather 'n': the last step of what is no recurrent layer that walks forwards, or of one whose other steps are wanted too",
    { op: 'gather', attributes: { axis: 1 }, from: [SEQUENCE, index(-1)] }],
  ["sin 'n': no layer of Keras computes it, with these constants", { op: 'sin', from: [ROWS] }],
  ["thresholdedRelu 'n': no layer of Keras computes it, with these constants", { op: 'thresholdedRelu', attributes: { alpha: 1, beta: 2 }, from: [ROWS] }],
  ["softmax 'n': an axis that is the batch", { op: 'softmax', attributes: { axis: 0 }, from: [ROWS] }],
  ["logSoftmax 'n': another axis than the last", { op: 'logSoftmax', attributes: { axis: 1 }, from: [SEQUENCE] }],
  ["reshape 'n': a shape that moves the batch, or leaves two sizes open: [batch, 4] to [", { op: 'reshape', from: [ROWS, ints(-1, 2)] }],
  ["transpose 'n': a transpose that moves the batch", { op: 'transpose', attributes: { perm: [1, 0, 2] }, from: [SEQUENCE] }],
  ["transpose 'n': a transpose that moves the batch", { op: 'transpose', from: [SEQUENCE] }],
  ["layerNormalization 'n': an axis that is the batch", { op: 'layerNormalization', attributes: { axis: 0 }, from: [[2, 4], random(1, 2, 4)] }],
  ["concat 'n': an axis that is the batch", { op: 'concat', attributes: { axis: 0 }, from: [ROWS, ROWS] }],
  ["conv 'n': strides and dilations above 1 together", { op: 'conv', attributes: { strides: [2], dilations: [2] }, from: [SEQUENCE, random(1, 3, 5, 2)] }],
  ["maxPool 'n': ceilMode, countIncludePad or dilations", { op: 'maxPool', attributes: { kernelShape: [2], ceilMode: 1 }, from: [SEQUENCE] }],
  ["averagePool 'n': padding that depends on a size, or that a pool has", { op: 'averagePool', attributes: { kernelShape: [3], pads: [0, 1] }, from: [SEQUENCE] }],
  ["globalMaxPool 'n': more than two axes", { op: 'globalMaxPool', from: [['batch', 2, 3, 3, 3]] }],
  ["reduceMean 'n': a reduction over other axes than that of the timesteps", { op: 'reduceMean', from: [SEQUENCE, ints(2)] }],
  ["reduceMax 'n': a reduction over other axes than that of the timesteps", { op: 'reduceMax', from: [SEQUENCE] }],
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
