// Values of another realm (an iframe, jsdom, Node's vm) are what they are, though they are no `instanceof` of our classes.
import { readFile } from 'node:fs/promises'
import { createContext, runInContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { createRuntime, load, LstmError, NdArray, type ModelSource } from '../src/index.ts'
import { dense, input, lstm, sequential } from '../src/layers/index.ts'
import { createTrainer, resumeTrainer } from '../src/training/index.ts'

const path = 'examples/digits/models/digits-8.safetensors'
const realm = createContext({ Blob, Response, URL })

/** Evaluates an expression in the other realm; `given` are its variables. */
function there<T>(expression: string, given: Record<string, unknown> = {}): T {
  Object.assign(realm, given)
  return runInContext(expression, realm) as T
}

const floats = (numbers: readonly number[]): Float32Array => there('Float32Array.from(numbers)', { numbers })

const bytes = await readFile(path)
const here = Array.from({ length: 28 * 28 }, (_, n) => Math.sin(n) ** 2)

describe('values of another realm', () => {
  it('are not instances of our classes: the test would pass by itself otherwise', () => {
    expect(floats([1]) instanceof Float32Array).toBe(false)
    expect(there<unknown>('new ArrayBuffer(8)') instanceof ArrayBuffer).toBe(false)
  })

  it('are loaded: bytes, buffers, and what looks like a Blob, a Response or a URL', async () => {
    const duck = '({ ok: true, headers: new Map(), url: \'\', body: null, arrayBuffer: async () => Uint8Array.from(numbers).buffer })'
    const blob = '({ [Symbol.toStringTag]: \'Blob\', arrayBuffer: async () => Uint8Array.from(numbers).buffer })'
    const untagged = '({ size: numbers.length, slice: () => null, arrayBuffer: async () => Uint8Array.from(numbers).buffer })'
    const url = '({ [Symbol.toStringTag]: \'URL\', toString: () => location })'
    const location = new URL(`../${path}`, import.meta.url).href
    for (const expression of ['Uint8Array.from(numbers)', 'Uint8Array.from(numbers).buffer', duck, blob, untagged, url]) {
      using model = await load(there<ModelSource>(expression, { numbers: bytes, location }))
      expect(model.inputs.map(({ name }) => name), expression).toEqual(['rows'])
    }
  })

  it('are what trainers take: data, weights and checkpoints, here and in a worker', async () => {
    const net = sequential([input([4, 1]), lstm(3), dense(1)])
    const numbers = [1, 2, 3, 4, 5, 6, 7, 8]
    const x = there<NdArray>("({ input: { dtype: 'float32', shape: [2, 4, 1], data: Float32Array.from(numbers) } })", { numbers })
    const own = { input: new NdArray(Float32Array.from(numbers), [2, 4, 1]) }
    for (const worker of [false, true]) {
      const trainer = await createTrainer(net, { loss: 'mse', worker })
      const reference = await createTrainer(net, { loss: 'mse' })
      expect(await trainer.trainOnBatch(x as never, floats([1, 2]))).toEqual(reference.trainOnBatch(own, Float32Array.of(1, 2)))
      const weights = await trainer.getWeights()
      expect(weights).toEqual(reference.getWeights())
      const foreign = there<Map<string, Float32Array>>('new Map(entries.map(([name, data]) => [name, Float32Array.from(data)]))', { entries: [...weights] })
      await trainer.setWeights(foreign)
      const resumed = await resumeTrainer(there('Uint8Array.from(numbers)', { numbers: await trainer.save() }), { worker })
      expect(await resumed.getWeights()).toEqual(weights)
      for (const one of [trainer, reference, resumed]) one.dispose()
    }
  })

  it('are not loaded when they are something else', async () => {
    for (const expression of ['new Float32Array(8)', 'new DataView(new ArrayBuffer(8))', '({})', '[1, 2]', 'null']) {
      const error = await load(there<ModelSource>(expression)).catch((thrown: unknown) => thrown)
      expect(error, expression).toBeInstanceOf(LstmError)
      expect((error as LstmError).code, expression).toBe('VALUE')
    }
  })

  it('are inputs and targets of run and of streams, and states to restore', async () => {
    using model = await load(path)
    const expected = (model.run({ rows: Float32Array.from(here) }).probs as { data: Float32Array }).data
    const probs = floats(Array(10).fill(0) as number[])
    model.run({ rows: floats(here) }, { into: { probs } })
    expect(Array.from(probs)).toEqual(Array.from(expected))
    const shaped = model.run({ rows: { dtype: 'float32', shape: [1, 28, 28], data: floats(here) } })
    expect(Array.from((shaped.probs as { data: Float32Array }).data)).toEqual(Array.from(expected))
    using stream = model.stream()
    const last = floats(Array(10).fill(0) as number[])
    for (let n = 0; n < 14; n++) stream.step(floats(here.slice(28 * n, 28 * n + 28)), last)
    stream.restore(there('Uint8Array.from(numbers)', { numbers: stream.save() }))
    for (let n = 14; n < 28; n++) stream.step(floats(here.slice(28 * n, 28 * n + 28)), last)
    expect(Array.from(last)).toEqual(Array.from(expected))
  })

  it('are elements of tensors and weights of layers', async () => {
    const runtime = await createRuntime()
    expect(Array.from(runtime.tensor(floats([1, 2, 3])).data)).toEqual([1, 2, 3])
    const tensor = (shape: number[]): string => `{ dtype: 'float32', shape: [${String(shape)}], data: new Float32Array(${shape.reduce((a, b) => a * b)}).fill(0.1) }`
    const names = { weight_ih_l0: [8, 3], weight_hh_l0: [8, 2], bias_ih_l0: [8], bias_hh_l0: [8] }
    const entries = Object.entries(names).map(([name, shape]) => `['lstm.${name}', ${tensor(shape)}]`)
    const layers = sequential([lstm(2, { name: 'lstm' })]).loadStateDict(there(`new Map([${entries.join(', ')}])`))
    expect(layers.toGraph().nodes).toHaveLength(1)
  })

  it('are modules of createRuntime', async () => {
    const module = there<WebAssembly.Module>('new WebAssembly.Module(Uint8Array.from(numbers))', { numbers: await readFile('build/simd.wasm') })
    expect((await createRuntime({ module })).variant).toBe('custom')
    await expect(createRuntime({ module: there('({})') })).rejects.toMatchObject({ code: 'VALUE' })
  })
})
