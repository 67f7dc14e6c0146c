// The processor, in a scope that has what AudioWorkletGlobalScope has. worklet.test.ts runs it in a thread, as it is shipped.
import { expect, it, vi } from 'vitest'
import { dense, lstm, sequential } from '../../src/layers/index.ts'
import { compile } from '../../src/model/load.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import { createWorkletOptions } from '../../src/worklet/index.ts'
import { pseudoRandom } from '../random.ts'
import { denseWeights, lstmWeights } from '../weights.ts'

const BLOCK = 128

it('is registered in scopes that are worklets, once, and runs each channel by itself', async () => {
  const net = sequential([lstm(5, { name: 'a', inputSize: 1, returnSequences: true }), dense(1, { name: 'fc' })])
  const model = await compile(net.loadStateDict(new Map([...lstmWeights('a', 1, 5), ...denseWeights('fc', 5, 1)])), { runtime: await createRuntime({ variant: 'simd' }) })
  const runWhole = (data: Float32Array): unknown => model.run({ input: { dtype: 'float32', shape: [1, data.length, 1], data } }).output?.data
  const left = pseudoRandom(1, BLOCK, 0.7)
  const registered: Map<string, new (options: unknown) => { process(inputs: unknown, outputs: unknown): boolean }> = new Map()
  const port: { onmessage?: (message: { data: unknown }) => void } = {}
  vi.stubGlobal('AudioWorkletProcessor', class { readonly port = port })
  vi.stubGlobal('registerProcessor', (name: string, processor: never) => {
    if (registered.has(name)) throw new Error('it is there')
    registered.set(name, processor)
  })
  try {
    await import('../../src/worklet/processor.ts')
    vi.resetModules()
    await import('../../src/worklet/processor.ts')
  } finally {
    vi.unstubAllGlobals()
  }
  expect([...registered.keys()]).toEqual(['lstm-wasm'])
  const Processor = registered.get('lstm-wasm') as NonNullable<ReturnType<typeof registered.get>>
  const processor = new Processor(createWorkletOptions(model, { channels: 2 }))
  const outputs = [new Float32Array(BLOCK), new Float32Array(BLOCK)]
  expect(processor.process([[left]], [outputs])).toBe(true)
  expect(outputs).toEqual([runWhole(left), runWhole(new Float32Array(BLOCK))])
  port.onmessage?.({ data: 'reset' })
  expect(processor.process([[left]], [outputs])).toBe(true)
  expect(outputs[0]).toEqual(runWhole(left))
  port.onmessage?.({ data: 'dispose' })
  expect(processor.process([[]], [outputs])).toBe(false)
  // One channel unless the node says how many.
  const { processorOptions } = createWorkletOptions(model)
  expect(new Processor({ processorOptions }).process([[]], [outputs])).toBe(true)
})
