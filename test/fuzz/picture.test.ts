import { deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readPicture } from '../../src/cli/pictures.ts'
import { mutateMany } from './mutate.ts'

function chunk(type: string, data: Uint8Array): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  return Buffer.concat([length, Buffer.from(type, 'latin1'), data, Buffer.alloc(4)])
}

/** A palette of 4 bits: 5 x 3. */
const PNG = Buffer.concat([
  Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), chunk('IHDR', Uint8Array.of(0, 0, 0, 5, 0, 0, 0, 3, 4, 3, 0, 0, 0)),
  chunk('PLTE', Uint8Array.from({ length: 48 }, (_, n) => 5 * n)),
  chunk('IDAT', deflateSync(Uint8Array.of(0, 0x12, 0x34, 0x50, 1, 1, 2, 3, 4, 7, 8, 9))), chunk('IEND', new Uint8Array(0)),
])

describe('broken pictures', () => {
  it.each([['PNG', PNG], ['PPM', Buffer.from('P6\n# a comment\n2 2\n255\nabcdefghijkl')]] as const)('of %s: they are read or refused', async (_, bytes) => {
    readPicture(bytes)
    const { read, refused } = await mutateMany(bytes, 4000, 9, readPicture)
    expect(read).toBeGreaterThan(10)
    expect(refused).toBeGreaterThan(1000)
  })
})
