// Layers of 8 bits in every binary: near the same layers in float32 with the same weights, the same bits however they are called.
import { beforeAll, describe, expect, it } from 'vitest'
import { compile } from '../../src/model/load.ts'
import { quantize } from '../../src/quantization/quantize.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { addAllOperators } from '../../src/ops/all.ts'
import type { Constant } from '../../src/ops/constant.ts'
import { knownOperators } from '../../src/ops/registry.ts'
import type { Model } from '../../src/model/model.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { describeBinaries, runtimeOf } from '../variants.ts'
import { GRAPHS, someX } from './graphs.ts'

/** The same weights as float32. */
function widened(graph: Graph): Graph {
  return { ...graph, constants: new Map([...graph.constants].map(([name, { data, shape }]) => [name, new NdArray(data, shape)])) }
}

it('every operator that can have weights of 8 bits has a layer here', () => {
  addAllOperators()
  const named = knownOperators().filter((operator) => operator.narrowWeights !== undefined).map(({ name }) => name)
  // A table is widened when it is loaded: quantize.test.ts.
  const tested = Object.values(GRAPHS).map(({ graph }) => graph.nodes[0]?.op)
  expect(new Set(named)).toEqual(new Set([...tested, 'gather']))
})

describeBinaries('layers of 8 bits', (binary) => {
  let runtime: Runtime
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
  })
  const known: Map<Graph, Promise<Model>> = new Map()
  /** A graph in 8 bits, made once. */
  const small = (graph: Graph): Promise<Model> => {
    const made = known.get(graph) ?? quantize(graph, { runtime, convolutions: 'int8' }).then(({ model }) => model)
    known.set(graph, made)
    return made
  }

  describe.each(Object.entries(GRAPHS))('%s', (name, { graph, shape, dtype }) => {
    it('is near float32 with the same weights, and not the same', async () => {
      const model = await small(graph)
      const constants = [...model.toGraph().constants.values()] as Constant[]
      expect(constants.some(({ storage }) => storage === 'int8')).toBe(true)
      using whole = await compile(widened(model.toGraph()), { runtime })
      const x = someX(shape, dtype)
      const [got, expected] = [model.run({ x }).y as NdArray<'float32'>, whole.run({ x }).y as NdArray<'float32'>]
      const most = expected.data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
      const far = got.data.reduce((largest, value, n) => Math.max(largest, Math.abs(value - (expected.data[n] as number))), 0)
      // Activations have 255 levels: each product is off by half a level at most, the sum by less than their root of k.
      if (name === 'embedding') expect(far).toBe(0)
      else expect(far).toBeGreaterThan(0)
      expect(far / most).toBeLessThan(0.04)
    })

    it('gives a row the same bits alone and in a batch', async () => {
      const model = await small(graph)
      const x = someX(shape, dtype)
      const together = (model.run({ x }).y as NdArray).data
      const [batch = 0] = shape
      const [size, outSize] = [x.data.length / batch, together.length / batch]
      for (let row = 0; row < batch; row++) {
        const alone = model.run({ x: new NdArray(x.data.slice(row * size, (row + 1) * size), [1, ...shape.slice(1)]) }).y as NdArray
        expect(alone.data).toEqual(together.slice(row * outSize, (row + 1) * outSize))
      }
    })
  })

  it.each(['lstm', 'lstm with a projection', 'gru', 'gru that resets before', 'rnn', 'linear'])('%s gives a stream the bits of a run, step by step and in chunks', async (name) => {
    const { graph, shape } = GRAPHS[name] as typeof GRAPHS[string]
    const steps: Graph = name === 'linear' ? { ...graph, inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 'timesteps', 37] }] } : graph
    const model = await small(steps)
    const [timesteps, features] = name === 'linear' ? [7, 37] : [shape[1] as number, shape[2] as number]
    const x = someX([1, timesteps, features])
    const expected = (model.run({ x }).y as NdArray).data
    const width = expected.length / timesteps
    using stream = model.stream()
    for (let step = 0; step < timesteps; step++) {
      const out = new Float32Array(width)
      stream.step(x.data.slice(step * features, (step + 1) * features), out)
      expect(out).toEqual(expected.slice(step * width, (step + 1) * width))
    }
    using pool = model.streams(3)
    const ids = [pool.open(), pool.open()]
    const out = new Float32Array(2 * width)
    for (let step = 0; step < timesteps; step++) {
      const row = x.data.slice(step * features, (step + 1) * features)
      pool.step(ids, Float32Array.from([...row, ...row]), out)
      expect(out).toEqual(Float32Array.from([...expected.slice(step * width, (step + 1) * width), ...expected.slice(step * width, (step + 1) * width)]))
    }
  })
})
