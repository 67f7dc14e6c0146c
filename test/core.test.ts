// lstm-wasm/core: nothing is loaded later; what is missing is named.
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'

type Core = typeof import('../src/index.ts')

const door = async <T>(name: string): Promise<T> => await import(new URL(`../dist/${name}.js`, import.meta.url).href) as T
const core = await door<Core>('core')
const { safetensors } = await door<typeof import('../src/readers/safetensors.ts')>('safetensors')
const { streams } = await door<typeof import('../src/streams/index.ts')>('streams')
const { operators } = await door<typeof import('../src/operators.ts')>('operators')
const { relaxedSimd } = await door<typeof import('../src/relaxed.ts')>('relaxed')
const { onnx } = await door<typeof import('../src/readers/onnx.ts')>('onnx')

const bytes = new Uint8Array(await readFile('examples/digits/models/digits-8.safetensors'))
const rows = new Float32Array(28 * 28).fill(0.5)

describe('lstm-wasm/core', () => {
  it('names the reader that it was not given', async () => {
    await expect(core.load(bytes)).rejects.toMatchObject({
      code: 'ENVIRONMENT', message: expect.stringMatching(/no readers of its own.*import { safetensors } from 'lstm-wasm\/safetensors'.*load\(source, { readers: \[safetensors\] }\)/) as unknown,
    })
    await expect(core.load(bytes, { readers: [onnx] })).rejects.toMatchObject({ code: 'ENVIRONMENT' })
  })

  it('names the operators that it was not given, and takes them', async () => {
    const graph = {
      inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 2] }], outputs: [{ name: 'y', value: 'y' }],
      nodes: [{ name: 'n', op: 'logSoftmax', inputs: ['x'], outputs: ['y'], parameters: {}, attributes: { axis: -1 } }], constants: new Map(),
    } as unknown as import('../src/index.ts').Graph
    await expect(core.compile(graph)).rejects.toMatchObject({ code: 'ENVIRONMENT', message: expect.stringMatching(/logSoftmax.*lstm-wasm\/operators/) as unknown })
    const model = await core.compile(graph, { operators })
    expect(model.run({ x: new Float32Array(2) }).y?.data[0]).toBeCloseTo(-Math.log(2), 5)
  })

  it('runs what the readers and streams handed over can do, with the bits of the package', async () => {
    const model = await core.load(bytes, { readers: [safetensors] })
    const index = await door<Core>('index')
    const whole = await index.load(bytes, { runtime: await index.createRuntime({ variant: 'simd' }) })
    expect(model.run({ rows }).probs?.data).toEqual(whole.run({ rows }).probs?.data)
    expect(() => model.stream()).toThrow('without streams')
    const streaming = await core.load(bytes, { readers: [safetensors], streams })
    const stream = streaming.stream()
    const last = new Float32Array(10)
    for (let n = 0; n < 28; n++) stream.step(rows.subarray(0, 28), last)
    expect(last).toEqual(whole.run({ rows }).probs?.data)
  })

  it('has the simd binary, and takes the other one, with the bits of the package', async () => {
    expect((await core.createRuntime()).variant).toBe('simd')
    await expect(core.createRuntime({ variant: 'relaxed-simd' })).rejects.toMatchObject({
      code: 'ENVIRONMENT', message: expect.stringMatching(/has the 'simd' binary alone: import { relaxedSimd } from 'lstm-wasm\/relaxed', createRuntime\({ module: await relaxedSimd\(\) }\)/) as unknown,
    })
    const module = await relaxedSimd()
    const runtime = await core.createRuntime({ module })
    const index = await door<Core>('index')
    const fastest = await index.createRuntime()
    // Where the engine does not accept the other one, both take `simd`.
    expect(runtime.variant).toBe(fastest.variant === 'simd' ? 'simd' : 'custom')
    expect(module === undefined).toBe(fastest.variant === 'simd')
    const [ours, whole] = [await core.load(bytes, { runtime, readers: [safetensors] }), await index.load(bytes, { runtime: fastest })]
    expect(ours.run({ rows }).probs?.data).toEqual(whole.run({ rows }).probs?.data)
  })
})
