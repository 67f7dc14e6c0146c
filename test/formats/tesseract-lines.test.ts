import { describe, expect, it } from 'vitest'
import { charactersIn, decoderOf } from '../../src/formats/tesseract/decoding.ts'
import { preparedLine, type LineImage } from '../../src/formats/tesseract/line-image.ts'
import { resized } from '../../src/formats/tesseract/resize.ts'
import { compile } from '../../src/model/load.ts'
import { decodeLine, prepareLine, readTraineddata, recognizeLine, recognizeLines } from '../../src/readers/tesseract.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { dense, input, lstm, matrix, maxpool, series, sharp, turned, written } from './traineddata-writer.ts'

const PAPER = 230
const INK = 20

/** Ink where `isInk` says so. */
function image(width: number, height: number, isInk: (x: number, y: number) => boolean, [paper, ink]: readonly [number, number] = [PAPER, INK]): LineImage {
  return { width, height, data: Uint8Array.from({ length: width * height }, (_, n) => (isInk(n % width, Math.floor(n / width)) ? ink : paper)) }
}

/** The same in four bytes a pixel. */
function rgba({ width, height, data }: LineImage, opacity: (grey: number) => number = () => 255): LineImage {
  return { width, height, data: Uint8ClampedArray.from([...data].flatMap((grey) => [grey, grey, grey, opacity(grey)])) }
}

/** Uprights, of different heights. */
const uprights = (x: number, y: number): boolean => x >= 10 && x < 50 && x % 8 < 3 && y >= 6 + x % 3 && y < 22

const BOX = { left: 6, top: 2, width: 48, height: 24 }

describe('pictures of lines', () => {
  it('are cropped to their ink, with 4 pixels around, and scaled', () => {
    const line = preparedLine(image(60, 30, uprights), 24, {})
    expect(line?.box).toEqual(BOX)
    expect(line?.inverted).toBe(false)
    expect(line?.pixels.shape).toEqual([1, 24, 48, 1])
    expect(preparedLine(image(60, 30, uprights), 12, {})?.pixels.shape).toEqual([1, 12, 24, 1])
    expect(preparedLine(image(60, 30, uprights), 24, { margin: 0 })?.box).toEqual({ left: 10, top: 6, width: 40, height: 16 })
    // Paper is white, ink black.
    const { data } = line?.pixels ?? { data: [] }
    expect(data[0]).toBeCloseTo(1, 1)
    expect(data[12 * 48 + 11]).toBe(-1)
    expect(Math.min(...data)).toBe(-1)
  })

  it('end where the picture ends', () => {
    expect(preparedLine(image(5, 3, () => true, [PAPER, INK]), 9, {})).toBeUndefined()
    const corner = preparedLine(image(8, 8, (x, y) => x < 3 && y < 3), 14, {})
    expect(corner?.box).toEqual({ left: 0, top: 0, width: 7, height: 7 })
    expect(corner?.pixels.shape).toEqual([1, 14, 14, 1])
    // Nothing is made up around it: as the picture alone, with ink to its ends.
    const alone = preparedLine(image(7, 7, (x, y) => x < 3 && y < 3), 14, {})
    expect(corner?.pixels).toEqual(alone?.pixels)
    expect(preparedLine(image(8, 8, (x, y) => x > 4 && y > 3), 14, { margin: 2 })?.box).toEqual({ left: 3, top: 2, width: 5, height: 6 })
  })

  it('are the same in grey and in colours, transparent and light on dark', () => {
    const expected = preparedLine(image(60, 30, uprights, [255, 0]), 24, {})
    expect(preparedLine(rgba(image(60, 30, uprights, [255, 0])), 24, {})).toEqual(expected)
    // Black ink on what is transparent black.
    expect(preparedLine(rgba(image(60, 30, uprights, [0, 1]), (grey) => 255 * grey), 24, {})?.box).toEqual(expected?.box)
    const light = preparedLine(image(60, 30, uprights, [0, 255]), 24, {})
    expect(light).toEqual({ ...expected, inverted: true })
    expect(preparedLine(image(60, 30, uprights, [0, 255]), 24, { inverted: false })?.pixels).not.toEqual(expected?.pixels)
  })

  it('without ink are none', () => {
    for (const none of [image(60, 30, () => false), image(1, 1, () => true), rgba(image(9, 9, () => true), () => 0), image(20, 20, uprights, [200, 190])]) {
      expect(preparedLine(none, 24, {})).toBeUndefined()
    }
  })

  it('have specks, which are no ink', () => {
    const isSpeck = (x: number, y: number): boolean => (x === 2 && y === 1) || (x === 57 && y === 28)
    expect(preparedLine(image(60, 30, (x, y) => uprights(x, y) || isSpeck(x, y)), 24, {})?.box).toEqual(BOX)
    expect(preparedLine(image(9, 9, (x, y) => x === 4 && y === 4), 36, {})).toBeUndefined()
  })

  it('of two pixels of ink, and of 30,000 columns', () => {
    expect(preparedLine(image(9, 9, (x, y) => x === 4 && y > 3 && y < 6), 36, {})?.box).toEqual({ left: 0, top: 0, width: 9, height: 9 })
    const long = image(30000, 20, (x, y) => x % 7 < 2 && y > 2 && y < 17)
    expect(preparedLine(long, 8, {})?.pixels.shape).toEqual([1, 8, 12000, 1])
    expectError(() => preparedLine(long, 36, {}), 'VALUE', 'recognizeLine: expected a line of at most 16384 columns when its ink is 36 rows high, got 54000: cut it into parts')
  })

  it.each<[string, unknown, 'VALUE' | 'SHAPE', RegExp]>([
    ['none', undefined, 'VALUE', /^recognizeLine: expected a picture, { width, height, data }, got undefined/],
    ['pictures that are to come', Promise.resolve({}), 'VALUE', /^recognizeLine: expected a picture, { width, height, data }, got Promise/],
    ['a width of half a pixel', { width: 1.5, height: 1, data: new Uint8Array(1) }, 'VALUE', /a whole number >= 1 for 'image.width', got 1.5/],
    ['no height', { width: 1, data: new Uint8Array(1) }, 'VALUE', /for 'image.height', got undefined/],
    ['lists', { width: 1, height: 1, data: [1] }, 'VALUE', /expected a Uint8Array of pixels for 'image.data', got Array/],
    ['three bytes a pixel', { width: 2, height: 2, data: new Uint8Array(12) }, 'SHAPE', /expected 4 bytes \(grey\) or 16 \(RGBA\) for 2 x 2 pixels, got 12/],
    ['endless sizes', { width: 1e6, height: 1e6, data: new Uint8Array(12) }, 'VALUE', /expected at most 134217728 pixels, got 1000000 x 1000000/],
  ])('refuse %s', (_, given, code, message) => {
    expectError(() => preparedLine(given as LineImage, 24, {}), code, message)
  })

  it('keep what is even, whatever their size', () => {
    const even = { width: 7, height: 5, data: new Float32Array(35).fill(77) }
    for (const [width, height] of [[3, 2], [7, 5], [20, 13]] as const) expect([...resized(even, width, height).data]).toEqual(Array(width * height).fill(77))
    const { data } = resized({ width: 2, height: 1, data: Float32Array.of(0, 200) }, 4, 1)
    expect([...data]).toEqual([...data].sort((a, b) => a - b))
    expect([...resized({ width: 3, height: 2, data: Float32Array.of(1, 2, 3, 4, 5, 6) }, 3, 2).data]).toEqual([1, 2, 3, 4, 5, 6])
  })
})

describe('outputs', () => {
  const decoder = decoderOf({ spec: '', characters: [' ', 'a', 'b', 'ab', '한'], codes: [[1], [2], [3], [2, 3], [4, 2, 4]], nullCode: 0 })
  /** Steps whose likeliest output has 0.6 or as given, of 5. */
  const steps = (...best: readonly (readonly [output: number, probability?: number])[]): Float64Array => (
    Float64Array.from(best.flatMap(([output, probability = 0.6]) => [0, 1, 2, 3, 4].map((n) => (n === output ? probability : (1 - probability) / 4))))
  )

  it('are characters: repeats joined, the longest code first', () => {
    const found = charactersIn(steps([0], [2, 0.7], [2, 0.9], [0], [2, 0.8], [1], [2], [3, 0.5], [3, 0.4], [0]), 5, decoder)
    expect(found).toEqual([
      { text: 'a', confidence: 0.9, from: 1, to: 3 },
      { text: 'a', confidence: 0.8, from: 4, to: 5 },
      { text: ' ', confidence: 0.6, from: 5, to: 6 },
      { text: 'ab', confidence: 0.5, from: 6, to: 9 },
    ])
  })

  it('of three parts are one character, and parts that are none are left out', () => {
    const text = (...outputs: readonly number[]): string => charactersIn(steps(...outputs.map((output) => [output] as const)), 5, decoder).map((one) => one.text).join('|')
    expect(text(4, 0, 2, 4)).toBe('한')
    expect(text(4, 2, 0, 3)).toBe('ab')
    expect(text(4, 4, 0, 4)).toBe('')
    expect(text()).toBe('')
  })
})

describe('recognizeLine', () => {
  const network = series(input(8), dense('Tanh', matrix(1, 2, 2)), maxpool(2, 2), turned('XYTranspose', lstm('SummLSTM', 2, 2, 4)), dense('Softmax', sharp(matrix(3, 4, 5))))
  const file = readTraineddata(written({ network, characters: ['NULL', 'x', 'y'], codes: [[1], [2], [3]] }))

  it('reads pictures, one or several, and says where', async () => {
    using model = await compile(file.graph)
    const picture = image(60, 30, uprights)
    const line = recognizeLine(model, picture)
    expect(line.text).toMatch(/^[xy]( *[xy])*$/)
    expect(line.text).toBe(line.characters.map(({ text }) => text).join(''))
    expect(line.confidence).toBeCloseTo(line.characters.reduce((sum, { confidence }) => sum + confidence, 0) / line.characters.length, 6)
    let before = BOX.left
    for (const { from, to, confidence } of line.characters) {
      expect(from).toBeGreaterThanOrEqual(before)
      expect(to).toBeGreaterThan(from)
      expect(confidence).toBeGreaterThan(0.25)
      before = to
    }
    expect(before).toBeLessThanOrEqual(BOX.left + BOX.width)
    expect(recognizeLines(model, [picture, image(9, 9, () => false), picture])).toEqual([line, { text: '', direction: 'ltr', confidence: 0, characters: [] }, line])
    expect(prepareLine(model, picture)?.pixels.shape).toEqual([1, 8, 16, 1])
  })

  it.each<[string, readonly number[], 'ltr' | 'rtl']>([
    ['letters from right to left', [1, 2, 1], 'rtl'],
    ['more of them than of others', [1, 3, 2], 'rtl'],
    ['as many of both', [1, 3], 'ltr'],
    ['numbers alone', [4], 'ltr'],
  ])('says which way %s are read', (_, outputs, direction) => {
    const characters = ['NULL', 'ש', 'ل', 'y', '٢']
    const { graph } = readTraineddata(written({ network: series(input(1), dense('Softmax', matrix(1, 6, 2))), characters, codes: [[5], [1], [2], [3], [4]] }))
    const data = Float32Array.from(outputs.flatMap((output) => Array.from({ length: 6 }, (_, n) => Number(n === output))))
    const probs = new NdArray(data, [1, outputs.length, 6])
    expect(decodeLine({ toGraph: () => graph }, probs, { box: { left: 0, top: 0, width: 9, height: 9 } }).direction).toBe(direction)
  })

  it('refuses other models, options and pictures', async () => {
    using model = await compile(file.graph)
    using bare = await compile({ ...file.graph, metadata: {} })
    expectError(() => recognizeLine(bare, image(60, 30, uprights)), 'VALUE', /without Tesseract's characters/)
    expectError(() => recognizeLine(model, image(60, 30, uprights), { margn: 3 } as object), 'VALUE', /no option 'margn' \(did you mean 'margin'\?\)/)
    expectError(() => recognizeLine(model, image(60, 30, uprights), { margin: 0.5 }), 'VALUE', /expected a whole number from 0 to 1000 for 'margin', got 0.5/)
    expectError(() => prepareLine({ inputs: [] }, image(60, 30, uprights)), 'VALUE', /whose input is \[batch, height, width, 1\]/)
    for (const inputs of [5, [5], [{}]]) expectError(() => prepareLine({ inputs } as never, image(60, 30, uprights)), 'VALUE', /whose input is \[batch, height, width, 1\]/)
    // Of no outputs there would be endless steps.
    for (const [data, ...shape] of [[1, 1], [1], [0, 1, 2, 0], [6, 1, 2, 0], [6, 2, 1, 3], [4, 1, 2, 3]]) {
      const probs = { dtype: 'float32', shape, data: new Float32Array(data ?? 0) } as const
      expectError(() => decodeLine(model, probs, { box: BOX }), 'VALUE', /^decodeLine: expected probs \[1, steps, outputs\], got Object/)
    }
  })
})
