// What quantize tells, and what it runs on.
import { expect, it } from 'vitest'
import type { Graph } from '../../src/graph/graph.ts'
import { dense, lstm, sequential } from '../../src/layers/index.ts'
import { formatReport, quantize, type QuantizationReport } from '../../src/quantization/index.ts'
import { createRuntime, defaultRuntime } from '../../src/runtime/create.ts'
import { expectRejection } from '../expect-error.ts'
import { denseWeights, lstmWeights, random } from '../weights.ts'

const net = (): Graph => sequential([lstm({ inputSize: 7, hiddenSize: 12 }), dense({ inputSize: 12, units: 5 })])
  .loadStateDict(Object.fromEntries([...lstmWeights('lstm', 7, 12), ...denseWeights('dense', 12, 5)])).toGraph()

it('uses no other runtime than the one that is given', async () => {
  const { linearMemory } = await defaultRuntime()
  let allocations = 0
  const allocate = linearMemory.allocate.bind(linearMemory)
  linearMemory.allocate = (...given) => {
    allocations++
    return allocate(...given)
  }
  try {
    const { model } = await quantize(net(), { runtime: await createRuntime(), data: { input: random(1, 2, 3, 7) } })
    model.dispose()
  } finally {
    Reflect.deleteProperty(linearMemory, 'allocate')
  }
  expect(allocations).toBe(0)
})

it('layers take no longer than all of it', async () => {
  const begin = performance.now()
  const { model, report: { layers } } = await quantize(net())
  const microseconds = (performance.now() - begin) * 1000
  for (const { microsecondsBefore, microsecondsAfter } of layers) {
    expect(microsecondsBefore).toBeLessThan(microseconds)
    expect(microsecondsAfter).toBeLessThan(microseconds)
  }
  model.dispose()
})

it('halves are not measured: they are widened', async () => {
  const { model, report: { layers } } = await quantize(net(), { dtype: 'float16' })
  expect(layers.flatMap(({ microsecondsBefore, microsecondsAfter }) => [microsecondsBefore, microsecondsAfter])).toEqual([NaN, NaN, NaN, NaN])
  model.dispose()
})

it('halves that a kept layer shares stay for the other one, too', async () => {
  const graph: Graph = {
    inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 16] }], outputs: [{ name: 'y', value: 'y3' }],
    nodes: ['a', 'b', 'c'].map((name, n) => (
      { name, op: 'linear', inputs: [n === 0 ? 'x' : `y${n}`], outputs: [`y${n + 1}`], parameters: { weight: name === 'c' ? 'own' : 'shared' }, attributes: {} }
    )),
    constants: new Map([['shared', random(8, 16, 16)], ['own', random(9, 16, 16)]]),
  }
  const { model, report } = await quantize(graph, { dtype: 'float16', keep: ['b'] })
  expect(report.layers.map(({ kept }) => kept)).toEqual(["shares its weights with 'b', which was asked to stay", 'asked to', undefined])
  model.dispose()
})

it('names to keep are texts, all of them', async () => {
  await expectRejection(quantize(net(), { keep: ['lstm', 3 as unknown as string] }), 'VALUE', /^quantize: expected a list of names for 'keep', got /)
})

it('a million bytes are a megabyte', () => {
  const report = (bytesBefore: number, bytesAfter: number): QuantizationReport => ({ dtype: 'int8', layers: [], bytesBefore, bytesAfter, change: undefined })
  expect(formatReport(report(1_000_000, 999_000))).toContain('int8: 1 MB -> 999 kB (100 %)')
})
