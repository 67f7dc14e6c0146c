// The probabilities that Tesseract's own program prints, from its own computation in 8 bits done here: the format of files, the order of gates
// and columns and the estimate of black and white are the program's. Pictures and prints: test/python/tesseract_lines.py; those of another
// folder with TESSERACT_PRINTED.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readPicture } from '../../src/cli/pictures.ts'
import { Budget } from '../../src/formats/budget.ts'
import { decoderOf } from '../../src/formats/tesseract/decoding.ts'
import { readComponents } from '../../src/formats/tesseract/container.ts'
import { Cursor } from '../../src/formats/tesseract/cursor.ts'
import { readLayers } from '../../src/formats/tesseract/layers.ts'
import { levelsOf } from '../../src/formats/tesseract/line-image.ts'
import { readTraineddata } from '../../src/readers/tesseract.ts'
import { asTesseract, Noise, quantizedPicture } from '../formats/traineddata-arithmetic.ts'

/** [text, percent]; '' is no character. */
type Step = readonly (readonly [text: string, percent: number])[]
type Line = Readonly<Record<string, unknown>> & { readonly text: string, readonly width: number }

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const golden = process.env.TESSERACT_PRINTED ?? at('../golden/tesseract')
const { lines } = JSON.parse(gunzipSync(readFileSync(`${golden}/printed.json.gz`)).toString('utf8')) as { lines: readonly Line[] }
const sheet = readPicture(gunzipSync(readFileSync(`${golden}/printed.pgm.gz`)))
const HEIGHT = 36
/** At least this share of lines; of those that are kept here it is all. */
const LEAST_SHARE = 0.95

const MODELS: readonly (readonly [name: string, files: readonly string[]])[] = [
  ['fast', ['/usr/share/tesseract-ocr/5/tessdata/eng.traineddata', '/usr/share/tesseract-ocr/4.00/tessdata/eng.traineddata']],
  ['best_int', [at('../../examples/ocr/models/node_modules/@tesseract.js-data/eng/4.0.0_best_int/eng.traineddata.gz')]],
]

function greysOf(line: number, width: number): Float32Array {
  return Float32Array.from({ length: HEIGHT * width }, (_, n) => sheet.data[(line * HEIGHT + Math.floor(n / width)) * sheet.width + n % width] as number)
}

/** Steps as the program prints them: whole percents from 1 on. */
function printedOf(probs: Float32Array, outputs: number, textOf: (output: number) => string): Step[] {
  return Array.from({ length: probs.length / outputs }, (_, step) => {
    const all = Array.from(probs.subarray(step * outputs, (step + 1) * outputs), (prob, output) => [textOf(output), prob] as const)
    return all.filter(([, prob]) => prob >= Math.fround(0.01)).map(([text, prob]) => [text, Math.trunc(Math.fround(100 * prob))] as const)
  })
}

const inOrder = (steps: readonly Step[]): string[] => steps.map((step) => step.map(([text, percent]) => `${text}${percent}`).sort().join(' '))

describe("Tesseract's own computation in 8 bits", () => {
  for (const [name, files] of MODELS) {
    const file = files.find((one) => existsSync(one))
    if (file === undefined) {
      it.skip(`${name}: not run, there is no ${files.join(', nor ')}`, () => undefined)
      continue
    }
    it(`${name}: gives every probability that the program prints, in ${100 * LEAST_SHARE} % of lines or more`, () => {
      const bytes = readFileSync(file)
      const { lstm } = readComponents(bytes, new Budget(bytes.length))
      const cursor = new Cursor(lstm, 'lstm')
      const network = readLayers(cursor, new Budget(bytes.length))
      cursor.text('the spec')
      cursor.take(8, 'training flags and iterations')
      const samples = cursor.int32('samples')
      const { texts, nullCode } = decoderOf(readTraineddata(bytes))
      const textOf = (output: number): string => (output === nullCode ? '' : texts.get(String(output)) ?? '?')
      const wrong = lines.filter((line, n) => {
        const greys = greysOf(n, line.width)
        const noise = new Noise(BigInt(samples) * 0x10000001n)
        noise.next()
        const { data, channels } = asTesseract(network, quantizedPicture(greys, line.width, HEIGHT, levelsOf(greys, line.width, HEIGHT)), noise)
        const [own, native] = [inOrder(printedOf(data, channels, textOf)), inOrder(line[name] as readonly Step[])]
        return own.join('|') !== native.join('|')
      })
      expect(lines.length).toBeGreaterThanOrEqual(20)
      expect(wrong.length / lines.length, wrong.map(({ text }) => text).join('; ')).toBeLessThanOrEqual(1 - LEAST_SHARE)
    }, 900_000)
  }
})
