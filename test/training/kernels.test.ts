import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { GRADIENT_KERNEL_ARITIES } from '../../src/contract/gradient-kernels.ts'
import { KERNEL_ARITIES } from '../../src/contract/kernels.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import { trainingRuntime } from '../../src/runtime/gradient-kernels.ts'
import { FIRST_BLOCK_PTR } from '../../src/runtime/memory.ts'
import { expectRejection } from '../expect-error.ts'
import { LINKED } from '../linked.ts'

const NAMES = ['gradients-simd', 'gradients-debug', 'gradients-relaxed-simd']

it.each(NAMES)('%s.wasm has the kernels of its contract, a memory, calls of the binary of inference, and its constants between those of inference and the first block', (name) => {
  const bytes = readFileSync(new URL(`../../build/${name}.wasm`, import.meta.url))
  if (name === 'gradients-relaxed-simd' && !WebAssembly.validate(bytes)) return
  const module = new WebAssembly.Module(bytes)
  const linked = WebAssembly.Module.imports(module).filter(({ kind }) => kind === 'function')
  expect(linked.map((one) => one.name).filter((own) => !LINKED.includes(own))).toEqual([])
  expect(linked.length).toBeGreaterThan(6)
  const memory = new WebAssembly.Memory({ initial: 1 })
  const content = new Uint8Array(memory.buffer).fill(0xa5)
  const { exports } = new WebAssembly.Instance(module, { env: { memory, ...Object.fromEntries(linked.map((one) => [one.name, () => undefined])) } })
  const arities = Object.entries(exports).filter(([, kernel]) => typeof kernel === 'function').map(([kernel, run]) => [kernel, (run as () => void).length])
  expect(Object.fromEntries(arities)).toEqual(GRADIENT_KERNEL_ARITIES)
  const written = content.reduce<number[]>((found, byte, ptr) => (byte === 0xa5 ? found : [...found, ptr]), [])
  expect(written[0]).toBeGreaterThanOrEqual(1024)
  expect(written.at(-1)).toBeLessThan(FIRST_BLOCK_PTR)
})

it('kernels of the two binaries have different names: they are called side by side', () => {
  expect(Object.keys(GRADIENT_KERNEL_ARITIES).filter((name) => name in KERNEL_ARITIES)).toEqual(['contractStamp'])
})

it.each<[string, () => BufferSource]>([
  ['the binary of inference', () => readFileSync(new URL('../../build/simd.wasm', import.meta.url))],
  ['an empty one', () => Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)],
])('a module that is %s is told apart', async (_name, bytes) => {
  const made = trainingRuntime(await createRuntime({ variant: 'simd' }), new WebAssembly.Module(bytes()))
  await expectRejection(made, 'VALUE', 'module: expected a WebAssembly.Module of gradients-simd.wasm of this version of lstm-wasm, got another one')
})
