// Runs that take turns: the same bits as run(), stopped and watched on the way.
import { beforeAll, expect, it, vi } from 'vitest'
import type { Graph } from '../../src/graph/graph.ts'
import { dense, lstm, sequential } from '../../src/layers/index.ts'
import { compile } from '../../src/model/load.ts'
import type { RunInput } from '../../src/plan/binding.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError, expectRejection } from '../expect-error.ts'
import { lstmGraph, randomLstm } from '../lstm-graph.ts'
import { pseudoRandom } from '../random.ts'
import { denseWeights, lstmWeights, random } from '../weights.ts'
import { charModel, convolutionModel, torchLstm } from './models.ts'

let runtime: Runtime
beforeAll(async () => {
  runtime = await createRuntime({ variant: 'simd' })
})

const STEPS = 700
const array = (seed: number, ...shape: number[]): NdArray => new NdArray(pseudoRandom(seed, shape.reduce((a, b) => a * b, 1), 1), shape)

const CASES: Readonly<Record<string, readonly [() => Graph, Readonly<Record<string, NdArray>>, total: number]>> = {
  'a torch lstm with its first states': [() => torchLstm(3, 5, 2), { input: array(1, 2, STEPS, 3), h_0: array(2, 2, 2, 5), c_0: array(3, 2, 2, 5) }, STEPS],
  'a time-major torch lstm': [() => torchLstm(3, 5, 1, true), { input: array(1, STEPS, 2, 3) }, STEPS],
  'embedding and softmax': [charModel, { input: new NdArray(Int32Array.from({ length: 3 * STEPS }, (_, n) => n * 7 % 11), [3, STEPS]) }, STEPS],
  'a causal convolution': [() => convolutionModel(), { x: array(4, 2, 2, STEPS) }, STEPS],
  'the last step': [() => sequential([lstm(5, { name: 'a' }), dense(4, { name: 'fc' })])
    .loadStateDict(new Map([...lstmWeights('a', 3, 5), ...denseWeights('fc', 5, 4)])).toGraph(), { input: array(5, 2, STEPS, 3) }, STEPS],
  'a bidirectional lstm, which has no chunks': [() => lstmGraph(randomLstm({ inputSize: 3, hiddenSize: 5, numLayers: 2, bidirectional: true, bias: true }, 7)),
    { input: array(6, 2, STEPS, 3), c_0: array(3, 4, 2, 5) }, 0],
}

it.each(Object.entries(CASES))('%s: the bits of run(), and progress to the end', async (_title, [graph, inputs, total]) => {
  const model = await compile(graph(), { runtime })
  const expected = model.run(inputs)
  const before = runtime.memory()
  const seen: { done: number, total: number }[] = []
  const outputs = await model.runAsync(inputs, { onProgress: (progress) => seen.push(progress) })
  expect(outputs).toEqual(expected)
  expect(seen.length).toBeGreaterThan(1)
  expect(seen.at(-1)?.done).toBe(seen.at(-1)?.total)
  if (total > 0) expect(seen.map(({ done }) => done)).toEqual([256, 512, 700])
  expect(runtime.memory().usedBytes).toBe(before.usedBytes)
  const into = Object.fromEntries(Object.entries(expected).map(([name, { length }]) => [name, new Float32Array(length)]))
  expect(await model.runAsync(inputs, { into })).toBe(into)
  expect(into).toEqual(Object.fromEntries(Object.entries(expected).map(([name, { data }]) => [name, data])))
  model.dispose()
})

it('takes tensors and nested arrays, and lets other work come in between', async () => {
  const model = await compile(torchLstm(3, 65, 1), { runtime })
  const input = array(1, 1, 20_000, 3)
  const expected = model.run({ input }).output as NdArray
  const tensor = runtime.tensor(input.data, input.shape)
  let turns = 0
  const timer = setInterval(() => {
    turns++
    // Memory that grows, and runs of the same model, on the way.
    if (turns <= 1000) runtime.tensor(null, [1000 * turns]).dispose()
    model.run({ input: array(2, 1, 3 + turns % 20, 3) })
  }, 0)
  const target = runtime.tensor(null, expected.shape)
  await model.runAsync({ input: tensor }, { into: { output: target } })
  clearInterval(timer)
  expect(target.data).toEqual(expected.data)
  expect(turns).toBeGreaterThan(0)
  const nested = input.reshape([20_000, 3]).toArray() as RunInput
  expect((await model.runAsync({ input: [nested] as RunInput })).output?.data).toEqual(expected.data)
  for (const held of [tensor, target, model]) held.dispose()
})

it('lets other work come in between every two chunks that take long', async () => {
  const model = await compile(torchLstm(3, 5, 1), { runtime })
  const events: string[] = []
  const now = vi.spyOn(Date, 'now')
  let time = 0
  now.mockImplementation(() => time += 100)
  const other = (): void => {
    events.push('other')
    if (events.length < 1000) waiting = setImmediate(other)
  }
  let waiting = setImmediate(other)
  await model.runAsync({ input: array(1, 1, 5 * 256 + 9, 3) }, { onProgress: ({ done }) => events.push(`${done}`) })
  clearImmediate(waiting)
  now.mockRestore()
  const chunks = events.flatMap((event, n) => (event === 'other' ? [] : [n]))
  expect(chunks.map((n) => events[n])).toEqual(['256', '512', '768', '1024', '1280', '1289'])
  for (const n of chunks) expect(events[n - 1], `before ${events[n]} of ${String(events)}`).toBe('other')
  // No time is lost after the last one.
  expect(events.at(-1)).toBe('1289')
  model.dispose()
})

it.each(['a torch lstm with its first states', 'a bidirectional lstm, which has no chunks'])('stops between chunks, and leaves model, streams and targets as they were: %s', async (title) => {
  const [graph, inputs] = CASES[title] as (typeof CASES)[string]
  const model = await compile(graph(), { runtime })
  const expected = model.run(inputs)
  const { usedBytes } = runtime.memory()
  const into = { output: new Float32Array((expected.output as NdArray).length).fill(7) }
  const controller = new AbortController()
  const reason = new Error('enough')
  let calls = 0
  await expectRejection(model.runAsync(inputs, { into, signal: controller.signal, onProgress: () => {
    calls++
    controller.abort(reason)
  } }), 'ABORTED', 'the run was aborted').then(({ cause }) => expect(cause).toBe(reason))
  expect(calls).toBe(1)
  await expectRejection(model.runAsync(inputs, { signal: controller.signal }), 'ABORTED', 'the run was aborted')
  expect(new Set(into.output)).toEqual(new Set([7]))
  expect(runtime.memory().usedBytes).toBe(usedBytes)
  expect(model.run(inputs)).toEqual(expected)
  expect(await model.runAsync(inputs)).toEqual(expected)
  model.dispose()
})

it('is stopped by a timer, which fires between chunks', async () => {
  const model = await compile(torchLstm(3, 65, 1), { runtime })
  const stream = model.stream()
  const out = new Float32Array(65)
  stream.step(Float32Array.of(1, 2, 3), out)
  const saved = stream.save()
  await expectRejection(model.runAsync({ input: array(1, 1, 400_000, 3) }, { signal: AbortSignal.timeout(20) }), 'ABORTED', 'the run was aborted')
  expect(stream.save()).toEqual(saved)
  model.dispose()
})

it('goes on from the states of stateful layers, and sets them at the end only', async () => {
  const net = (): Graph => {
    const graph = torchLstm(3, 5, 1)
    const attributes = { ...graph.nodes[0]?.attributes, stateful: true }
    return { ...graph, nodes: graph.nodes.map((node) => ({ ...node, inputs: ['input'], attributes })) }
  }
  const [one, other] = [await compile(net(), { runtime }), await compile(net(), { runtime })]
  const input = random(3, 2, 4, 3)
  one.run({ input })
  await other.runAsync({ input })
  const controller = new AbortController()
  await expectRejection(other.runAsync({ input }, { signal: controller.signal, onProgress: () => controller.abort() }), 'ABORTED', 'the run was aborted')
  expect(await other.runAsync({ input })).toEqual(one.run({ input }))
  for (const model of [one, other]) model.dispose()
})

it('refuses what run() refuses, and run() refuses what takes time', async () => {
  const model = await compile(torchLstm(3, 5, 1), { runtime })
  const input = array(1, 1, 4, 3)
  await expectRejection(model.runAsync({ inputs: input }), 'VALUE', "run: no input 'inputs'; inputs are 'input', 'h_0' (optional), 'c_0' (optional)")
  await expectRejection(model.runAsync({ input: array(1, 1, 4, 2) }), 'SHAPE', /expected float32 \[batch, timesteps, 3\]/)
  await expectRejection(model.runAsync(3), 'VALUE', /^run: expected an object with inputs by name/)
  await expectRejection(model.runAsync({ input }, { into: { out: new Float32Array(20) } }), 'VALUE', "into: no output 'out'; outputs are 'output', 'h_n', 'c_n'")
  await expectRejection(model.runAsync({ input }, { into: { output: new Float32Array(19) } }), 'SHAPE', "into 'output': expected float32 [1, 4, 5], got 19 elements")
  expectError(() => model.run({ input }, { signal: new AbortController().signal } as unknown as { into: Record<string, Float32Array> }), 'VALUE', 'run: signal and onProgress are for runAsync')
  const run = model.runAsync({ input: array(1, 1, 90_000, 3) })
  model.dispose()
  await expectRejection(run, 'DISPOSED', 'the model was disposed while it ran')
  await expectRejection(model.runAsync({ input }), 'DISPOSED', 'this model is disposed')
})
