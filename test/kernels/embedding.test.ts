import { beforeEach, expect, it } from 'vitest'
import { pseudoRandom } from '../random.ts'
import { describeBinaries } from '../variants.ts'
import { Arena } from './arena.ts'

describeBinaries('embeddingF32', (binary) => {
  const arena = new Arena(binary)
  const { kernels } = arena
  beforeEach(() => arena.clear())

  function setUp(indices: readonly number[], tableRows: number, width: number) {
    const table = pseudoRandom(width, tableRows * width, 1)
    const [indexPtr, tablePtr] = [arena.ints(indices), arena.floats(table)]
    const outPtr = arena.allocate(indices.length * width * 4)
    const run = (begin: number, end: number): number => kernels.embeddingF32(indexPtr, begin, end, tablePtr, tableRows, width, outPtr)
    return { table, outPtr, run }
  }

  it.each([1, 3, 5, 16, 17, 33])('copies rows of %i floats, also the first and the last of the table', (width) => {
    const indices = [4, 0, 10, 4, 7]
    const { table, outPtr, run } = setUp(indices, 11, width)
    expect(arena.call([[outPtr, 5 * width * 4]], () => run(0, 5))).toBe(-1)
    const expected = indices.flatMap((index) => [...table.subarray(index * width, (index + 1) * width)])
    expect([...arena.read(outPtr, 5 * width)]).toEqual(expected)
  })

  it.each([[0, 2], [1, 4], [4, 5], [3, 3]] as const)('works on lookups %i to %i only, and looks at no other index', (begin, end) => {
    const indices = [99, 99, 99, 99, 99].map((index, n) => (n >= begin && n < end ? n : index))
    const { table, outPtr, run } = setUp(indices, 11, 3)
    expect(arena.call([[outPtr + begin * 12, (end - begin) * 12]], () => run(begin, end))).toBe(-1)
    expect(arena.read(outPtr + begin * 12, (end - begin) * 3)).toEqual(table.slice(begin * 3, end * 3))
  })

  it.each([11, 12, -1, 2 ** 31 - 1, -(2 ** 31)])('gives the position of the first index outside the table, %i, and writes nothing', (wrong) => {
    const { run } = setUp([4, 10, wrong, 3, wrong], 11, 3)
    expect(arena.call([], () => run(0, 5))).toBe(2)
    expect(arena.call([], () => run(3, 5))).toBe(4)
  })
})
