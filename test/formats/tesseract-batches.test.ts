// Several lines in one batch: every line has the bits that it has alone.
import { describe, expect, it } from 'vitest'
import { compile } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'
import { readTraineddata, recognizeLine, recognizeLines, type LineImage } from '../../src/readers/tesseract.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { pseudoRandom } from '../random.ts'
import { describeBinaries, runtimeOf } from '../variants.ts'
import { convolve, dense, input, lstm, matrix, maxpool, series, sharp, turned, written, type WrittenLayer } from './traineddata-writer.ts'

const HEIGHT = 8
const CHARACTERS = { characters: ['NULL', 'x', 'y', 'z', 'w'], codes: [[1], [2], [3], [4], [5]] }

/** Large weights: outputs that differ along a line. */
function cells(type: 'LSTM' | 'SummLSTM', seed: number, inputs: number, units: number, kind: 'int8' | 'float64'): WrittenLayer {
  const layer = lstm(type, seed, inputs, units, kind)
  return { ...layer, matrices: (layer.matrices ?? []).map((gate) => sharp(gate, 6)) }
}

const network = (kind: 'int8' | 'float64' = 'int8'): WrittenLayer => series(
  input(HEIGHT), series(convolve(1, 1), dense('Tanh', matrix(1, 3, 10, kind))), maxpool(3, 2), turned('XYTranspose', cells('SummLSTM', 2, 3, 5, kind)),
  cells('LSTM', 3, 5, 4, kind), turned('RTLReversed', cells('LSTM', 4, 4, 3, kind)), cells('LSTM', 6, 3, 6, kind), dense('Softmax', sharp(matrix(24, 6, 7, kind), 20)),
)

/** A window over what the first window has made of the columns beside a line. */
const nosy = series(
  input(HEIGHT), series(convolve(1, 1), dense('Tanh', matrix(1, 3, 10))), series(convolve(1, 0), dense('Tanh', matrix(2, 3, 10))), maxpool(3, 2),
  turned('XYTranspose', lstm('SummLSTM', 2, 3, 5)), dense('Softmax', matrix(5, 6, 6)),
)

const graphOf = (layers: WrittenLayer) => readTraineddata(written({ network: layers, ...CHARACTERS })).graph

/** Lines one above the other, filled up with zeros at their right ends. */
function stacked(lines: readonly NdArray<'float32'>[]): { pixels: NdArray, blank: Int32Array } {
  const widths = lines.map(({ shape }) => shape[2] as number)
  const width = Math.max(...widths)
  const data = new Float32Array(lines.length * HEIGHT * width)
  lines.forEach((line, n) => {
    const own = widths[n] as number
    for (let y = 0; y < HEIGHT; y++) data.set(line.data.subarray(y * own, (y + 1) * own), (n * HEIGHT + y) * width)
  })
  return { pixels: new NdArray(data, [lines.length, HEIGHT, width, 1]), blank: Int32Array.from(widths, (own) => width - own) }
}

const randomLine = (width: number): NdArray<'float32'> => new NdArray(pseudoRandom(width, HEIGHT * width, 1), [1, HEIGHT, width, 1])

describeBinaries('lines of a batch', (binary) => {
  it.each(['int8', 'float64'] as const)('of several widths: bit-identical to each alone, weights of %s', async (kind) => {
    using model = await compile(graphOf(network(kind)), { runtime: await runtimeOf(binary) })
    const lines = [20, 31, 7, 29, 3, 30].map(randomLine)
    const { pixels, blank } = stacked(lines)
    const { probs, steps } = model.run({ pixels, blank })
    const [, all = 0, outputs = 0] = probs?.shape ?? []
    expect([...steps?.data ?? []]).toEqual([6, 10, 2, 9, 1, 10])
    const own = lines.map((line, n) => {
      const alone = model.run({ pixels: line })
      expect(alone.probs?.shape).toEqual([1, steps?.data[n], outputs])
      expect([...alone.steps?.data ?? []]).toEqual([steps?.data[n]])
      const begin = n * all * outputs
      expect(probs?.data.slice(begin, begin + (alone.probs?.data.length ?? 0))).toEqual(alone.probs?.data)
      return alone.probs
    })
    // Where nothing says that columns are blank, they are read: backwards, first of all.
    const { probs: unsaid } = model.run({ pixels })
    expect(unsaid?.data.slice(0, own[0]?.data.length)).not.toEqual(own[0]?.data)
    for (const wrong of [-9, 40, 2 ** 31 - 1]) {
      expectError(() => model.run({ pixels, blank: blank.map((value, n) => (n === 3 ? wrong : value)) }), 'VALUE', /lengths from 0 to 10, got another one for batch row 3/)
    }
  })
})

/** Uprights of random heights, some of them left out. */
function image(seed: number, width: number, height: number): LineImage {
  const random = pseudoRandom(seed, width, 1)
  const isThere = (x: number): boolean => x > 4 && x < width - 5 && x % 5 < 3 && (random[Math.floor(x / 7)] ?? 0) > -0.5
  const isInk = (x: number, y: number): boolean => isThere(x) && y > 4 && y < height - 5 - 9 * Math.abs(random[x] ?? 0)
  return { width, height, data: Uint8Array.from({ length: width * height }, (_, n) => (isInk(n % width, Math.floor(n / width)) ? 20 + n % 7 : 230)) }
}

/** The same model, and the shapes of the pictures it is run with. */
function watched(model: Model): { model: Model, shapes: (readonly number[])[] } {
  const shapes: (readonly number[])[] = []
  const run = (inputs: { pixels: NdArray }): unknown => {
    shapes.push(inputs.pixels.shape)
    return model.run({ ...inputs })
  }
  return { model: { inputs: model.inputs, runtime: model.runtime, toGraph: () => model.toGraph(), run } as unknown as Model, shapes }
}

describe('recognizeLines', () => {
  const none: LineImage = { width: 30, height: 20, data: new Uint8Array(600).fill(200) }
  const images = [image(1, 301, 25), image(2, 77, 24), none, image(3, 290, 25), image(4, 233, 23), image(5, 21, 200), none, image(6, 317, 25), image(7, 79, 31)]

  it('reads each line as recognizeLine does, whatever the batch', async () => {
    using own = await compile(graphOf(network()))
    const { model, shapes } = watched(own)
    const alone = images.map((one) => recognizeLine(own, one))
    expect(alone[2]).toEqual({ text: '', direction: 'ltr', confidence: 0, characters: [] })
    expect(new Set(alone.map(({ confidence }) => confidence)).size).toBeGreaterThan(5)
    for (const batch of [undefined, 1, 2, 3, 100]) expect(recognizeLines(model, images, { batch })).toEqual(alone)
    // One by one twice, since it is a runtime of one thread; then the longest first, with those that are not much shorter.
    expect(shapes.slice(0, 14).every(([lines]) => lines === 1)).toBe(true)
    expect(shapes.slice(-4).map(([lines]) => lines)).toEqual([4, 1, 1, 1])
    expect(shapes.at(-4)?.[2]).toBe(Math.max(...shapes.map(([, , columns]) => columns ?? NaN)))
    expect(recognizeLines(model, [], { batch: 3 })).toEqual([])
  })

  it('keeps the columns of a batch within those of one line', async () => {
    using own = await compile(graphOf(network()))
    const { model, shapes } = watched(own)
    const long = [image(8, 20000, 25), image(11, 20000, 25), image(9, 19000, 25), image(10, 6000, 25)]
    expect(recognizeLines(model, long, { batch: 4 })).toEqual(long.map((one) => recognizeLine(own, one)))
    expect(shapes.map(([lines]) => lines)).toEqual([2, 1, 1])
    for (const [lines = NaN, , columns = NaN] of shapes) expect(lines * columns).toBeLessThanOrEqual(16384)
  })

  it('reads one by one with networks whose windows would see what is beside a line', async () => {
    using own = await compile(graphOf(nosy))
    const { model, shapes } = watched(own)
    expect(own.inputs.map(({ shape }) => shape)).toEqual([[1, HEIGHT, 'width', 1]])
    expect(recognizeLines(model, images, { batch: 4 })).toEqual(images.map((one) => recognizeLine(own, one)))
    expect(shapes.every(([lines]) => lines === 1)).toBe(true)
  })

  it('says which picture is wrong', async () => {
    using model = await compile(graphOf(network()))
    const broken = { width: 2, height: 2, data: new Uint8Array(3) }
    for (const batch of [1, 4]) expectError(() => recognizeLines(model, [image(1, 77, 24), broken], { batch }), 'SHAPE', /^image 1: recognizeLine: expected 4 bytes/)
    expectError(() => recognizeLines(model, image(1, 77, 24) as never), 'VALUE', /^recognizeLines: expected a list for 'images', got/)
    expectError(() => recognizeLines(model, [], { batch: 0 }), 'VALUE', /^recognizeLines: expected a whole number >= 1 for 'batch', got 0/)
    expectError(() => recognizeLines(model, images, { margn: 2 } as object), 'VALUE', /no option 'margn' \(did you mean 'margin'\?\)/)
  })
})
