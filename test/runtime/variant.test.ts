import { readFile } from 'node:fs/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { commonestBytes, textOf } from '../../assembly/text.mjs'
import { textReader } from '../../src/runtime/bytes-of-text.ts'
import { embeddedBytes } from '../../src/runtime/embedded-small.ts'
import type { Variant } from '../../src/runtime/kernels.ts'
import { relaxedSimd } from '../../src/runtime/relaxed-simd.ts'
import { compileBinary } from '../../src/runtime/variant.ts'
import { expectRejection } from '../expect-error.ts'
import { pseudoRandom } from '../random.ts'

const binary = async (name: string): Promise<Uint8Array> => new Uint8Array(await readFile(new URL(`../../build/${name}.wasm`, import.meta.url)))

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

/** What the engine is given to compile, in order; it accepts all of it. */
function seeCompiled(): Uint8Array[] {
  const seen: Uint8Array[] = []
  vi.spyOn(WebAssembly, 'compile').mockImplementation(async (bytes) => {
    seen.push(new Uint8Array(bytes as Uint8Array))
    return new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))
  })
  return seen
}

const refuse = async (): Promise<never> => Promise.reject(new WebAssembly.CompileError('no such instruction'))

interface Decoder { fromHex?: (text: string) => Uint8Array }

describe('the binaries in the JavaScript', () => {
  describe.each([
    ['by the engine', () => vi.stubGlobal('Buffer', undefined), (text: string) => Uint8Array.from(text.match(/../g) ?? [], (byte) => parseInt(byte, 16))],
    ["by Node's Buffer", () => undefined, undefined],
    ['byte by byte', () => vi.stubGlobal('Buffer', undefined), undefined],
  ])('decoded %s', (_name, prepare, fromHex) => {
    it.each<Variant>(['relaxed-simd', 'simd'])('are those of the package: %s', async (variant) => {
      const expected = await binary(variant)
      const seen = seeCompiled()
      const decoder = Uint8Array as Decoder
      const own = decoder.fromHex
      const decode = vi.fn(fromHex)
      prepare()
      try {
        if (fromHex === undefined) delete decoder.fromHex
        else decoder.fromHex = decode
        expect((await compileBinary(variant)).variant).toBe(variant)
      } finally {
        if (own === undefined) delete decoder.fromHex
        else decoder.fromHex = own
      }
      expect(seen).toEqual([expected])
      expect(decode).toHaveBeenCalledTimes(fromHex === undefined ? 0 : 1)
    })
  })

  it('are the same in lstm-wasm/core, and in what is handed over to it', async () => {
    expect(embeddedBytes()).toEqual(await binary('simd'))
    const seen = seeCompiled()
    expect(await relaxedSimd()).toBeInstanceOf(WebAssembly.Module)
    expect(seen).toEqual([await binary('relaxed-simd')])
  })

  it('come out of the text of lstm-wasm/core whatever the bytes are', () => {
    const random = Uint8Array.from(pseudoRandom(1, 5003, 128), (value) => Math.floor(value + 128))
    for (const bytes of [random, Uint8Array.from({ length: 256 }, (_, byte) => byte), new Uint8Array(7), new Uint8Array(0), random.map((byte) => byte % 97)]) {
      const commonest = commonestBytes(bytes)
      const text = textOf(bytes, commonest)
      expect(text).toMatch(/^[#-&(-[\]-~]*$/)
      expect(textReader(commonest)(text)).toEqual(bytes)
    }
  })
})

describe('compileBinary', () => {
  it('takes simd where the engine does not accept relaxed-simd', async () => {
    const module = await WebAssembly.compile(await binary('simd') as Uint8Array<ArrayBuffer>)
    vi.spyOn(WebAssembly, 'validate').mockReturnValue(false)
    const compile = vi.spyOn(WebAssembly, 'compile').mockImplementationOnce(refuse).mockResolvedValueOnce(module)
    expect(await compileBinary('auto')).toEqual({ variant: 'simd', module })
    expect(compile).toHaveBeenCalledTimes(2)
  })

  it('tells a place that forbids compiling from an engine that lacks something', async () => {
    const compile = vi.spyOn(WebAssembly, 'compile').mockImplementation(refuse)
    vi.spyOn(WebAssembly, 'validate').mockReturnValue(true)
    await expectRejection(compileBinary('auto'), 'ENVIRONMENT', /^this place forbids compiling WebAssembly from bytes\..*'wasm-unsafe-eval'.*\(CompileError: no such instruction\)$/)
    expect(compile).toHaveBeenCalledTimes(1)
    vi.spyOn(WebAssembly, 'validate').mockReturnValue(false)
    await expectRejection(compileBinary('auto'), 'ENVIRONMENT', /^this engine has no WebAssembly SIMD, which lstm-wasm needs/)
    await expectRejection(compileBinary('relaxed-simd'), 'ENVIRONMENT', /^this engine does not accept the 'relaxed-simd' binary/)
  })
})

describe('relaxedSimd', () => {
  it('gives nothing where the engine does not accept it, and says what else is wrong', async () => {
    vi.spyOn(WebAssembly, 'compile').mockImplementation(refuse)
    const validate = vi.spyOn(WebAssembly, 'validate').mockReturnValue(false)
    expect(await relaxedSimd()).toBeUndefined()
    validate.mockReturnValue(true)
    await expectRejection(relaxedSimd(), 'ENVIRONMENT', /^this place forbids compiling WebAssembly from bytes\./)
    vi.stubGlobal('WebAssembly', undefined)
    await expectRejection(relaxedSimd(), 'ENVIRONMENT', /^this JavaScript engine has no WebAssembly/)
  })
})
