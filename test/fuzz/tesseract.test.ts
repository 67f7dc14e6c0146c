import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readTraineddata, tesseract } from '../../src/formats/tesseract/reader.ts'
import { convolve, dense, input, lstm, matrix, maxpool, series, turned, written } from '../formats/traineddata-writer.ts'
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
