// What sharing refuses, each by one sentence.
import { createContext, runInContext } from 'node:vm'
import { afterEach, describe, expect, it, vi } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { compile, createRuntime, type Graph, type Runtime } from '../../src/index.ts'
import { dense, input, sequential } from '../../src/layers/index.ts'
import { embeddedBytes } from '../../src/runtime/embedded.ts'
import { openShared, share, type OpenSharedOptions, type ShareOptions, type SharedModel } from '../../src/sharing/index.ts'
import { VERSION } from '../../src/sharing/version.ts'
import { createTrainer } from '../../src/training/index.ts'
import { expectError, expectRejection } from '../expect-error.ts'
import { lstmGraph, randomLstm } from '../lstm-graph.ts'
import { pseudoRandom } from '../random.ts'

const graph = lstmGraph(randomLstm({ inputSize: 3, hiddenSize: 8, numLayers: 1, bidirectional: false, bias: true }, 1), false)
const x = { shape: [1, 5, 3], dtype: 'float32' as const, data: pseudoRandom(2, 15, 1) }
const changed = ({ content }: SharedModel, changes: object): SharedModel => ({ content: { ...content, ...changes } }) as SharedModel

afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

describe('share', () => {
  it('takes graphs, layers and models, and no files', async () => {
    const model = await compile(graph)
    for (const source of [graph, model]) expect((await share(source)).weightBytes).toBe(65536)
    for (const source of ['model.onnx', undefined, new Uint8Array(3)]) {
      await expectRejection(share(source as unknown as Graph), 'VALUE', /^share: expected a graph, or layers with weights/)
    }
  })

  it('refuses options that it does not have', async () => {
    await expectRejection(share(graph, { threads: 2 } as ShareOptions), 'VALUE', /^share: no option 'threads'; options are variant, maxMemoryBytes$/)
    await expectRejection(share(graph, { variant: 'fast' } as unknown as ShareOptions), 'VALUE', /^share: expected 'auto' or 'relaxed-simd' or 'simd' for 'variant'/)
    await expectRejection(share(graph, { maxMemoryBytes: 5 }), 'VALUE', /^share: expected a number >= 65536 for 'maxMemoryBytes', got 5$/)
  })

  it('says why there is no shared memory', async () => {
    vi.stubGlobal('SharedArrayBuffer', undefined)
    await expectRejection(share(graph), 'ENVIRONMENT', 'share: no shared memory here: this place has no SharedArrayBuffer')
    vi.stubGlobal('crossOriginIsolated', false)
    await expectRejection(share(graph), 'ENVIRONMENT', /^share: no shared memory here: this page is not cross-origin isolated: serve it with Cross-Origin-Opener-Policy/)
  })

  it('says so where the engine does not accept the binary, or gives no memory', async () => {
    vi.spyOn(WebAssembly, 'validate').mockReturnValue(false)
    await expectRejection(share(graph), 'ENVIRONMENT', 'share: this place does not accept the binary with threads')
    await expectRejection(share(graph, { variant: 'simd' }), 'ENVIRONMENT', "share: this place does not accept the binary with threads of 'simd'")
    vi.restoreAllMocks()
    vi.spyOn(WebAssembly, 'compile').mockRejectedValue(new WebAssembly.CompileError('forbidden'))
    await expectRejection(share(graph), 'ENVIRONMENT', 'share: this place does not accept the binary with threads (CompileError: forbidden)')
    vi.restoreAllMocks()
    vi.spyOn(WebAssembly, 'Memory').mockImplementation(function none() {
      throw new RangeError('no')
    })
    await expectRejection(share(graph), 'MEMORY', 'the JavaScript engine gives no shared memory of up to 4294967296 bytes')
    vi.restoreAllMocks()
    const { SharedArrayBuffer: Own } = globalThis
    vi.stubGlobal('SharedArrayBuffer', class extends Own {
      constructor(bytes: number) {
        if (bytes < 2 ** 12) throw new RangeError('no') // Those of the weights, which are few here.
        super(bytes)
      }
    })
    await expectRejection(share(graph), 'MEMORY', /^the JavaScript engine gives no SharedArrayBuffer of \d+ bytes$/)
  })

  it('refuses numbers that callers cannot have', async () => {
    const shared = await share(graph)
    for (const caller of [-1, 0.5, 2 ** 31, '1', undefined]) {
      expectError(() => shared.reclaim(caller as number), 'VALUE', /^reclaim: expected a whole number from 0 to 2147483646 for 'caller'/)
    }
  })
})

describe('openShared', () => {
  it('takes what share gave, cloned, of any realm', async () => {
    const shared = await share(graph)
    const expected = (await compile(graph, { runtime: await createRuntime({ variant: shared.variant }) })).run({ input: x })
    const other = runInContext('(content) => ({ content })', createContext()) as (content: unknown) => SharedModel
    for (const one of [shared, structuredClone({ content: shared.content }), other(structuredClone(shared.content))]) {
      const model = await openShared(one)
      expect(model.run({ input: x })).toEqual(expected)
      model.dispose()
    }
  })

  it('refuses anything else', async () => {
    const shared = await share(graph)
    for (const value of [undefined, null, 3, 'shared', {}, { content: 5 }, { content: null }, { content: {} }, graph, shared.content]) {
      await expectRejection(openShared(value as SharedModel), 'VALUE', /^openShared: expected what share\(\) gave, as workerData or postMessage bring it, got /)
    }
    const unshared = new WebAssembly.Memory({ initial: 1 })
    for (const lost of [{ memory: {} }, { memory: unshared }, { pages: [] }, { module: {} }, { graph: undefined }, { prepared: undefined }]) {
      await expectRejection(openShared(changed(shared, lost)), 'VALUE', /got one that has lost its memory: JSON cannot carry it$/)
    }
    await expectRejection(openShared(JSON.parse(JSON.stringify({ content: { ...shared.content, module: {} } })) as SharedModel), 'VALUE', /JSON cannot carry it$/)
    expect(shared.callers()).toEqual([])
  })

  it('refuses models of another version', async () => {
    expect(VERSION).toBe(manifest.version)
    const shared = await share(graph)
    await expectRejection(openShared(changed(shared, { version: '0.0.9' })), 'VALUE', /^openShared: expected a model that was shared by lstm-wasm \S+ \(-?\d+\), got one of 0\.0\.9 \(-?\d+\): all threads must load the same one$/)
    await expectRejection(openShared(changed(shared, { stamp: 5 })), 'VALUE', /got one of \S+ \(5\): all threads must load the same one$/)
  })

  it('refuses a binary without threads, or of something else, and leaves nothing behind', async () => {
    const shared = await share(graph)
    const plain = new WebAssembly.Module(embeddedBytes('simd'))
    await expectRejection(openShared(changed(shared, { module: plain })), 'ENVIRONMENT', /^the WebAssembly module does not start: LinkError/)
    const empty = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))
    await expectRejection(openShared(changed(shared, { module: empty })), 'VALUE', /^module: expected a WebAssembly.Module of a .wasm file of this version/)
    expect(shared.callers()).toEqual([])
  })

  it('refuses options that it does not have', async () => {
    const shared = await share(graph)
    await expectRejection(openShared(shared, { threads: 2 } as OpenSharedOptions), 'VALUE', /^openShared: no option 'threads' \(did you mean 'streams'\?\); options are caller, maxMemoryBytes, streams$/)
    await expectRejection(openShared(shared, { caller: -1 }), 'VALUE', /^openShared: expected a whole number from 0 to 1073741823 for 'caller', got -1$/)
    await expectRejection(openShared(shared, { streams: true } as unknown as OpenSharedOptions), 'VALUE', /^openShared: expected streams of 'lstm-wasm\/streams', or false for 'streams'/)
  })

  it('says so when it is disposed, or not one page is left', async () => {
    const full = await share(graph, { maxMemoryBytes: 65536 })
    await expectRejection(openShared(full), 'MEMORY', 'openShared: needs 65536 bytes; this thread has 0 of the shared memory and may have 65536, all together 65536')
    const shared = await share(graph)
    {
      using disposed = shared
      expect(disposed.callers()).toEqual([])
    }
    await expectRejection(openShared(shared), 'DISPOSED', 'openShared: this shared model is disposed')
  })

  it('has no streams where they are left out', async () => {
    const model = await openShared(await share(graph), { streams: false })
    expectError(() => model.stream(), 'ENVIRONMENT', /^this model was made without streams/)
  })
})

describe('the runtime of a shared model', () => {
  it('takes other models and tensors, in its own part of the memory', async () => {
    const shared = await share(graph)
    const model = await openShared(shared, { caller: 5 })
    const { runtime } = model
    const own = await compile(graph, { runtime })
    const tensor = runtime.tensor(x.data, x.shape)
    expect(own.run({ input: tensor })).toEqual(model.run({ input: x }))
    own.dispose()
    model.dispose()
    expect(shared.callers()).toEqual([{ caller: 5, thread: undefined, bytes: 65536 }])
    tensor.dispose()
    expect(shared.callers()).toEqual([])
    expectError(() => model.run({ input: x }), 'DISPOSED', 'this model is disposed')
  })

  it('trains nothing, and says so', async () => {
    const { runtime }: { runtime: Runtime } = await openShared(await share(graph))
    await expectRejection(createTrainer(sequential([input([2]), dense(1)]), { loss: 'mse', runtime }), 'UNSUPPORTED', /^createTrainer: expected a runtime of createRuntime\(\), got that of a shared model/)
  })
})
