// Checkpoints of TensorFlow, written byte by byte: where variables stand, and what no checkpoint says.
import { describe, expect, it } from 'vitest'
import { Budget } from '../../src/formats/budget.ts'
import type { ModelFiles } from '../../src/formats/reader.ts'
import { readCheckpoint } from '../../src/formats/tf1/checkpoint.ts'
import { readTable } from '../../src/formats/tf1/table.ts'
import type { NdArray } from '../../src/values/ndarray.ts'
import { expectError, expectRejection } from '../expect-error.ts'
import { pseudoRandom } from '../random.ts'
import { bytesOf, field, writeTable, type Block, type Bytes, type TableEntry } from './table-writer.ts'

const FLOAT = 1
const STRING = 7

const shapeOf = (...sizes: number[]): number[] => sizes.flatMap((size) => field(2, field(1, size)))
/** BundleEntryProto: type, shape, part, offset, size. */
const variable = (shape: Bytes, shard: number, offset: number, size: number, dtype: number = FLOAT): number[] => (
  [...field(1, dtype), ...field(2, shape), ...field(3, shard), ...field(4, offset), ...field(5, size)]
)
const entry = (name: string, value: Bytes): TableEntry => ({ own: bytesOf(name), value })
const table = (...entries: TableEntry[]): Uint8Array => writeTable([{ entries }])

function read(bytes: Uint8Array, data: Readonly<Record<string, Uint8Array>> = {}): Promise<Map<string, NdArray>> {
  const sibling = async (name: string): Promise<Uint8Array> => data[name] ?? Promise.reject(new Error(`no ${name}`))
  const files: ModelFiles = { bytes, name: 'folder/m.index', sibling }
  return readCheckpoint(files, new Budget(bytes.length))
}

const TWO = pseudoRandom(5, 9, 1)
const DATA = new Uint8Array(TWO.buffer)

describe('a checkpoint', () => {
  it('has variables in as many data files as it says, up to 10,000', async () => {
    for (const shards of [3, 10_000]) {
      const digits = String(shards).padStart(5, '0')
      const variables = await read(
        table(entry('', field(1, shards)), entry('a', variable(shapeOf(3, 1), 2, 4, 12)), entry('b', variable(shapeOf(2), 0, 28, 8)), entry('c', variable([], 2, 0, 4))),
        { [`m.data-00002-of-${digits}`]: DATA.subarray(0, 16), [`m.data-00000-of-${digits}`]: DATA },
      )
      expect([...variables].map(([name, { shape, data }]) => [name, shape, [...data]])).toEqual([
        ['a', [3, 1], [...TWO.subarray(1, 4)]], ['b', [2], [...TWO.subarray(7)]], ['c', [], [TWO[0]]],
      ])
    }
  })

  it.each([0, 10_001, 2 ** 40])('has no %d data files', async (shards) => {
    await expectRejection(read(table(entry('', field(1, shards)))), 'FORMAT', `TensorFlow checkpoint: expected a number of data files, got ${shards}`)
  })

  it('has no variables of more than 64 axes', async () => {
    const header = entry('', field(1, 1))
    const axes = (count: number): number[] => shapeOf(...Array<number>(count - 1).fill(1), 9)
    const data = { 'm.data-00000-of-00001': DATA }
    const variables = await read(table(header, entry('w', variable(axes(64), 0, 0, 36))), data)
    expect(variables.get('w')?.shape).toEqual([...Array<number>(63).fill(1), 9])
    await expectRejection(read(table(header, entry('w', variable(axes(65), 0, 0, 36))), data), 'FORMAT', "TensorFlow checkpoint: variable 'w' has no shape that is possible")
    const huge = variable(shapeOf(2 ** 53), 0, 0, 36)
    await expectRejection(read(table(header, entry('w', huge)), data), 'FORMAT', "TensorFlow checkpoint: variable 'w' has no shape that is possible")
  })

  it.each([
    ['a part that is not there', variable(shapeOf(9), 2, 0, 36), "variable 'w' is in part 2, expected one of 2"],
    ['bytes for another shape', variable(shapeOf(9), 0, 0, 35), "variable 'w' float32 [9] needs 36 bytes, got 35"],
    ['bytes beyond its data', variable(shapeOf(9), 0, 1, 36), "variable 'w' stands at bytes 1 to 37, expected them inside the 36 bytes of data"],
  ])('has no variable with %s', async (_title, value, message) => {
    const bytes = table(entry('', field(1, 2)), entry('w', value))
    await expectRejection(read(bytes, { 'm.data-00000-of-00002': DATA }), 'FORMAT', `TensorFlow checkpoint: ${message}`)
  })

  it('is read without its texts, and not when it is cut in slices or of a big-endian machine', async () => {
    const header = entry('', field(1, 1))
    const text = entry('graph', variable([], 5, 0, 99, STRING))
    expect(await read(table(header, text))).toEqual(new Map())
    const slice = [...variable(shapeOf(9), 0, 0, 36), ...field(7, [])]
    await expectRejection(read(table(header, entry('v', slice), entry('w', slice))), 'UNSUPPORTED', "TensorFlow checkpoint: variables that are saved in parts (partitioned): 'v', 'w'")
    await expectRejection(read(table(entry('', [...field(1, 1), ...field(2, 1)]))), 'UNSUPPORTED', 'TensorFlow checkpoint: it was written on a big-endian machine')
    await expectRejection(read(table(text)), 'FORMAT', 'TensorFlow checkpoint: expected a number of data files, got 0')
  })
})

describe('a table', () => {
  const readBlocks = (...blocks: Block[]): [string, number[]][] => {
    const bytes = writeTable(blocks)
    return [...readTable(bytes, new Budget(bytes.length))].map(([key, value]) => [key, [...value]])
  }
  const plain: Block = { entries: [entry('a', [1, 2])] }

  it('has keys that leave out what they share with the one before, in any number of blocks', () => {
    const shared: Block = { entries: [entry('kernel', [3]), { shared: 4, own: bytesOf('2'), value: [] }] }
    const numbered = { entries: [entry('z', [7, 8, 9])] }
    expect(readBlocks(plain, shared, numbered)).toEqual([['a', [1, 2]], ['kernel', [3]], ['kern2', []], ['z', [7, 8, 9]]])
  })

  it('has keys of at most 1024 bytes', () => {
    const key = (length: number): Block => ({ entries: [{ own: Array<number>(length).fill(65), value: [6] }] })
    expect(readBlocks(key(1024))).toEqual([['A'.repeat(1024), [6]]])
    expectError(() => readBlocks(key(1025)), 'FORMAT', 'TensorFlow checkpoint: expected a key of at most 1024 bytes, got 1025')
    const long: Block = { entries: [entry('ab', []), { shared: 2, own: Array<number>(1023).fill(65), value: [] }] }
    expectError(() => readBlocks(long), 'FORMAT', 'TensorFlow checkpoint: expected a key of at most 1024 bytes, got 1025')
  })

  it.each<[string, Block, 'FORMAT' | 'UNSUPPORTED', string | RegExp]>([
    ['a key that shares more than there is', { entries: [entry('ab', []), { shared: 3, own: [], value: [] }] }, 'FORMAT', 'TensorFlow checkpoint: a key shares 3 bytes with one of 2'],
    ['a key twice', { entries: [entry('k', []), { shared: 1, own: [], value: [] }] }, 'FORMAT', 'TensorFlow checkpoint: the key "k" stands twice'],
    ['more restarts than room', { entries: [], restarts: 2 }, 'FORMAT', 'TensorFlow checkpoint: expected a block with room for 2 restarts, got 8 bytes'],
    ['too few bytes', { entries: [], size: 3 }, 'FORMAT', 'TensorFlow checkpoint: expected a block of at least 4 bytes, got 3'],
    ['an end beyond the file', { entries: [], size: 999 }, 'FORMAT', /^TensorFlow checkpoint: expected a block of 999 bytes at byte 0, got a file of \d+ bytes$/],
    ['bytes that snappy packed', { entries: [], compression: 1 }, 'UNSUPPORTED', "TensorFlow checkpoint: the block at byte 0 is compressed (snappy); TensorFlow's Saver writes them plain"],
    ['bytes that something else packed', { entries: [], compression: 4 }, 'UNSUPPORTED', /compressed \(type 4\)/],
  ])('has no block with %s', (_title, block, code, message) => {
    expectError(() => readBlocks(block), code, message)
  })

  it('has no block that begins in the one before', () => {
    const first = { entries: [] }
    expect(readBlocks(first, first, plain)).toEqual([['a', [1, 2]]])
    // Four zeros of the trailer, at the very end of the first: a block of no entries.
    expect(readBlocks(first, { ...first, offset: 8, size: 4 })).toEqual([])
    expectError(() => readBlocks(first, { ...first, offset: 7 }), 'FORMAT', 'TensorFlow checkpoint: the block at byte 7 begins before the end of the one before, 8')
  })
})
