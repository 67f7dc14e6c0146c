import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readTraineddata, tesseract } from '../../src/formats/tesseract/reader.ts'
import { compile } from '../../src/model/load.ts'
import { recognizeLine, recognizeLines, type LineImage } from '../../src/readers/tesseract.ts'
import { convolve, dense, input, lstm, matrix, maxpool, series, smallFile, turned, written } from '../formats/traineddata-writer.ts'
import { pseudoRandom } from '../random.ts'
import { mutateMany } from './mutate.ts'

const bytes = (kind: 'int8' | 'float64'): Uint8Array => written({
  network: series(
    input(6), series(convolve(1, 1), dense('Tanh', matrix(1, 1, 10, kind))), maxpool(3, 3), turned('XYTranspose', lstm('SummLSTM', 2, 1, 1, kind)),
    turned('RTLReversed', lstm('LSTM', 3, 1, 1, kind)), dense('Softmax', matrix(4, 3, 2, kind)),
  ),
  characters: ['NULL', 'a', 'b'], codes: [[1], [2], [2, 1]],
})

describe('broken .traineddata files', () => {
  it.each([['int8', bytes('int8'), 10], ['float64', bytes('float64'), 10], ['gzip', new Uint8Array(gzipSync(bytes('int8'))), 1]] as const)('of %s: they are read or refused', async (_, file, least) => {
    readTraineddata(file)
    const { read, refused } = await mutateMany(file, 4000, 5, (broken) => {
      tesseract.detect(broken)
      readTraineddata(broken)
    })
    expect(read).toBeGreaterThanOrEqual(least)
    expect(refused).toBeGreaterThan(1000)
  })
})

/** Up to 70 x 70 pixels, grey or RGBA, of two greys that are as far apart as it comes, in rectangles and specks. */
function anyPicture(seed: number): LineImage {
  const [a = 0, b = 0, c = 0, d = 0, paper = 0, ink = 0, x = 0, y = 0] = pseudoRandom(seed, 8, 1).map(Math.abs)
  const [width, height] = [1 + Math.floor(70 * a ** 2), 1 + Math.floor(70 * b ** 2)]
  const channels = c < 0.5 ? 1 : 4
  const specks = pseudoRandom(seed + 7919, channels * width * height, 1)
  const data = Uint8Array.from(specks, (speck, n) => {
    const [column, row] = [Math.floor(n / channels) % width, Math.floor(n / channels / width)]
    const isInk = speck > 0.9 || (column >= x * width && row >= y * height && column % 5 < 1 + 4 * d)
    return 255 * (isInk ? ink : paper)
  })
  return { width, height, data }
}

describe('pictures of any size and content', () => {
  it('are read, alone and in a batch alike', async () => {
    using model = await compile(readTraineddata(smallFile()).graph)
    const pictures = Array.from({ length: 300 }, (_, seed) => anyPicture(seed))
    const lines = pictures.map((picture) => recognizeLine(model, picture))
    expect(recognizeLines(model, pictures, { batch: 16 })).toEqual(lines)
    expect(lines.filter(({ characters }) => characters.length > 0).length).toBeGreaterThan(20)
    expect(lines.filter(({ text, confidence }) => text === '' && confidence === 0).length).toBeGreaterThan(20)
  })
})
