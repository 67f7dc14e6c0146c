import { describe, expect, it } from 'vitest'
import type { Graph } from '../src/graph/graph.ts'
import { compile } from '../src/model/load.ts'
import { addAllOperators } from '../src/ops/all.ts'
import { createRuntime } from '../src/runtime/create.ts'
import { NdArray } from '../src/values/ndarray.ts'
import { lengthOf } from '../src/values/shape.ts'
import { lstmGraph, randomLstm } from './lstm-graph.ts'
import { pseudoRandom } from './random.ts'

const shape = { inputSize: 3, hiddenSize: 5, numLayers: 1, bidirectional: true, bias: true }
const x = new NdArray(pseudoRandom(9, 4 * 2 * 3, 1), [4, 2, 3])

it('numbers that a plan writes once are not where a node before had its workspace', async () => {
  const lstm = lstmGraph(randomLstm(shape, 1), true)
  const transposed: Graph = {
    ...lstm,
    outputs: [{ name: 'transposed', value: 'transposed' }],
    nodes: [...lstm.nodes, { name: 't', op: 'transpose', inputs: ['output'], outputs: ['transposed'], parameters: {}, attributes: { perm: [1, 2, 0] } }],
  }
  using plain = await compile(lstm)
  using model = await compile(transposed)
  const { output } = plain.run({ input: x })
  for (let run = 0; run < 2; run++) {
    const result = model.run({ input: x }).transposed
    expect(result?.shape).toEqual([2, 10, 4])
    expect(result?.data).toEqual(Float32Array.from({ length: 80 }, (_, n) => output?.data[(n % 4) * 20 + Math.floor(n / 4)] as number))
  }
})

const random = (seed: number, sizes: readonly number[]): NdArray => new NdArray(pseudoRandom(seed, lengthOf(sizes), 1), sizes)

describe('constant matrices', () => {
  const node = (op: string, inputs: readonly string[], attributes: Graph['nodes'][number]['attributes'] = {}): Graph['nodes'][number] => (
    { name: op, op, inputs, outputs: [`${op}/out`], parameters: {}, attributes }
  )
  const graphOf = (nodes: Graph['nodes'], constants: Readonly<Record<string, NdArray>>, input: readonly (string | number)[]): Graph => ({
    inputs: [{ name: 'x', dtype: 'float32', shape: input }],
    outputs: [{ name: 'y', value: nodes.at(-1)?.outputs[0] as string }], nodes, constants: new Map(Object.entries(constants)),
  })
  const weight = random(1, [64, 96])
  const PACKED = 4 * (96 / 4) * (64 + 1) * 4 // blocks of four columns, a bias on top of 64 rows

  it.each<[string, Graph]>([
    ['matMul', graphOf([node('matMul', ['x', 'w'])], { w: weight }, ['batch', 64])],
    ['gemm', graphOf([node('gemm', ['x', 'w'], { transB: 1 })], { w: random(1, [96, 64]) }, ['batch', 64])],
    ['conv', graphOf([node('conv', ['x', 'w', 'b'])], { w: random(1, [96, 64, 1]), b: random(2, [96]) }, ['batch', 64, 'time'])],
    ['convTranspose', graphOf([node('convTranspose', ['x', 'w'])], { w: random(1, [64, 96, 1]) }, ['batch', 64, 'time'])],
  ])('of %s are packed once, and not kept beside that', async (_op, graph) => {
    addAllOperators()
    const runtime = await createRuntime()
    using model = await compile(graph, { runtime })
    const { usedBytes } = runtime.memory()
    // One copy: a second one would be 24,576 bytes more.
    expect(usedBytes).toBeGreaterThanOrEqual(64 * 96 * 4)
    expect(usedBytes).toBeLessThan(PACKED + 4096)
    expect(model.describe().parameters).toBe(64 * 96 + (graph.constants.get('b')?.data.length ?? 0))
    expect(model.describe().rows[0]?.parameters).toBe(model.describe().parameters)
  })

  it('are kept where something else asks for them too; what is shared counts once', async () => {
    const nodes = [node('matMul', ['x', 'w']), node('add', ['matMul/out', 'w'])]
    const square = random(3, [5, 5])
    using model = await compile(graphOf(nodes, { w: square }, [5, 5]))
    const given = random(4, [5, 5])
    const { y } = model.run({ x: given })
    const expected = Array.from({ length: 25 }, (_, n) => {
      const [row, column] = [Math.floor(n / 5), n % 5]
      let sum = square.data[n] as number
      for (let k = 0; k < 5; k++) sum += (given.data[row * 5 + k] as number) * (square.data[k * 5 + column] as number)
      return sum
    })
    y?.data.forEach((value, n) => expect(value).toBeCloseTo(expected[n] as number, 5))
    expect(model.describe().parameters).toBe(25)
    expect(model.describe().rows.map(({ parameters }) => parameters)).toEqual([25, 25])
  })

  it.each(['matMul', 'gemm'])('of %s are told apart by their elements, not by their sizes', async (op) => {
    const [w, v] = [random(5, [3, 7]), random(6, [3, 7])]
    const given = random(7, [2, 3])
    const nodes = ['w', 'v'].map((name) => ({ ...node(op, ['x', name]), name, outputs: [name === 'w' ? 'first' : 'second'] }))
    using model = await compile({
      ...graphOf(nodes, { w, v }, ['batch', 3]), outputs: [{ name: 'first', value: 'first' }, { name: 'second', value: 'second' }],
    })
    const { first, second } = model.run({ x: given })
    for (const [result, weights] of [[first, w], [second, v]] as const) {
      result?.data.forEach((value, n) => {
        const [row, column] = [Math.floor(n / 7), n % 7]
        const products = [0, 1, 2].map((k) => (given.data[row * 3 + k] as number) * (weights.data[k * 7 + column] as number))
        expect(value).toBeCloseTo(products.reduce((a, b) => a + b, 0), 5)
      })
    }
  })

  it('single numbers and integers are settings, not parameters; outputs may be constants', async () => {
    const graph = graphOf([node('mul', ['x', 'half']), node('reshape', ['mul/out', 'shape'])], {
      half: new NdArray(Float32Array.of(0.5), [1]), shape: new NdArray(Int32Array.of(2, 3), [2]),
    }, [6])
    const fixed: Graph = { ...graph, outputs: [...graph.outputs, { name: 'half', value: 'half' }] }
    using model = await compile(fixed)
    expect(model.describe().parameters).toBe(0)
    const { y, half } = model.run({ x: [1, 2, 3, 4, 5, 6] })
    expect([y?.toArray(), half?.toArray()]).toEqual([[[0.5, 1, 1.5], [2, 2.5, 3]], [0.5]])
  })
})

it('a view that nobody reads keeps no buffer alive', async () => {
  addAllOperators()
  const used = async (view: string): Promise<number> => {
    const runtime = await createRuntime()
    const nodeOf = (op: string, from: string, to: string): Graph['nodes'][number] => ({ name: to, op, inputs: [from], outputs: [to], parameters: {}, attributes: {} })
    using model = await compile({
      inputs: [{ name: 'x', dtype: 'float32', shape: [4096] }], outputs: [{ name: 'y', value: 'd' }, { name: 'rest', value: 'rest' }],
      constants: new Map([['sizes', new NdArray(Int32Array.of(4096, 0), [2])]]),
      nodes: [
        nodeOf('neg', 'x', 'a'), { name: 'parts', op: 'split', inputs: ['a', 'sizes'], outputs: [view, 'rest'], parameters: {}, attributes: { axis: 0 } },
        nodeOf('tanh', 'a', 'b'), nodeOf('neg', 'b', 'c'), nodeOf('tanh', 'c', 'd'),
      ],
    }, { runtime })
    const input = pseudoRandom(3, 4096, 1)
    const { y } = model.run({ x: input })
    expect(y?.data[77]).toBeCloseTo(Math.tanh(Math.tanh(input[77] as number)), 5)
    return runtime.memory().usedBytes
  }
  expect(await used('view')).toBe(await used(''))
})
