// Which binary edge builds take, of those that they import as modules.
import { expect, it } from 'vitest'
import { pickImported } from '../../src/runtime/imported.ts'
import type { Variant } from '../../src/runtime/kernels.ts'
import { expectError } from '../expect-error.ts'

const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
const [simd, relaxed] = [new WebAssembly.Module(EMPTY), new WebAssembly.Module(EMPTY)]
const both = { 'relaxed-simd': relaxed, 'simd': simd }

it('is the first, or the one that is asked for', () => {
  expect(pickImported('auto', both)).toEqual({ variant: 'relaxed-simd', module: relaxed })
  expect(pickImported('auto', both).module).toBe(relaxed)
  expect(pickImported('simd', both).module).toBe(simd)
  expect(pickImported('auto', { simd })).toEqual({ variant: 'simd', module: simd })
})

it('is refused where it is not imported, or is none', () => {
  expectError(() => pickImported('relaxed-simd', { simd }), 'ENVIRONMENT', /has the 'simd' binary only; .*createRuntime\(\{ module \}\)/)
  expectError(() => pickImported('fast' as Variant, both), 'VALUE', "variant: expected 'auto', 'relaxed-simd' or 'simd', got \"fast\"")
})
