// `lstm-wasm read`: pictures of lines, and the files they are in.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readPicture } from '../../src/cli/pictures.ts'
import { compile } from '../../src/model/load.ts'
import { readTraineddata, recognizeLine } from '../../src/readers/tesseract.ts'
import { expectError } from '../expect-error.ts'
import { smallFile, smallPicture } from '../formats/traineddata-writer.ts'
import { pseudoRandom } from '../random.ts'
import { lstmWasm } from './in-process.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lstm-wasm-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function chunk(type: string, data: Uint8Array): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  return Buffer.concat([length, Buffer.from(type, 'latin1'), data, Buffer.alloc(4)])
}

interface Written {
  readonly width: number
  readonly height: number
  readonly bits: number
  readonly colour: number
  readonly interlaced?: number
  /** Rows, each with its filter in front. */
  readonly rows: Uint8Array
  readonly parts?: readonly Buffer[]
}

function png({ width, height, bits, colour, interlaced = 0, rows, parts = [] }: Written): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width)
  header.writeUInt32BE(height, 4)
  header.set([bits, colour, 0, 0, interlaced], 8)
  const pixels = deflateSync(rows)
  // In two parts, as large files have them.
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), chunk('IHDR', header), ...parts, chunk('IDAT', pixels.subarray(0, 5)), chunk('IDAT', pixels.subarray(5)),
    chunk('IEND', new Uint8Array(0)),
  ])
}

/** Rows of bytes as PNG's five filters write them, in turn. */
function filtered(data: Uint8Array, rowBytes: number, pixelBytes: number): Uint8Array {
  const at = (y: number, x: number): number => (y < 0 || x < 0 ? 0 : data[y * rowBytes + x] as number)
  return Uint8Array.from({ length: data.length / rowBytes * (rowBytes + 1) }, (_, n) => {
    const [y, x] = [Math.floor(n / (rowBytes + 1)), n % (rowBytes + 1) - 1]
    if (x < 0) return y % 5
    const [left, above, corner] = [at(y, x - pixelBytes), at(y - 1, x), at(y - 1, x - pixelBytes)]
    const distances = [left, above, corner].map((value) => Math.abs(left + above - corner - value))
    const paeth = [left, above, corner][distances.indexOf(Math.min(...distances))] as number
    return at(y, x) - ([0, left, above, Math.floor((left + above) / 2), paeth][y % 5] as number)
  })
}

const bytes = (seed: number, length: number): Uint8Array => Uint8Array.from(pseudoRandom(seed, length, 128), (value) => value + 128)

describe('pictures', () => {
  it.each([['grey', 0, 1], ['colours', 2, 3], ['grey and opacity', 4, 2], ['colours and opacity', 6, 4]] as const)('of PNG, %s of 8 and 16 bits, every filter', (_, colour, channels) => {
    for (const bits of [8, 16]) {
      const [width, height, step] = [7, 11, bits / 8]
      const data = bytes(colour + bits, width * height * channels * step)
      const picture = readPicture(png({ width, height, bits, colour, rows: filtered(data, width * channels * step, channels * step) }))
      const sample = (n: number, channel: number): number => data[(n * channels + channel) * step] as number
      const expected = Array.from({ length: width * height }, (_pixel, n) => {
        if (channels === 1) return [sample(n, 0)]
        if (channels === 2) return [sample(n, 0), sample(n, 0), sample(n, 0), sample(n, 1)]
        return [sample(n, 0), sample(n, 1), sample(n, 2), channels === 3 ? 255 : sample(n, 3)]
      })
      expect([picture.width, picture.height, [...picture.data]]).toEqual([width, height, expected.flat()])
    }
  })

  it.each([1, 2, 4])('of PNG, grey and palettes of %i bits', (bits) => {
    const [width, height] = [5, 3]
    const rowBytes = Math.ceil(width * bits / 8)
    const values = Array.from({ length: width * height }, (_, n) => (n * 7 + 1) % 2 ** bits)
    const packed = new Uint8Array(rowBytes * height)
    values.forEach((value, n) => {
      const bit = n % width * bits
      const at = Math.floor(n / width) * rowBytes + Math.floor(bit / 8)
      packed[at] = (packed[at] as number) | (value << (8 - bits - bit % 8))
    })
    const rows = filtered(packed, rowBytes, 1)
    expect([...readPicture(png({ width, height, bits, colour: 0, rows })).data]).toEqual(values.map((value) => value * 255 / (2 ** bits - 1)))
    const palette = bytes(bits, 3 * 2 ** bits)
    const parts = [chunk('PLTE', palette), chunk('tRNS', Uint8Array.of(9))]
    const coloured = readPicture(png({ width, height, bits, colour: 3, rows, parts }))
    expect([...coloured.data]).toEqual(values.flatMap((value) => [...palette.subarray(3 * value, 3 * value + 3), value === 0 ? 9 : 255]))
    expectError(() => readPicture(png({ width, height, bits, colour: 3, rows })), 'FORMAT', /^picture: expected the colour \d+ in the palette/)
  })

  it('of PGM and PPM, with comments', () => {
    const { width, height, data } = readPicture(Buffer.from('P5\n# a scan\n2 1\n255\nab', 'latin1'))
    expect([width, height, ...data]).toEqual([2, 1, 97, 98])
    expect([...readPicture(Buffer.from('P6 1 2 255 abcdef', 'latin1')).data]).toEqual([97, 98, 99, 255, 100, 101, 102, 255])
  })

  const grey = { width: 2, height: 2, bits: 8, colour: 0, rows: new Uint8Array(6) }
  it.each<[string, Uint8Array, 'FORMAT' | 'UNSUPPORTED', RegExp]>([
    ['another format', Buffer.from('GIF89a'), 'UNSUPPORTED', /expected a PNG, PGM \(P5\) or PPM/],
    ['a PNG that is cut off', png(grey).subarray(0, 50), 'FORMAT', /it is cut off/],
    ['an interlaced PNG', png({ ...grey, interlaced: 1 }), 'UNSUPPORTED', /interlaced/],
    ['too few pixels', png({ ...grey, height: 3 }), 'FORMAT', /expected 9 bytes of pixels, got 6/],
    ['too many pixels', png({ ...grey, rows: new Uint8Array(1e6) }), 'FORMAT', /the pixels of the PNG are broken/],
    ['endless sizes', png({ ...grey, width: 2 ** 31 - 1, height: 2 ** 31 - 1 }), 'FORMAT', /expected 1 to 134217728 pixels, got 2147483647 x 2147483647/],
    ['no size', png({ ...grey, width: 0 }), 'FORMAT', /got 0 x 2/],
    ['unknown colours', png({ ...grey, colour: 5 }), 'FORMAT', /got colour type 5 of 8 bits/],
    ['unknown filters', png({ ...grey, rows: new Uint8Array(6).fill(7) }), 'FORMAT', /expected filters 0 to 4, got 7 in row 0/],
    ['a PGM that is cut off', Buffer.from('P5 2 2 255 abc'), 'FORMAT', /expected 4 bytes of pixels, got 3: it is cut off/],
    ['a PGM of 16 bits', Buffer.from('P5 2 2 65535 abc'), 'UNSUPPORTED', /expected values up to 255, got 65535/],
    ['a PGM of nothing', Buffer.from('P5 x'), 'FORMAT', /expected a width, a height and the largest value/],
  ])('refuse %s', (_, file, code, message) => {
    expectError(() => readPicture(file), code, message)
  })
})

describe('lstm-wasm read', () => {
  const file = smallFile()
  const picture = smallPicture()

  it('prints the text of each picture, or all about it', async () => {
    writeFileSync(join(folder, 'm.traineddata'), file)
    const pgm = Buffer.concat([Buffer.from('P5 60 20 255\n'), picture.data])
    writeFileSync(join(folder, 'a.pgm'), pgm)
    writeFileSync(join(folder, 'b.png'), png({ width: 60, height: 20, bits: 8, colour: 0, rows: filtered(picture.data, 60, 1) }))
    using model = await compile(readTraineddata(file).graph)
    const line = recognizeLine(model, picture)
    expect(line.text).not.toBe('')
    expect(await lstmWasm(folder, ['read', 'a.pgm', 'b.png', '--model', 'm.traineddata'])).toEqual({ code: 0, stdout: `${line.text}\n${line.text}\n`, stderr: '' })
    const { code, stdout } = await lstmWasm(folder, ['read', 'a.pgm', '--json', '--model', 'm.traineddata'])
    expect([code, JSON.parse(stdout)]).toEqual([0, [{ file: 'a.pgm', ...line }]])
  })

  it('says what is missing or wrong', async () => {
    writeFileSync(join(folder, 'm.traineddata'), file)
    writeFileSync(join(folder, 'x.png'), 'text')
    const error = async (...args: string[]): Promise<[number | null, string]> => {
      const { code, stderr } = await lstmWasm(folder, ['read', ...args])
      return [code, stderr]
    }
    expect(await error('--model', 'm.traineddata')).toEqual([2, 'lstm-wasm: expected a picture of a line (see lstm-wasm read --help)\n'])
    expect(await error('x.png')).toEqual([2, 'lstm-wasm: expected --model FILE, a .traineddata file (see lstm-wasm read --help)\n'])
    expect(await error('none.png', '--model', 'm.traineddata')).toEqual([1, 'lstm-wasm: cannot read "none.png": no such file\n'])
    expect(await error('x.png', '--model', 'm.traineddata')).toEqual([1, 'lstm-wasm: x.png: picture: expected a PNG, PGM (P5) or PPM (P6) file: convert it first, magick IN OUT.png\n'])
  })
})
