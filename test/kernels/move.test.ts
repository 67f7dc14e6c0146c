import { beforeEach, expect, it } from 'vitest'
import { pseudoRandom } from '../random.ts'
import { describeBinaries } from '../variants.ts'
import { Arena, rowRanges } from './arena.ts'

describeBinaries('copyRows and fillZero', (binary) => {
  const arena = new Arena(binary)
  const { kernels } = arena
  beforeEach(() => arena.clear())

  const strides = [
    { fromFloats: 5, toFloats: 5 },
    { fromFloats: 7, toFloats: 5 },
    { fromFloats: 5, toFloats: 9 },
    { fromFloats: 0, toFloats: 5 },
    { fromFloats: -7, toFloats: 9 },
    { fromFloats: 7, toFloats: -5 },
  ]
  it.each(strides)('copyRows copies rows $fromFloats floats apart to rows $toFloats apart', ({ fromFloats, toFloats }) => {
    const [rows, width] = [3, 5]
    const source = pseudoRandom(1, rows * 9, 1)
    const fromPtr = arena.floats(source)
    const toPtr = arena.allocate(rows * 9 * 4)
    const first = (stride: number): number => (stride < 0 ? (rows - 1) * -stride : 0)
    const [fromFirst, toFirst] = [first(fromFloats), toPtr + first(toFloats) * 4]
    arena.call(rowRanges(toFirst, toFloats * 4, rows, width * 4), () => (
      kernels.copyRows(fromPtr + fromFirst * 4, fromFloats * 4, toFirst, toFloats * 4, rows, width * 4)
    ))
    for (let row = 0; row < rows; row++) {
      const at = fromFirst + row * fromFloats
      expect(arena.read(toFirst + row * toFloats * 4, width), `row ${row}`).toEqual(source.slice(at, at + width))
    }
  })

  it('copyRows counts bytes, not floats', () => {
    const fromPtr = arena.floats(pseudoRandom(1, 8, 1))
    const toPtr = arena.allocate(32)
    arena.call(rowRanges(toPtr, 11, 2, 7), () => kernels.copyRows(fromPtr, 9, toPtr, 11, 2, 7))
    expect(arena.bytes(toPtr + 11, 7)).toEqual(arena.bytes(fromPtr + 9, 7))
  })

  it('copyRows copies nothing for no rows or no bytes', () => {
    const ptr = arena.floats([1, 2, 3])
    arena.call([], () => kernels.copyRows(ptr, 4, ptr + 64, 4, 0, 4))
    arena.call([], () => kernels.copyRows(ptr, 4, ptr + 64, 4, 2, 0))
  })

  it.each([0, 1, 3, 17, 64, 1000])('fillZero clears %i bytes', (bytes) => {
    const ptr = arena.allocate(bytes)
    arena.call([[ptr, bytes]], () => kernels.fillZero(ptr, bytes))
    expect(arena.bytes(ptr, bytes)).toEqual(new Uint8Array(bytes))
  })
})
