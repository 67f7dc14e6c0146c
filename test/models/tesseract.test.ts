// Tesseract's own networks: those of Debian's packages (tesseract-ocr-eng, ...), of the folder TESSDATA_PREFIX, or of ../shared/models/tesseract.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Budget } from '../../src/formats/budget.ts'
import { readComponents } from '../../src/formats/tesseract/container.ts'
import { Cursor } from '../../src/formats/tesseract/cursor.ts'
import { readLayer, type Layer, type Weights } from '../../src/formats/tesseract/layers.ts'
import { compile } from '../../src/model/load.ts'
import { readTraineddata } from '../../src/readers/tesseract.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { reference } from '../formats/traineddata-reference.ts'
import type { WrittenLayer, WrittenMatrix } from '../formats/traineddata-writer.ts'
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

const matrixOf = ({ rows, columns, q, scales, floats }: Weights): WrittenMatrix => (
  { rows, columns, ...(q === undefined ? { floats: Float64Array.from(floats) } : { q, scales: Float64Array.from(scales) }) }
)

/** A layer as the reference takes it: gates g, i, f, o. */
function written(layer: Layer): WrittenLayer {
  const { type } = layer
  if ('stack' in layer) return { type, stack: layer.stack.map(written) }
  if ('half' in layer) return { type, numbers: layer.half }
  if ('window' in layer) return { type, numbers: layer.window }
  if ('weights' in layer) return { type, matrices: [matrixOf(layer.weights)] }
  if (!('gates' in layer)) return { type }
  const [i, f, g, o] = layer.gates.map(matrixOf) as [WrittenMatrix, WrittenMatrix, WrittenMatrix, WrittenMatrix]
  return { type, matrices: [g, i, f, o] }
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
    const layers = readLayer(new Cursor(readComponents(bytes, new Budget(bytes.length)).lstm, 'lstm'), new Budget(bytes.length))
    expect(distance(probs?.data, reference(written(layers), rows).flat(2))).toBeLessThan(2e-5)
  }, 60_000)
})
