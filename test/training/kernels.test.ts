import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { GRADIENT_KERNEL_ARITIES } from '../../src/contract/gradient-kernels.ts'
import { KERNEL_ARITIES } from '../../src/contract/kernels.ts'
import { FIRST_BLOCK_PTR } from '../../src/runtime/memory.ts'

const NAMES = ['gradients-simd', 'gradients-debug', 'gradients-relaxed-simd']

it.each(NAMES)('%s.wasm has the kernels of its contract, a memory, and its constants between those of inference and the first block', (name) => {
  const bytes = readFileSync(new URL(`../../build/${name}.wasm`, import.meta.url))
  if (name === 'gradients-relaxed-simd' && !WebAssembly.validate(bytes)) return
  const module = new WebAssembly.Module(bytes)
  expect(WebAssembly.Module.imports(module)).toEqual([{ module: 'env', name: 'memory', kind: 'memory' }])
  const memory = new WebAssembly.Memory({ initial: 1 })
  const content = new Uint8Array(memory.buffer).fill(0xa5)
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  const arities = Object.entries(exports).filter(([, kernel]) => typeof kernel === 'function').map(([kernel, run]) => [kernel, (run as () => void).length])
  expect(Object.fromEntries(arities)).toEqual(GRADIENT_KERNEL_ARITIES)
  const written = content.reduce<number[]>((found, byte, ptr) => (byte === 0xa5 ? found : [...found, ptr]), [])
  expect(written[0]).toBeGreaterThanOrEqual(1024)
  expect(written.at(-1)).toBeLessThan(FIRST_BLOCK_PTR)
})

it('kernels of the two binaries have different names: they are called side by side', () => {
  expect(Object.keys(GRADIENT_KERNEL_ARITIES).filter((name) => name in KERNEL_ARITIES)).toEqual(['contractStamp'])
})
