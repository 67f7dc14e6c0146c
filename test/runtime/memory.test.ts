import { describe, expect, it } from 'vitest'
import { FIRST_BLOCK_PTR, LinearMemory, MAX_MEMORY_BYTES } from '../../src/runtime/memory.ts'
import { expectError } from '../expect-error.ts'

const PAGE = 65536

describe('LinearMemory', () => {
  it('begins with one page, and keeps the lowest addresses for constants of the kernels', () => {
    const memory = new LinearMemory(10 * PAGE)
    expect([memory.totalBytes, memory.usedBytes, memory.generation]).toEqual([PAGE, 0, 0])
    expect(memory.allocate(4, 'test')).toBe(FIRST_BLOCK_PTR)
    expect(MAX_MEMORY_BYTES).toBe(2 ** 32)
  })

  it('grows when a block does not fit, one generation each time', () => {
    const memory = new LinearMemory(100 * PAGE)
    memory.allocate(PAGE - 128 - FIRST_BLOCK_PTR, 'test')
    expect([memory.totalBytes, memory.generation]).toEqual([PAGE, 0])
    const before = memory.view('float32', FIRST_BLOCK_PTR, 4)
    before.set([1, 2, 3, 4])
    const ptr = memory.allocate(PAGE, 'test')
    expect(memory.generation).toBe(1)
    expect(memory.totalBytes).toBeGreaterThanOrEqual(2 * PAGE)
    expect(before.length).toBe(0)
    expect([...memory.view('float32', FIRST_BLOCK_PTR, 4)]).toEqual([1, 2, 3, 4])
    expect(ptr).toBe(PAGE - 128)
    memory.view('uint8', ptr, PAGE).fill(7)
    expect(memory.view('uint8', ptr + PAGE - 1, 1)[0]).toBe(7)
  })

  it('leaves a vector of 64 bytes readable past the last block', () => {
    const memory = new LinearMemory(2 * PAGE)
    const bytes = PAGE - 64 - FIRST_BLOCK_PTR
    const ptr = memory.allocate(bytes, 'test')
    expect(ptr + bytes + 64).toBe(memory.totalBytes)
    expect(memory.generation).toBe(0)
    memory.allocate(1, 'test')
    expect(memory.generation).toBe(1)
  })

  it('grows by half at least, and never past the limit', () => {
    const memory = new LinearMemory(10 * PAGE)
    memory.allocate(4 * PAGE, 'test')
    expect(memory.totalBytes).toBe(5 * PAGE)
    memory.allocate(PAGE, 'test')
    expect(memory.totalBytes).toBe(8 * PAGE)
    memory.allocate(4 * PAGE, 'test')
    expect(memory.totalBytes).toBe(10 * PAGE)
  })

  it('says how much was wanted, is in use and is allowed when the limit is reached, and changes nothing', () => {
    const memory = new LinearMemory(4 * PAGE + 100)
    expect(memory.maxBytes).toBe(4 * PAGE)
    memory.allocate(1000, 'test')
    const state = (): unknown[] => [memory.usedBytes, memory.totalBytes, memory.generation]
    const before = state()
    expectError(
      () => memory.allocate(4 * PAGE, 'tensor float32 [65536]'), 'MEMORY',
      'tensor float32 [65536]: needs 262144 bytes; 1024 are in use and maxMemoryBytes is 262144',
    )
    expect(state()).toEqual(before)
    expect(memory.allocate(3 * PAGE, 'test')).toBe(FIRST_BLOCK_PTR + 1024)
    expect(memory.usedBytes).toBe(1024 + 3 * PAGE)
  })

  it('takes as little as is needed where the engine refuses to grow by half, and says so where it refuses that', () => {
    const memory = new LinearMemory(100 * PAGE)
    const grow = memory.wasm.grow.bind(memory.wasm)
    const asked: number[] = []
    let most = 3
    memory.wasm.grow = (pages) => {
      asked.push(pages)
      if (pages > most) throw new RangeError('no more')
      return grow(pages)
    }
    memory.allocate(3 * PAGE, 'test')
    most = 1
    memory.allocate(PAGE, 'test')
    expect(asked).toEqual([3, 2, 1])
    expect([memory.totalBytes, memory.generation]).toEqual([5 * PAGE, 2])
    most = 0
    const { usedBytes } = memory
    const error = expectError(
      () => memory.allocate(2 * PAGE, 'test'), 'MEMORY',
      `test: needs 131072 bytes; ${usedBytes} are in use and maxMemoryBytes is ${100 * PAGE}`,
    )
    expect(String(error.cause)).toBe('RangeError: no more')
    expect([memory.usedBytes, memory.totalBytes]).toEqual([usedBytes, 5 * PAGE])
  })

  it('refuses to free what is not in use', () => {
    const memory = new LinearMemory(PAGE)
    const ptr = memory.allocate(4, 'test')
    memory.free(ptr)
    expectError(() => memory.free(ptr), 'DISPOSED', `memory block at ${FIRST_BLOCK_PTR} is not in use`)
  })

  it('makes views of every dtype', () => {
    const memory = new LinearMemory(PAGE)
    const ptr = memory.allocate(8, 'test')
    memory.view('int32', ptr, 2).set([-1, 2])
    expect([...memory.view('uint8', ptr, 8)]).toEqual([255, 255, 255, 255, 2, 0, 0, 0])
    expect(memory.view('float32', ptr, 2)[1]).toBe(2 ** -148)
  })
})
