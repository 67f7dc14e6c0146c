import { beforeEach, expect, it } from 'vitest'
import { pseudoRandom } from '../random.ts'
import { describeBinaries } from '../variants.ts'
import { Arena } from './arena.ts'

describeBinaries('gatherRecords and scatterRecords', (binary) => {
  const arena = new Arena(binary)
  const { kernels } = arena
  beforeEach(() => arena.clear())

  const RECORDS = 7
  const INDICES = [5, 0, 6, 2, 3]
  it.each([[1, 1], [3, 5], [4, 4], [17, 20], [33, 40]])('move rows of %i floats between records of %i floats', (width, record) => {
    const records = pseudoRandom(width, RECORDS * record, 1)
    const rows = pseudoRandom(width + 1, INDICES.length * width, 1)
    const [begin, end] = [1, 4]
    const indicesPtr = arena.floats(new Float32Array(Int32Array.from(INDICES).buffer))
    const recordsPtr = arena.floats(records)
    const rowsPtr = arena.floats(rows)
    arena.call([[rowsPtr + begin * width * 4, (end - begin) * width * 4]], () => (
      kernels.gatherRecords(indicesPtr, begin, end, recordsPtr, record * 4, rowsPtr, width * 4)
    ))
    for (let n = begin; n < end; n++) {
      const at = (INDICES[n] as number) * record
      expect(arena.read(rowsPtr + n * width * 4, width)).toEqual(records.slice(at, at + width))
    }
    const otherPtr = arena.floats(rows)
    const touched = INDICES.slice(begin, end).map((index): [number, number] => [recordsPtr + index * record * 4, width * 4])
    arena.call(touched, () => kernels.scatterRecords(indicesPtr, begin, end, recordsPtr, record * 4, otherPtr, width * 4))
    for (let n = begin; n < end; n++) {
      expect(arena.read(recordsPtr + (INDICES[n] as number) * record * 4, width)).toEqual(rows.slice(n * width, (n + 1) * width))
    }
  })
})
