import { expect, it } from 'vitest'
import { KERNEL_ARITIES } from '../../src/contract/kernels.ts'
import { CONTRACT_STAMP } from '../../src/contract/stamp.ts'
import { FIRST_BLOCK_PTR } from '../../src/runtime/memory.ts'
import { BINARIES, describeBinaries } from '../variants.ts'
import { LINKED } from '../linked.ts'
import { Arena } from './arena.ts'
import { placeProduct } from './product-calls.ts'
import { placeCall } from './recurrences.ts'

it('simd.wasm and debug.wasm are among the binaries under test', () => {
  expect(BINARIES.map(({ name }) => name)).toEqual(expect.arrayContaining(['simd', 'debug']))
})

describeBinaries('exports', (binary) => {
  it('are the kernels of the contract and the memory, with as many parameters', () => {
    const exported = Object.fromEntries(WebAssembly.Module.exports(binary.module).map(({ name, kind }) => [name, kind]))
    // Beside them, the debug binary has what test/kernels/reference.test.ts compares them with.
    const twins = binary.name === 'debug' ? ['referenceGru', 'referenceLstm', 'referenceProduct', 'referenceRnn'] : []
    const functions = Object.fromEntries([...Object.keys(KERNEL_ARITIES), ...LINKED, ...twins].map((name) => [name, 'function']))
    expect(exported).toEqual({ ...functions, memory: 'memory' })
    const { kernels } = new Arena(binary)
    const arities = Object.entries(kernels).filter(([name]) => name !== 'memory' && !LINKED.includes(name) && !twins.includes(name)).map(([name, kernel]) => [name, (kernel as () => void).length])
    expect(Object.fromEntries(arities)).toEqual(KERNEL_ARITIES)
    expect(kernels.contractStamp()).toBe(CONTRACT_STAMP)
  })

  it('keep their constants below the first block of the allocator', () => {
    const memory = new WebAssembly.Memory({ initial: 1 })
    const bytes = new Uint8Array(memory.buffer).fill(0xa5)
    void new WebAssembly.Instance(binary.module, { env: { memory } })
    const written = bytes.reduce<number[]>((found, byte, ptr) => (byte === 0xa5 ? found : [...found, ptr]), [])
    expect(written.length).toBeGreaterThan(0)
    expect(written[0]).toBeGreaterThanOrEqual(64) // address 0 means "absent"
    expect(written.at(-1)).toBeLessThan(FIRST_BLOCK_PTR)
  })

  it('need nothing but a memory', () => {
    expect(WebAssembly.Module.imports(binary.module)).toEqual([{ module: 'env', name: 'memory', kind: 'memory' }])
  })

  if (binary.name !== 'debug') return
  it('check their arguments', () => {
    const arena = new Arena(binary)
    const { kernels } = arena
    const [negative, one] = [placeProduct(arena, -1, 1, 1), placeProduct(arena, 1, 1, 1)]
    expect(() => kernels.gemmF32(negative, 64, 64, 128, 0)).toThrow(WebAssembly.RuntimeError) // -1 rows
    expect(() => kernels.gemmF32(one, 68, 64, 128, 0)).toThrow(WebAssembly.RuntimeError) // packed weights unaligned
    expect(() => kernels.packDenseF32(64, 0, 0, 1, 1)).toThrow(WebAssembly.RuntimeError) // no weights
    const callPtr = placeCall(arena, { timesteps: 1, rowEnd: 1, cellPtr: arena.ints([0, 0, 1]) })
    expect(() => kernels.lstmForwardF32(callPtr, 64, 64, 64, 0, 0, 0, 256)).toThrow(WebAssembly.RuntimeError) // chunkSteps 0
  })
})
