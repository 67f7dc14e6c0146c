// Who has which page of a shared memory, and what callers allocate in theirs.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { FIRST_BLOCK_PTR, PAGE_BYTES } from '../../src/runtime/memory.ts'
import { CallerMemory } from '../../src/runtime/threads/caller-memory.ts'
import { OWNER, PageTable } from '../../src/runtime/threads/page-table.ts'
import { expectError } from '../expect-error.ts'

const PAGES = 40
const tableOf = (pages: number = PAGES): PageTable => new PageTable(PageTable.wordsFor(pages))

function memories(pages: number = PAGES, most: number = pages): { table: PageTable, open: (caller: number) => CallerMemory } {
  const table = tableOf(pages)
  const wasm = new WebAssembly.Memory({ initial: 1, maximum: pages, shared: true })
  return { table, open: (caller) => new CallerMemory(wasm, table, caller, most) }
}

afterEach(() => vi.restoreAllMocks())

describe('the table of pages', () => {
  it('gives the first pages in a row that are free', () => {
    const table = tableOf(6)
    expect([table.claim(0, 2), table.claim(7, 1), table.claim(0, 1)]).toEqual([0, 2, 3])
    expect([...table.counts()]).toEqual([[0, 3], [7, 1]])
    expect(table.release(7, 2, 1)).toBe(1)
    expect(table.claim(8, 2)).toBe(4)
    expect([table.claim(9, 2), table.claim(9, 1), table.claim(9, 1)]).toEqual([-1, 2, -1])
  })

  it('frees only what a caller has', () => {
    const table = tableOf(6)
    table.claim(1, 2)
    table.claim(2, 2)
    expect(table.release(1, 0, 6)).toBe(2)
    expect([...table.counts()]).toEqual([[2, 2]])
    expect(table.releaseAll(2)).toBe(2)
    expect(table.releaseAll(2)).toBe(0)
  })

  it('looks again where another thread was faster, and leaves nothing behind', () => {
    const table = tableOf(6)
    // A second claim comes in the middle of the first, and goes.
    const exchange = Atomics.compareExchange
    let calls = 0
    vi.spyOn(Atomics, 'compareExchange').mockImplementation(((words: Int32Array, at: number, from: number, to: number) => {
      calls++
      if (calls === 2) Atomics.store(words, at, 99)
      const found = exchange(words, at, from, to)
      if (calls === 2) Atomics.store(words, at, 0)
      return found
    }) as typeof Atomics.compareExchange)
    expect(table.claim(3, 6)).toBe(0)
    expect([...table.counts()]).toEqual([[3, 6]])
  })

  it('numbers callers above those of programs, each once, and counts the owner apart', () => {
    const table = tableOf()
    table.claim(OWNER, 3)
    expect(table.nextNumber()).toBe(2 ** 30)
    expect(table.nextNumber()).toBe(2 ** 30 + 1)
    expect([table.ownedPages, table.counts().size, table.isClosed]).toEqual([3, 0, false])
    table.close()
    expect(table.isClosed).toBe(true)
  })
})

describe('the memory of a caller', () => {
  it('leaves the constants of the kernels alone, and blocks of callers apart', () => {
    const { open } = memories()
    const [owner, a, b] = [open(OWNER), open(1), open(2)] as const
    expect(owner.allocate(1, 'a test')).toBe(FIRST_BLOCK_PTR)
    const blocks: { begin: number, end: number }[] = []
    for (let n = 0; n < 60; n++) {
      const bytes = 1 + (n * 7919) % 30_000
      const begin = (n % 2 === 0 ? a : b).allocate(bytes, 'a test')
      expect(begin % 64).toBe(0)
      blocks.push({ begin, end: begin + bytes })
    }
    blocks.sort((one, other) => one.begin - other.begin)
    for (let n = 1; n < blocks.length; n++) expect(blocks[n - 1]?.end).toBeLessThanOrEqual(blocks[n]?.begin as number)
    expect(blocks[0]?.begin).toBeGreaterThanOrEqual(PAGE_BYTES)
  })

  it('keeps a vector behind every block readable', () => {
    const { open } = memories(4)
    const memory = open(1)
    // With the 64 bytes behind it, it does not fit the last page.
    const ptr = memory.allocate(2 * PAGE_BYTES - 64, 'a test')
    expect(ptr + 2 * PAGE_BYTES).toBeLessThanOrEqual(memory.totalBytes)
    memory.free(ptr)
    expectError(() => memory.allocate(3 * PAGE_BYTES, 'a test'), 'MEMORY', /^a test: needs 196608 bytes; this thread has 65536 of the shared memory and may have 262144, all together 262144$/)
  })

  it('gives pages back when nothing is in them, the first when it is closed', () => {
    const { table, open } = memories()
    const memory = open(5)
    memory.free(memory.allocate(8, 'a test'))
    expect(table.counts().get(5)).toBe(1)
    const large = [memory.allocate(3 * PAGE_BYTES, 'a test'), memory.allocate(2 * PAGE_BYTES, 'a test')] as const
    expect(memory.usedBytes).toBe(5 * PAGE_BYTES)
    expect(table.counts().get(5)).toBeGreaterThanOrEqual(6)
    const small = memory.allocate(8, 'a test')
    large.forEach((ptr) => memory.free(ptr))
    expect(table.counts().get(5)).toBe(1)
    memory.close()
    expect(table.counts().get(5)).toBe(1)
    memory.free(small)
    expect(table.counts().size).toBe(0)
    expectError(() => memory.free(small), 'DISPOSED', /is not in use$/)
    // What is allocated later goes with its last block.
    const late = memory.allocate(8, 'a test')
    expect(table.counts().get(5)).toBe(1)
    memory.free(late)
    expect(table.counts().size).toBe(0)
  })

  it('uses pages that others gave back before the memory grows', () => {
    const { open } = memories()
    const [a, b] = [open(1), open(2)]
    const ptr = a.allocate(5 * PAGE_BYTES, 'a test')
    a.free(ptr)
    const { totalBytes } = a
    expect(b.allocate(5 * PAGE_BYTES, 'a test')).toBe(ptr)
    expect(b.totalBytes).toBe(totalBytes)
  })

  it('keeps to its own limit, with no more than it needs where half as much again is too much', () => {
    const { table, open } = memories(PAGES, 6)
    const memory = open(1)
    memory.allocate(4 * PAGE_BYTES - 64, 'a test')
    memory.allocate(PAGE_BYTES - 64, 'a test')
    expect(table.counts().get(1)).toBe(6)
    expectError(() => memory.allocate(PAGE_BYTES, 'a test'), 'MEMORY', /may have 393216, all together 2621440$/)
  })

  it('knows what another thread has grown, and gives its pages back where the engine gives none', () => {
    const { table, open } = memories()
    const memory = open(1)
    const grow = vi.spyOn(memory.wasm, 'grow')
    // Another thread grows it between the look and the growing.
    grow.mockImplementation((pages) => {
      if (pages === 0) return 0
      grow.mockRestore()
      ;(memory.wasm).grow(pages)
      throw new RangeError('no')
    })
    expect(memory.allocate(3 * PAGE_BYTES, 'a test')).toBeGreaterThan(0)
    const before = table.counts().get(1)
    vi.spyOn(memory.wasm, 'grow').mockImplementation((pages) => {
      if (pages > 0) throw new RangeError('no')
      return 0
    })
    expectError(() => memory.allocate(20 * PAGE_BYTES, 'a test'), 'MEMORY', /^a test: needs 1310720 bytes/)
    expect(table.counts().get(1)).toBe(before)
  })
})
