// lstm-wasm/worklet, and lstm-wasm/processor as it is shipped, in a thread that has what a worklet has, and no more.
// test/browsers does the same in AudioWorklets.
import { Worker } from 'node:worker_threads'
import { beforeAll, describe, expect, it } from 'vitest'
import type { LstmErrorCode } from '../../src/errors.ts'
import { dense, lstm, sequential } from '../../src/layers/index.ts'
import { compile } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import { createWorkletNode, createWorkletOptions, type WorkletNodeOptions } from '../../src/worklet/index.ts'
import type { ProcessorOptions } from '../../src/worklet/options.ts'
import { createProcessorModel } from '../../src/worklet/processor-model.ts'
import { expectError, expectRejection } from '../expect-error.ts'
import { pseudoRandom } from '../random.ts'
import { denseWeights, lstmWeights } from '../weights.ts'

const BLOCK = 128
const SAMPLES = 5 * BLOCK

interface Report {
  readonly outputs: readonly Float32Array[]
  readonly alive: readonly boolean[]
  readonly left: readonly string[]
  readonly names: readonly string[]
  readonly exported: string
  readonly error?: { readonly name: string, readonly code: string, readonly message: string }
}

interface Messages {
  readonly messages?: readonly { readonly at: number, readonly data: string }[]
}

function inWorklet(nodeOptions: unknown, inputs: readonly Float32Array[], { messages = [] }: Messages = {}): Promise<Report> {
  return new Promise((resolve, reject) => {
    const processor = new URL('../../dist/processor.js', import.meta.url).href
    const worker = new Worker(new URL('scope.mjs', import.meta.url), { workerData: { processor, nodeOptions, inputs, messages } })
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

/** features -> lstm 5 -> dense 1 at every step. */
async function audioModel(features: number = 1, units: number = 1): Promise<Model> {
  const net = sequential([lstm(5, { name: 'a', inputSize: features, returnSequences: true }), dense(units, { name: 'fc' })])
  return compile(net.loadStateDict(new Map([...lstmWeights('a', features, 5), ...denseWeights('fc', 5, units)])), { runtime: await createRuntime({ variant: 'simd' }) })
}

function runWhole(model: Model, input: Float32Array): Float32Array {
  const name = model.inputs[0]?.name as string
  return Object.values(model.run({ [name]: { dtype: 'float32', shape: [1, input.length, 1], data: input } }))[0]?.data as Float32Array
}

let model: Model
const [left, right] = [pseudoRandom(1, SAMPLES, 0.7), pseudoRandom(2, SAMPLES, 0.7)] as const
beforeAll(async () => {
  model = await audioModel()
})

describe('the processor lstm-wasm', () => {
  it('gives the bits of model.run, channel by channel, without anything a worklet lacks', async () => {
    const report = await inWorklet(createWorkletOptions(model, { channels: 2 }), [left, right])
    expect(report.error).toBeUndefined()
    expect(report.left).toEqual([])
    expect(report.names).toEqual(['lstm-wasm'])
    expect(report.exported).toBe('function')
    expect(report.outputs).toEqual([runWhole(model, left), runWhole(model, right)])
    expect(report.alive).toEqual([true, true, true, true, true])
  })

  it('hears silence where nothing is connected', async () => {
    const unconnected = left.map((value, n) => (n >= 2 * BLOCK && n < 3 * BLOCK ? NaN : value))
    const { outputs } = await inWorklet(createWorkletOptions(model), [unconnected])
    expect(outputs).toEqual([runWhole(model, unconnected.map((value) => (Number.isNaN(value) ? 0 : value)))])
  })

  it("forgets at 'reset', and ends at 'dispose'", async () => {
    const messages = [{ at: 2 * BLOCK, data: 'reset' }, { at: 3 * BLOCK, data: 'no such message' }, { at: 4 * BLOCK, data: 'dispose' }]
    const { outputs: [output], alive } = await inWorklet(createWorkletOptions(model), [left], { messages })
    expect(output?.subarray(0, 2 * BLOCK)).toEqual(runWhole(model, left.slice(0, 2 * BLOCK)))
    expect(output?.subarray(2 * BLOCK)).toEqual(runWhole(model, left.slice(2 * BLOCK)))
    expect(alive).toEqual([true, true, true, true, false])
  })

  it('runs after the model of the page is gone: everything was copied', async () => {
    const other = await audioModel()
    const expected = runWhole(other, left)
    const options = createWorkletOptions(other)
    other.dispose()
    expect((await inWorklet(options, [left])).outputs).toEqual([expected])
  })

  const good = (): WorkletNodeOptions => createWorkletOptions(model)
  it.each([
    ['none', () => undefined, 'VALUE', /^createProcessorModel: expected the processorOptions that createWorkletOptions\(\) .* got undefined$/],
    ['others', () => ({ gain: 1 }), 'VALUE', /^createProcessorModel: expected the processorOptions/],
    ['no module', () => ({ ...good().processorOptions, module: {} }), 'VALUE', /^createProcessorModel: expected a WebAssembly.Module/],
    ['a graph that is none', () => ({ ...good().processorOptions, graph: '{' }), 'FORMAT', /^graph: not JSON/],
    ['a graph of a newer version', () => ({ ...good().processorOptions, graph: '{"version":99}' }), 'UNSUPPORTED', /^graph: expected version/],
    ['weights of another shape', () => ({
      ...good().processorOptions, constants: good().processorOptions.constants.map((constant) => ({ ...constant, shape: [1] })),
    }), 'SHAPE', /^NdArray: expected 1 elements/],
    ['no weights', () => ({ ...good().processorOptions, constants: [] }), 'FORMAT', /a\.weight_ih_l0/],
    ['nameless weights', () => ({ ...good().processorOptions, constants: [null] }), 'VALUE', /^createProcessorModel: expected the processorOptions/],
  ])('refuses processorOptions: %s', (_, processorOptions, code, message) => {
    expectError(() => createProcessorModel(processorOptions() as unknown as ProcessorOptions), code as LstmErrorCode, message)
  })

  it('ends with the error of its model', async () => {
    const { error } = await inWorklet({ outputChannelCount: [1], processorOptions: { gain: 1 } }, [left])
    expect(error).toMatchObject({ name: 'LstmError', code: 'VALUE', message: expect.stringMatching(/^createProcessorModel: expected/) as string })
  })

  it('is made of a model that other processors can use', () => {
    const own = createProcessorModel(good().processorOptions)
    expect(runWhole(own, left)).toEqual(runWhole(model, left))
    own.dispose()
  })
})

describe('createWorkletOptions', () => {
  it('makes options for AudioWorkletNode that can be posted', () => {
    const options = createWorkletOptions(model, { channels: 2 })
    expect(options).toMatchObject({ numberOfInputs: 1, numberOfOutputs: 1, outputChannelCount: [2], channelCount: 2, channelCountMode: 'explicit' })
    expect(options.processorOptions.variant).toBe('simd')
    expect(options.processorOptions.module).toBe(model.runtime.module)
  })

  it('refuses what is no model, and odd numbers of channels', () => {
    expectError(() => createWorkletOptions({} as Model), 'VALUE', /^createWorkletOptions: expected a model of load\(\) or compile\(\), got/)
    for (const channels of [0, 1.5, 33, NaN, '2' as unknown as number]) {
      expectError(() => createWorkletOptions(model, { channels }), 'VALUE', /^createWorkletOptions: expected a whole number from 1 to 32 for 'channels', got/)
    }
  })
})

describe('createWorkletNode', () => {
  it('adds its processor to the context, and makes the node', async () => {
    const calls: unknown[] = []
    const context = { audioWorklet: { addModule: async (url: URL) => void calls.push(url.pathname.split('/').at(-1)) } }
    const scope = globalThis as { AudioWorkletNode?: unknown }
    scope.AudioWorkletNode = class {
      readonly args: readonly unknown[]
      constructor(...args: readonly unknown[]) {
        this.args = args
      }
    }
    try {
      const node = await createWorkletNode(context as unknown as BaseAudioContext, model, { channels: 2 })
      expect(calls).toEqual(['processor.js'])
      expect(node).toMatchObject({ args: [context, 'lstm-wasm', { outputChannelCount: [2] }] })
    } finally {
      delete scope.AudioWorkletNode
    }
  })

  it('refuses pages without AudioWorklets, and models that take or give more than a number a step', async () => {
    await expectRejection(createWorkletNode({} as BaseAudioContext, model), 'ENVIRONMENT', /^createWorkletNode: the context has no audioWorklet/)
    await expectRejection(createWorkletNode({} as BaseAudioContext, await audioModel(3)), 'SHAPE', /expected 3 elements for 'input', got 1/)
    await expectRejection(createWorkletNode({} as BaseAudioContext, await audioModel(1, 2)), 'SHAPE', /expected at least 2 elements for 'output', got 1/)
  })
})
