// Which constants learn: weights, and what is named besides.
import { describe, expect, it } from 'vitest'
import { trainedNames } from '../../src/gradients/trained-constants.ts'
import type { Graph, GraphNode } from '../../src/graph/graph.ts'
import { addCommonOperators } from '../../src/ops/common-operators.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import { createTrainer, resumeTrainer, sgd } from '../../src/training/index.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError, expectRejection } from '../expect-error.ts'
import { pseudoRandom } from '../random.ts'

addCommonOperators()
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
  expect([...trainedNames(graph)]).toEqual(['table', 'w', 'bias', 'slope'])
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
  expect([...trainedNames(graph)]).toEqual(['w', 'bias', 'slope', 'v'])
})
