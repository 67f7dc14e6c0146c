// Which constants learn: weights, and what is named besides.
import { describe, expect, it } from 'vitest'
import { allFamilies } from '../../src/gradients/late/all.ts'
import { trainedNames } from '../../src/gradients/trained-constants.ts'
import type { Graph, GraphNode } from '../../src/graph/graph.ts'
import { addCommonOperators } from '../../src/ops/common-operators.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import { createTrainer, resumeTrainer, sgd } from '../../src/training/index.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError, expectRejection } from '../expect-error.ts'
import { pseudoRandom } from '../random.ts'

addCommonOperators()

const GRADIENTS = allFamilies()
const runtime = await createRuntime({ variant: 'simd' })
const node = (op: string, inputs: readonly string[], output: string, attributes: GraphNode['attributes'] = {}): GraphNode => (
  { name: `make ${output}`, op, inputs, outputs: [output], parameters: {}, attributes }
)
const floats = (seed: number, ...shape: readonly number[]): NdArray => new NdArray(pseudoRandom(seed, shape.reduce((a, b) => a * b, 1), 1), shape)

/** What ONNX files have: inputs are scaled, a product and its bias, and outputs are scaled back. */
const scaled: Graph = {
  inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 3] }],
  outputs: [{ name: 'y', value: 'y' }],
  nodes: [
    node('sub', ['x', 'mean'], 'centred'), node('mul', ['centred', 'scale'], 'normal'), node('matMul', ['normal', 'w'], 'product'),
    node('add', ['bias', 'product'], 'sums'), node('mul', ['sums', 'range'], 'wide'), node('add', ['wide', 'least'], 'y'),
  ],
  constants: new Map([
    ['mean', floats(1, 3)], ['scale', floats(2, 3)], ['w', floats(3, 3, 2)], ['bias', floats(4, 2)], ['range', floats(5, 2)], ['least', floats(6, 2)],
  ]),
}
const x = floats(7, 9, 3)
const y = floats(8, 9, 2)
const OPTIONS = { loss: 'mse', optimizer: sgd({ learningRate: 0.1 }), runtime } as const

describe('a trainer', () => {
  it('writes nothing at address 0 where gradients of recurrent weights are not wanted', async () => {
    const own = await createRuntime({ variant: 'simd' })
    const first = own.tensor(pseudoRandom(9, 8192, 1))
    const lstm = node('lstm', ['x'], 'h', { hiddenSize: 33, numLayers: 1, direction: 'forward', returnSequences: true })
    const layers: Graph = {
      ...scaled, inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 5, 3] }], outputs: [{ name: 'y', value: 'h' }],
      nodes: [{ ...lstm, parameters: { '0.forward.inputWeights': 'w', '0.forward.recurrentWeights': 'u' } }],
      constants: new Map([['w', floats(10, 132, 3)], ['u', floats(11, 132, 33)]]),
    }
    const trainer = await createTrainer(layers, { ...OPTIONS, runtime: own })
    trainer.freeze(['u'])
    trainer.trainOnBatch(floats(12, 2, 5, 3), floats(13, 2, 5, 33))
    expect(first.data).toEqual(pseudoRandom(9, 8192, 1))
    trainer.dispose()
  })

  it('moves weights and biases, and no vector that scales', async () => {
    const trainer = await createTrainer(scaled, OPTIONS)
    expect(trainer.trainableNames).toEqual(['w', 'bias'])
    trainer.trainOnBatch(x, y)
    const { constants } = trainer.engine.toGraph()
    const changed = [...scaled.constants].filter(([name, { data }]) => data.some((value, n) => value !== constants.get(name)?.data[n])).map(([name]) => name)
    expect(changed).toEqual(['w', 'bias'])
    expectError(() => trainer.unfreeze(['range']), 'VALUE',
      "unfreeze: 'range' is a constant, no weight: to train it, name it in createTrainer(net, { trainable: ['range'] })")
    trainer.dispose()
  })

  it('moves what is named besides, also after a checkpoint', async () => {
    const trainer = await createTrainer(scaled, { ...OPTIONS, trainable: ['range', 'make centred'] })
    expect(trainer.trainableNames).toEqual(['mean', 'w', 'bias', 'range'])
    trainer.freeze(['mean'])
    trainer.trainOnBatch(x, y)
    const resumed = await resumeTrainer(trainer.save(), { runtime })
    expect(resumed.trainableNames).toEqual(['w', 'bias', 'range'])
    expect(resumed.trainOnBatch(x, y)).toEqual(trainer.trainOnBatch(x, y))
    expect(resumed.getWeights()).toEqual(trainer.getWeights())
    expect(resumed.getWeights().get('range')).not.toEqual(scaled.constants.get('range')?.data)
    trainer.dispose()
    resumed.dispose()
    await expectRejection(createTrainer(scaled, { ...OPTIONS, trainable: ['ranges'] }), 'VALUE', "trainable: no float32 constant 'ranges', and no layer that has one")
  })
})

it('tables, biases behind moves, and slopes of a PReLU are weights', () => {
  const graph: Graph = {
    inputs: [{ name: 'x', dtype: 'int32', shape: ['batch'] }],
    outputs: [{ name: 'y', value: 'y' }],
    nodes: [
      node('gather', ['table', 'x'], 'rows', { axis: 0 }), node('matMul', ['rows', 'w'], 'product'), node('reshape', ['product', 'shape'], 'moved'),
      node('add', ['moved', 'bias'], 'sums'), node('min', ['sums', 'zero'], 'negative'), node('mul', ['negative', 'slope'], 'y'),
    ],
    constants: new Map([
      ['table', floats(1, 5, 3)], ['w', floats(2, 3, 4)], ['shape', new NdArray(Int32Array.of(-1, 2, 2), [3])], ['bias', floats(3, 2)],
      ['zero', floats(4)], ['slope', floats(5, 2)],
    ]),
  }
  expect([...trainedNames(graph, GRADIENTS)]).toEqual(['table', 'w', 'bias', 'slope'])
})

it('the bias of one unit is a weight, and so is the one slope of a PReLU of ONNX; scalars are none', () => {
  const graph: Graph = {
    inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 3] }],
    outputs: [{ name: 'y', value: 'y' }],
    nodes: [
      node('matMul', ['x', 'w'], 'product'), node('add', ['bias', 'product'], 'sums'), node('less', ['sums', 'zero'], 'below'), node('mul', ['sums', 'slope'], 'scaled'),
      node('where', ['below', 'scaled', 'sums'], 'bent'), node('matMul', ['bent', 'v'], 'second'), node('add', ['second', 'half'], 'y'),
    ],
    constants: new Map([['w', floats(1, 3, 1)], ['bias', floats(2, 1)], ['zero', floats(3)], ['slope', floats(4, 1)], ['v', floats(5, 1, 1)], ['half', floats(6)]]),
  }
  expect([...trainedNames(graph, GRADIENTS)]).toEqual(['w', 'bias', 'slope', 'v'])
})

/** One step of SGD, learning rate 1, from float64: GroupNorm(2, 4), mean squared error. */
const LOSS = 0.49772518847009134
const WEIGHT = [0.7978583896945739, 1.28871455566102, 0.7822277922750401, 1.7427090195927941]
const BIAS = [-0.206958319359512, 0.6575879355669884, -0.17287571421378395, 1.08120322200442]

describe('normalisations', () => {
  const rows = (...values: readonly number[]): NdArray => new NdArray(Int32Array.from(values), [values.length])
  const column = (...values: readonly number[]): NdArray => new NdArray(Float32Array.from(values), [values.length, 1])
  const filled = (value: number, length: number): NdArray => new NdArray(new Float32Array(length).fill(value), [length])
  const inputs: Graph['inputs'] = [{ name: 'x', dtype: 'float32', shape: ['batch', 4, 3] }]
  /** As PyTorch's exporters write a GroupNorm of two groups; `late`: scale and shift are vectors that are made columns. */
  const groups = (late: boolean): Graph => ({
    inputs, outputs: [{ name: 'y', value: 'y' }],
    nodes: [
      ...late ? [node('reshape', ['weight', 'column'], 'scale'), node('reshape', ['bias', 'column'], 'shift')] : [],
      node('reshape', ['x', 'groups'], 'rows'), node('instanceNormalization', ['rows', 'ones', 'zeros'], 'normal'), node('reshape', ['normal', 'back'], 'own'),
      node('mul', ['own', late ? 'scale' : 'weight'], 'scaled'), node('add', ['scaled', late ? 'shift' : 'bias'], 'y'),
    ],
    constants: new Map([
      ['groups', rows(0, 2, -1)], ['back', rows(0, 4, 3)], ['column', rows(-1, 1)], ['ones', filled(1, 2)], ['zeros', filled(0, 2)],
      ['weight', late ? column(1, 1.5, 0.5, 2).reshape([4]) : column(1, 1.5, 0.5, 2)], ['bias', late ? column(0, 0.5, -0.5, 1).reshape([4]) : column(0, 0.5, -0.5, 1)],
    ]),
  })

  it.each([false, true])('of groups learn by their scale and shift alone, as in PyTorch 2.13 (vectors: %s)', async (late) => {
    const trainer = await createTrainer(groups(late), { ...OPTIONS, optimizer: sgd({ learningRate: 1 }) })
    const names = late ? ['scale', 'shift'] : ['weight', 'bias']
    expect(trainer.trainableNames).toEqual(names)
    const wave = (of: (n: number) => number): NdArray => new NdArray(Float32Array.from({ length: 24 }, (_, n) => of(n)), [2, 4, 3])
    expect(trainer.trainOnBatch(wave((n) => Math.sin(n + 1)), wave(Math.cos)).loss).toBeCloseTo(LOSS, 5)
    const weights = trainer.getWeights()
    names.forEach((name, at) => ([WEIGHT, BIAS][at] as number[]).forEach((value, n) => expect(weights.get(name)?.[n]).toBeCloseTo(value, 5)))
    trainer.dispose()
  })

  it('of instances keep ones and zeros that have no names of weights', () => {
    const instances = (scale: string, shift: string, value = 1): Graph => ({
      inputs, outputs: [{ name: 'y', value: 'y' }], nodes: [node('instanceNormalization', ['x', scale, shift], 'y')], constants: new Map([[scale, filled(value, 4)], [shift, filled(0, 4)]]),
    })
    expect([...trainedNames(instances('val_3', 'val_7'), GRADIENTS)]).toEqual([])
    expect([...trainedNames(instances('norm.weight', 'norm.bias'), GRADIENTS)]).toEqual(['norm.weight', 'norm.bias'])
    expect([...trainedNames(instances('val_3', 'val_7', 2), GRADIENTS)]).toEqual(['val_3', 'val_7'])
  })
})
