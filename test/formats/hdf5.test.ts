// Files of test/python/golden_hdf5.py.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { openHdf5, type Hdf5Object } from '../../src/formats/hdf5/hdf5.ts'
import { expectError } from '../expect-error.ts'

const open = (name: string): Hdf5Object => openHdf5(readFileSync(new URL(`../golden/hdf5/${name}.h5`, import.meta.url)))
const oldest = readFileSync(new URL('../golden/hdf5/oldest.h5', import.meta.url))
const counting = (length: number): number[] => Array.from({ length }, (_, n) => n)

describe.each(['oldest', 'newest'])('the %s layout', (layout) => {
  const root = open(layout)
  const read = (name: string): { dtype: string, shape: readonly number[], data: number[] } => {
    const { dtype, shape, data } = (root.find(name) as Hdf5Object).read()
    return { dtype, shape, data: [...data] }
  }

  it('has groups, with few members and with many', () => {
    expect(root.find('many')?.names.sort()).toEqual(counting(40).map((n) => `dataset${n}`).sort())
    for (const n of counting(40)) expect(read(`many/dataset${n}`).data).toEqual(counting(6).map((value) => value + n))
    expect(root.find('empty group')?.names).toEqual([])
    expect(root.find('a/b')?.isGroup).toBe(true)
    expect(root.find('a/b/c')?.isGroup).toBe(false)
    expect(root.find('a/c')).toBeUndefined()
    expect(root.find('a/b/c/d')).toBeUndefined()
  })

  it('has attributes that are text: fixed and variable, long and many', () => {
    expect(root.attribute('short')).toBe('one text')
    expect(root.attribute('long')).toHaveLength(layout === 'newest' ? 70_000 : 50_000)
    expect(root.attribute('texts')).toEqual(['a', 'bb', 'ccc'])
    expect(root.attribute('fixed')).toEqual(['a', 'bb'])
    for (const n of counting(12)) expect(root.attribute(`attribute${n}`)).toBe(`value ${n}`)
    expect(root.attribute('toString')).toBeUndefined()
  })

  it('has datasets of every element type that weights come in', () => {
    expect(read('a/b/c')).toEqual({ dtype: 'float32', shape: [3], data: [0, 1, 2] })
    expect(read('big-endian float64')).toEqual({ dtype: 'float32', shape: [5], data: counting(5) })
    expect(read('float16')).toEqual({ dtype: 'float32', shape: [5], data: counting(5) })
    expect(read('int64')).toEqual({ dtype: 'int32', shape: [5], data: counting(5) })
    expect(read('int32')).toEqual({ dtype: 'int32', shape: [5], data: counting(5) })
    expect(read('uint8')).toEqual({ dtype: 'uint8', shape: [5], data: counting(5) })
    expect(read('scalar')).toEqual({ dtype: 'float32', shape: [], data: [3] })
    expect(read('never written')).toEqual({ dtype: 'float32', shape: [3], data: [0, 0, 0] })
    expect(read('no elements')).toEqual({ dtype: 'float32', shape: [0, 3], data: [] })
    expectError(() => read('text'), 'UNSUPPORTED', "HDF5: the dataset 'text' has elements that are not numbers")
    expectError(() => read('many'), 'FORMAT', "HDF5: expected 'many' to be a dataset, got a group")
  })

  it('has chunks, through gzip, shuffle and fletcher32', () => {
    const expected = { dtype: 'float32', shape: [19, 11], data: counting(209) }
    if (layout === 'oldest') expect(read('chunks')).toEqual(expected)
    else {
      expect(read('chunk')).toEqual(expected)
      expectError(() => read('chunks'), 'UNSUPPORTED', /^HDF5: the dataset 'chunks' has chunks with an index of kind 3; /)
    }
  })
})

describe('openHdf5 refuses', () => {
  it('a file that is cut off anywhere', () => {
    for (let length = 0; length < oldest.length; length += 97) {
      expectError(() => openHdf5(oldest.subarray(0, length)), 'FORMAT', /^HDF5: (superblock|expected)/)
    }
  })

  it('a tree that is its own child', () => {
    const bytes = Uint8Array.from(oldest)
    const at = Buffer.from(bytes.buffer).indexOf('TREE')
    // Level 255, and the first child is the node itself.
    bytes[at + 5] = 255
    new DataView(bytes.buffer).setUint32(at + 32, at, true)
    new DataView(bytes.buffer).setUint32(at + 36, 0, true)
    expectError(() => openHdf5(bytes), 'FORMAT', /^HDF5: B-tree node at byte \d+: expected a level below 255, got 255$/)
  })

  it('a dataset larger than the file could fill', () => {
    const bytes = Uint8Array.from(oldest)
    // Version 1, 2 axes of 19 and 11 elements.
    const pattern = Buffer.from([1, 2, 1, 0, 0, 0, 0, 0, 19, 0, 0, 0, 0, 0, 0, 0, 11])
    const at = Buffer.from(bytes.buffer).indexOf(pattern)
    expect(at).toBeGreaterThan(0)
    bytes[at + 12] = 1 // 2^32 x 11
    const chunks = openHdf5(bytes).find('chunks') as Hdf5Object
    expectError(() => chunks.read(), 'FORMAT', /^HDF5: the dataset 'chunks': a file of \d+ bytes that unpacks to more than \d+ is not read$/)
  })
})
