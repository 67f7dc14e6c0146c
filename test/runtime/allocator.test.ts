import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ALIGNMENT, Allocator } from '../../src/runtime/allocator.ts'

const alignUp = (bytes: number): number => Math.ceil(bytes / 64) * 64

describe('Allocator', () => {
  it('hands out blocks at multiples of 64 bytes, as long as multiples of 64 bytes', () => {
    const allocator = new Allocator(1)
    expect(ALIGNMENT).toBe(64)
    expect([1, 64, 65, 0].map((bytes) => allocator.allocate(bytes))).toEqual([64, 128, 192, 320])
    expect(allocator.end).toBe(384)
    expect(allocator.usedBytes).toBe(64 + 64 + 128 + 64)
  })

  it('uses a freed block again', () => {
    const allocator = new Allocator(0)
    const first = allocator.allocate(100)
    allocator.allocate(100)
    expect(allocator.free(first)).toBe(true)
    expect(allocator.allocate(128)).toBe(first)
    expect(allocator.end).toBe(256)
  })

  it('takes the first free block that is large enough, and leaves its rest free', () => {
    const allocator = new Allocator(0)
    const [small, , large] = [64, 64, 256, 64, 192, 64].map((bytes) => allocator.allocate(bytes)) as [number, number, number]
    const later = 64 + 64 + 256 + 64
    for (const ptr of [small, large, later]) allocator.free(ptr)
    expect(allocator.allocate(128)).toBe(large)
    expect(allocator.allocate(128)).toBe(large + 128)
    expect(allocator.allocate(64)).toBe(small)
    expect(allocator.allocate(192)).toBe(later)
  })

  it.each([
    ['in order', [0, 1, 2]], ['backwards', [2, 1, 0]], ['the middle last', [0, 2, 1]], ['the middle first', [1, 2, 0]],
  ])('merges neighbours freed %s', (_, order) => {
    const allocator = new Allocator(0)
    const ptrs = [64, 128, 192].map((bytes) => allocator.allocate(bytes))
    allocator.allocate(64)
    for (const n of order) expect(allocator.free(ptrs[n] as number)).toBe(true)
    expect(allocator.allocate(384)).toBe(0)
    expect(allocator.end).toBe(448)
  })

  it('does not merge blocks with one in use between them', () => {
    const allocator = new Allocator(0)
    const [a, , c] = [64, 64, 64, 64].map((bytes) => allocator.allocate(bytes)) as [number, number, number]
    allocator.free(a)
    allocator.free(c)
    expect(allocator.allocate(128)).toBe(256)
  })

  it('lets a block begin in the free tail, and says so beforehand', () => {
    const allocator = new Allocator(0)
    allocator.allocate(64)
    const tail = allocator.allocate(64)
    allocator.free(tail)
    expect(allocator.end).toBe(128)
    expect(allocator.endAfter(64)).toBe(128)
    expect(allocator.endAfter(65)).toBe(192)
    expect(allocator.endAfter(0)).toBe(128)
    expect(allocator.allocate(1000)).toBe(64)
    expect(allocator.end).toBe(64 + 1024)
    expect(allocator.endAfter(1)).toBe(64 + 1024 + 64)
  })

  it('tells a block in use from any other address', () => {
    const allocator = new Allocator(0)
    const ptr = allocator.allocate(128)
    expect(allocator.free(ptr + 64)).toBe(false)
    expect(allocator.free(-1)).toBe(false)
    expect(allocator.usedBytes).toBe(128)
    expect(allocator.free(ptr)).toBe(true)
    expect(allocator.free(ptr)).toBe(false)
    expect(allocator.usedBytes).toBe(0)
  })

  it('never overlaps, counts right, and is one free range when all is freed, whatever the order', () => {
    const action = fc.oneof(
      fc.record({ kind: fc.constant('allocate' as const), value: fc.nat(1000) }),
      fc.record({ kind: fc.constant('free' as const), value: fc.nat(1000) }),
    )
    fc.assert(fc.property(fc.array(action, { maxLength: 120 }), fc.nat(200), (actions, begin) => {
      const allocator = new Allocator(begin)
      const first = alignUp(begin)
      const blocks: { ptr: number, bytes: number }[] = []
      for (const { kind, value } of actions) {
        if (kind === 'allocate') {
          const end = allocator.endAfter(value)
          const bytes = Math.max(64, alignUp(value))
          const ptr = allocator.allocate(value)
          expect(allocator.end).toBe(end)
          expect(ptr % 64).toBe(0)
          expect(ptr).toBeGreaterThanOrEqual(first)
          expect(ptr + bytes).toBeLessThanOrEqual(allocator.end)
          expect(blocks.filter((block) => ptr < block.ptr + block.bytes && block.ptr < ptr + bytes)).toEqual([])
          blocks.push({ ptr, bytes })
        } else if (blocks.length > 0) {
          const [block] = blocks.splice(value % blocks.length, 1)
          expect(allocator.free(block?.ptr ?? -1)).toBe(true)
        }
        expect(allocator.usedBytes).toBe(blocks.reduce((sum, { bytes }) => sum + bytes, 0))
      }
      const { end } = allocator
      for (const { ptr } of blocks) allocator.free(ptr)
      expect(allocator.usedBytes).toBe(0)
      if (end > first) expect(allocator.allocate(end - first)).toBe(first)
      expect(allocator.end).toBe(end)
      expect(allocator.allocate(1)).toBe(end)
    }), { numRuns: 300 })
  })

  it('hands out the first hole that is large enough, as a look at every byte finds it', () => {
    const action = fc.record({ free: fc.boolean(), value: fc.nat(400) })
    fc.assert(fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
      const allocator = new Allocator(0)
      /** Whether each unit of 64 bytes is in use, up to the end. */
      const used: boolean[] = []
      const blocks: { unit: number, units: number }[] = []
      for (const { free, value } of actions) {
        if (free) {
          const [block] = blocks.splice(value % Math.max(1, blocks.length), 1)
          if (block === undefined) continue
          used.fill(false, block.unit, block.unit + block.units)
          allocator.free(block.unit * 64)
          continue
        }
        const units = Math.max(1, Math.ceil(value / 64))
        let unit = used.findIndex((_, n) => n + units <= used.length && !used.slice(n, n + units).includes(true))
        // None: it begins in the free tail, and the end moves.
        if (unit < 0) unit = used.lastIndexOf(true) + 1
        expect(allocator.allocate(value)).toBe(unit * 64)
        while (used.length < unit + units) used.push(true)
        used.fill(true, unit, unit + units)
        blocks.push({ unit, units })
        expect(allocator.end).toBe(used.length * 64)
      }
    }), { numRuns: 300 })
  })

  it('has room for 20,000 holes that are too small for what comes after them', () => {
    const allocator = new Allocator(0)
    const count = 20_000
    const ptrs = Array.from({ length: 2 * count }, () => allocator.allocate(64))
    for (let n = 0; n < count; n++) allocator.free(ptrs[2 * (n * 7919 % count)] as number)
    const later = Array.from({ length: count }, () => allocator.allocate(65))
    expect(later).toEqual(later.map((_, n) => 128 * (count + n)))
    expect(allocator.allocate(64)).toBe(0)
  })
})
