import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { FunctionCode } from '../../src/contract/math/function-code.ts'
import { createRuntime, defaultRuntime, type RuntimeOptions } from '../../src/runtime/create.ts'
import { expectRejection } from '../expect-error.ts'

const binary = (name: string): Promise<Buffer<ArrayBuffer>> => readFile(new URL(`../../build/${name}.wasm`, import.meta.url))
const hasRelaxedSimd = WebAssembly.validate(await binary('relaxed-simd'))

describe('createRuntime', () => {
  it('chooses the fastest binary the engine accepts', async () => {
    const expected = hasRelaxedSimd ? 'relaxed-simd' : 'simd'
    expect((await createRuntime()).variant).toBe(expected)
    expect((await createRuntime({ variant: 'auto' })).variant).toBe(expected)
  })

  it('takes the binary it is told to', async () => {
    expect((await createRuntime({ variant: 'simd' })).variant).toBe('simd')
  })

  it.runIf(hasRelaxedSimd)('takes relaxed-simd where the engine has it', async () => {
    expect((await createRuntime({ variant: 'relaxed-simd' })).variant).toBe('relaxed-simd')
  })

  it.skipIf(hasRelaxedSimd)('says that the engine lacks relaxed-simd', async () => {
    await expectRejection(
      createRuntime({ variant: 'relaxed-simd' }), 'ENVIRONMENT',
      "this engine does not accept the 'relaxed-simd' binary; 'auto' would choose 'simd' where it can",
    )
  })

  it.each([
    [{ variant: 'avx' }, "createRuntime: expected 'auto' or 'relaxed-simd' or 'simd' for 'variant', got \"avx\""],
    [{ variant: 'toString' }, "createRuntime: expected 'auto' or 'relaxed-simd' or 'simd' for 'variant', got \"toString\""],
    [{ maxMemoryBytes: 65535 }, "createRuntime: expected a number >= 65536 for 'maxMemoryBytes', got 65535"],
    [{ maxMemoryBytes: NaN }, "createRuntime: expected a number >= 65536 for 'maxMemoryBytes', got NaN"],
    [{ maxMemoryBytes: '1000000' }, "createRuntime: expected a number >= 65536 for 'maxMemoryBytes', got \"1000000\""],
    [{ module: new Uint8Array(8) }, "createRuntime: expected a WebAssembly.Module of a .wasm file of this version of lstm-wasm for 'module', got Uint8Array(8)"],
    [{ maxMemoryByte: 65536 }, "createRuntime: no option 'maxMemoryByte' (did you mean 'maxMemoryBytes'?); options are variant, maxMemoryBytes, module, threads"],
  ])('refuses %j', async (options, message) => {
    await expectRejection(createRuntime(options as unknown as RuntimeOptions), 'VALUE', message)
  })

  it('limits the memory in whole pages, at most 4 GiB', async () => {
    expect((await createRuntime({ maxMemoryBytes: 3 * 65536 - 1 })).memory()).toEqual({
      usedBytes: 0, totalBytes: 65536, maxBytes: 2 * 65536, tensors: 0,
    })
    expect((await createRuntime({ maxMemoryBytes: 65536 })).memory().maxBytes).toBe(65536)
    expect((await createRuntime({ maxMemoryBytes: Infinity })).memory().maxBytes).toBe(2 ** 32)
    expect((await createRuntime()).memory().maxBytes).toBe(2 ** 32)
  })

  it('runs a module the caller has compiled', async () => {
    const runtime = await createRuntime({ module: await WebAssembly.compile(await binary('simd')) })
    expect(runtime.variant).toBe('custom')
    using x = runtime.tensor([-1, 2, -3, 4, -5])
    runtime.kernels.activateF32(FunctionCode.relu, 0, 0, x.ptr, x.ptr, 5)
    expect(x.toArray()).toEqual([0, 2, 0, 4, 0])
  })

  it('tells a foreign module from its own', async () => {
    const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
    await expectRejection(
      createRuntime({ module: await WebAssembly.compile(empty) }), 'VALUE',
      'module: expected a WebAssembly.Module of a .wasm file of this version of lstm-wasm, got another one',
    )
    // (module (func (export "contractStamp") (result i32) i32.const 7)): the right name, and another number.
    const name = new TextEncoder().encode('contractStamp')
    const other = Uint8Array.of(
      ...empty, 1, 5, 1, 0x60, 0, 1, 0x7f, 3, 2, 1, 0, 7, 4 + name.length, 1, name.length, ...name, 0, 0, 10, 6, 1, 4, 0, 0x41, 7, 0x0b,
    )
    await expectRejection(
      createRuntime({ module: await WebAssembly.compile(other) }), 'VALUE',
      'module: expected a WebAssembly.Module of a .wasm file of this version of lstm-wasm, got another one',
    )
    // (module (import "a" "b" (func))): wants something we do not have.
    const importing = Uint8Array.of(...empty, 1, 4, 1, 0x60, 0, 0, 2, 7, 1, 1, 0x61, 1, 0x62, 0, 0)
    const error = await expectRejection(
      createRuntime({ module: await WebAssembly.compile(importing) }), 'ENVIRONMENT', /^the WebAssembly module does not start: TypeError: .*"?a"?/,
    )
    expect(error.cause).toBeInstanceOf(TypeError)
  })

  it('gives every runtime a memory of its own', async () => {
    const [a, b] = await Promise.all([createRuntime(), createRuntime()])
    a.tensor([1, 2, 3])
    expect([a.memory().tensors, b.memory().tensors, b.memory().usedBytes]).toEqual([1, 0, 0])
  })
})

describe('runtime.memory', () => {
  it('counts tensors and bytes in whole blocks', async () => {
    const runtime = await createRuntime()
    const a = runtime.tensor(null, [100])
    const b = runtime.tensor(null, [1], 'uint8')
    expect(runtime.memory()).toMatchObject({ usedBytes: 448 + 64, tensors: 2 })
    a.dispose()
    expect(runtime.memory()).toMatchObject({ usedBytes: 64, tensors: 1 })
    b.dispose()
    expect(runtime.memory()).toMatchObject({ usedBytes: 0, tensors: 0 })
  })
})

describe('defaultRuntime', () => {
  it('is made once, and shared', async () => {
    const [a, b] = await Promise.all([defaultRuntime(), defaultRuntime()])
    expect(a).toBe(b)
    expect(await defaultRuntime()).toBe(a)
    expect(await createRuntime()).not.toBe(a)
  })
})

describe('an engine without SIMD', () => {
  it.runIf(process.arch === 'x64')('(x64 with SSE 4.1 switched off) is told by name', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lstm-wasm-'))
    try {
      const script = join(folder, 'no-simd.mjs')
      const door = new URL('../../dist/index.js', import.meta.url).href
      await writeFile(script, [
        `import { createRuntime } from '${door}'`,
        'await createRuntime().catch((error) => console.log(JSON.stringify([error.name, error.code, error.message])))',
      ].join('\n'))
      const { stdout } = await promisify(execFile)(process.execPath, ['--no-enable-sse4-1', script])
      expect(JSON.parse(stdout)).toEqual([
        'LstmError', 'ENVIRONMENT',
        'this engine has no WebAssembly SIMD, which lstm-wasm needs (Chrome 91, Firefox 89, Safari 16.4, Node 16 or newer on a processor with SSE 4.1 or NEON)',
      ])
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
