// createRuntime({ threads }): what it says, what it refuses, and what becomes of it when workers end.
import { describe, expect, it } from 'vitest'
import { KERNEL_ARITIES } from '../../src/contract/kernels.ts'
import { THREAD_KERNEL_ARITIES } from '../../src/contract/thread-kernels.ts'
import { compile, createRuntime, type RuntimeOptions } from '../../src/index.ts'
import { embeddedBytes } from '../../src/runtime/embedded.ts'
import { startThreads } from '../../src/runtime/late-threads-given.ts'
import { expectError } from '../expect-error.ts'
import { LINKED } from '../linked.ts'
import { lstmGraph, randomLstm } from '../lstm-graph.ts'
import { pseudoRandom } from '../random.ts'
import { readFileSync } from 'node:fs'

const graph = lstmGraph(randomLstm({ inputSize: 3, hiddenSize: 40, numLayers: 1, bidirectional: false, bias: true }, 1), false)
const input = { shape: [2, 30, 3], dtype: 'float32' as const, data: pseudoRandom(2, 180, 1) }

describe('createRuntime({ threads })', () => {
  it('has one thread where none are asked for, and says nothing', async () => {
    expect((await createRuntime()).threads).toEqual({ count: 1, why: undefined })
    expect((await createRuntime({ threads: 1 })).threads).toEqual({ count: 1, why: undefined })
  })

  it('has as many as are asked for, and models run as on one', async () => {
    const runtime = await createRuntime({ threads: 3 })
    expect(runtime.threads).toEqual({ count: 3, why: undefined })
    expect(['simd', 'relaxed-simd']).toContain(runtime.variant)
    const model = await compile(graph, { runtime })
    const alone = await compile(graph, { runtime: await createRuntime() })
    expect(model.run({ input })).toEqual(alone.run({ input }))
    runtime.dispose()
  })

  it("has one a processor with 'auto', or says that there is one", async () => {
    const runtime = await createRuntime({ threads: 'auto' })
    const { count, why } = runtime.threads
    expect(count).toBeLessThanOrEqual(8)
    expect(why === undefined).toBe(count > 1)
    runtime.dispose()
  })

  it('goes on with one thread when it is disposed, with the tensors and models that it has', async () => {
    const runtime = await createRuntime({ threads: 2 })
    const model = await compile(graph, { runtime })
    const tensor = runtime.tensor([1, 2, 3])
    const before = model.run({ input })
    runtime.dispose()
    runtime.dispose()
    expect(runtime.threads).toEqual({ count: 1, why: 'the runtime is disposed' })
    expect(model.run({ input })).toEqual(before)
    expect([...tensor.data]).toEqual([1, 2, 3])
  })

  it('keeps views of tensors good when the memory grows', async () => {
    const runtime = await createRuntime({ threads: 2 })
    const first = runtime.tensor([1, 2, 3])
    const view = first.data
    runtime.tensor(null, [2 ** 20])
    view[0] = 5
    expect([...first.data]).toEqual([5, 2, 3])
    runtime.dispose()
  })

  it('keeps to the memory limit', async () => {
    const runtime = await createRuntime({ threads: 2, maxMemoryBytes: 2 ** 20 })
    expect(runtime.memory().maxBytes).toBe(2 ** 20)
    expectError(() => runtime.tensor(null, [2 ** 20]), 'MEMORY', /maxMemoryBytes is 1048576$/)
    runtime.dispose()
  })

  it('has one thread with a module that is given, and says why', async () => {
    const module = new WebAssembly.Module(embeddedBytes('simd'))
    expect((await createRuntime({ threads: 2, module })).threads).toEqual({ count: 1, why: 'a module that is given has none' })
  })

  it('refuses what is no number of threads', async () => {
    for (const threads of [0, 65, 1.5, -1, NaN, 'all', true]) {
      await expect(createRuntime({ threads } as RuntimeOptions), String(threads)).rejects.toMatchObject({
        code: 'VALUE', message: expect.stringContaining("expected a whole number from 1 to 64 or 'auto' for 'threads'") as string,
      })
    }
  })

  it('has one in editions without threads', async () => {
    expect(await startThreads()).toBe('this edition of lstm-wasm has no threads')
  })
})

describe.each(['simd', 'relaxed-simd'] as const)('%s-threads.wasm', (name) => {
  const bytes = readFileSync(new URL(`../../build/${name}-threads.wasm`, import.meta.url))
  it.skipIf(!WebAssembly.validate(bytes))('exports the kernels, and those of threads, with as many parameters; needs a shared memory', () => {
    const module = new WebAssembly.Module(bytes)
    const { exports } = new WebAssembly.Instance(module, { env: { memory: new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }) } })
    const arities = Object.entries(exports).filter(([key]) => key !== 'memory' && !LINKED.includes(key)).map(([key, kernel]) => [key, (kernel as () => void).length])
    expect(Object.fromEntries(arities)).toEqual({ ...KERNEL_ARITIES, ...THREAD_KERNEL_ARITIES })
    expect(() => new WebAssembly.Instance(module, { env: { memory: new WebAssembly.Memory({ initial: 1, maximum: 1 }) } })).toThrow(WebAssembly.LinkError)
  })
})
