// Tesseract's own networks: those of Debian's packages (tesseract-ocr-eng, ...), of the folder TESSDATA_PREFIX, or of ../shared/models/tesseract.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Budget } from '../../src/formats/budget.ts'
import { readComponents } from '../../src/formats/tesseract/container.ts'
import { Cursor } from '../../src/formats/tesseract/cursor.ts'
import { readLayers, type Layer, type Weights } from '../../src/formats/tesseract/layers.ts'
import { compile } from '../../src/model/load.ts'
import { readTraineddata } from '../../src/readers/tesseract.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { reference } from '../formats/traineddata-reference.ts'
import { series, turned, type WrittenLayer, type WrittenMatrix } from '../formats/traineddata-writer.ts'
import { pseudoRandom } from '../random.ts'
import { distance } from './model-folder.ts'

const FOLDERS = [
  process.env.TESSDATA_PREFIX ?? '', '/usr/share/tesseract-ocr/5/tessdata', '/usr/share/tesseract-ocr/4.00/tessdata',
  fileURLToPath(new URL('../../../shared/models/tesseract', import.meta.url)),
]
const FILES = FOLDERS.filter((folder) => folder !== '' && existsSync(folder)).flatMap((folder) => (
  readdirSync(folder).filter((name) => /\.traineddata(\.gz)?$/.test(name)).map((name) => join(folder, name))
))
const WIDTH = 31

const matrixOf = ({ rows, columns, data, scales }: Weights): WrittenMatrix => (
  { rows, columns, ...(scales === undefined ? { floats: Float64Array.from(data) } : { q: data as Int8Array, scales: Float64Array.from(scales) }) }
)

/** A layer as the reference takes it. */
function written({ type, sizes, weights, isTall, isReverse }: Layer): WrittenLayer {
  const layer = { type, numbers: sizes, matrices: weights.map(matrixOf) }
  const backwards = isReverse ? turned('RTLReversed', layer) : layer
  return isTall ? turned('XYTranspose', backwards) : backwards
}

describe("Tesseract's networks", () => {
  if (FILES.length === 0) it.skip(`not run: no .traineddata in ${FOLDERS.filter(Boolean).join(', ')}`, () => undefined)
  it.each(FILES)('%s: within 2e-5 of float64', async (path) => {
    const bytes = readFileSync(path)
    if (path.endsWith('osd.traineddata')) {
      expectError(() => readTraineddata(bytes), 'UNSUPPORTED', /a file without a network/)
      return
    }
    const { graph, height, characters, codes } = readTraineddata(bytes, { weights: 'float32' })
    expect(codes.length).toBe(characters.length)
    using model = await compile(graph)
    const pixels = new NdArray(pseudoRandom(height, height * WIDTH, 1), [1, height, WIDTH, 1])
    const { probs } = model.run({ pixels })
    const rows = Array.from({ length: height }, (_, y) => Array.from({ length: WIDTH }, (_x, x) => [pixels.data[y * WIDTH + x] as number]))
    const layers = readLayers(new Cursor(readComponents(bytes, new Budget(bytes.length)).lstm, 'lstm'), new Budget(bytes.length))
    expect(distance(probs?.data, reference(series(...layers.map(written)), rows).flat(2))).toBeLessThan(2e-5)
  }, 60_000)
})
