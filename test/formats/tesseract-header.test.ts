// How many components files may have, and which greys of a line are its black and its white.
import { expect, it } from 'vitest'
import { componentsOf } from '../../src/formats/tesseract/header.ts'
import { levelsOf } from '../../src/formats/tesseract/line-image.ts'

/** A file of so many components, of which only the first is there: 5 bytes. */
function fileOf(count: number): Uint8Array {
  const bytes = new Uint8Array(4 + 8 * count + 5)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, count, true)
  for (let n = 0; n < count; n++) view.setBigInt64(4 + 8 * n, n === 0 ? BigInt(4 + 8 * count) : -1n, true)
  return bytes
}

it.each([8, 24, 64])('a file of %i components', (count) => {
  expect(componentsOf(fileOf(count))?.flat()).toEqual([4 + 8 * count, 4 + 8 * count + 5, ...Array<undefined>(count - 1).fill(undefined)])
})

it.each([7, 65])('%i components are none of its files', (count) => {
  expect(componentsOf(fileOf(count))).toBeUndefined()
})

it('greys on the way up or down are neither minima nor maxima', () => {
  const row = Float32Array.of(90, 100, 110, 200, 150, 40, 20, 60, 70, 80, 240, 230, 10, 50)
  // Minima 20, 10; maxima 200, 240: a quarter of each, of greys as wide as they are frequent.
  expect(levelsOf(row, row.length, 1)).toEqual({ black: 11, contrast: (240 + 0.5 - 11) / 2 })
})
