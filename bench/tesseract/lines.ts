// Lines to time with: those of test/golden/tesseract/printed.pgm.gz, three in a row, 36 pixels high.
import { readFile } from 'node:fs/promises'
import { ROOT } from '../places.ts'

const HEIGHT = 36
const IN_A_ROW = 3

export interface GreyLine {
  readonly text: string
  readonly width: number
  readonly height: number
  /** Greys, row by row. */
  readonly data: Uint8Array
}

export async function readLines(gunzip: (bytes: Buffer) => Buffer): Promise<GreyLine[]> {
  const folder = new URL('test/golden/tesseract/', ROOT)
  const sheet = gunzip(await readFile(new URL('printed.pgm.gz', folder)))
  const [header, sheetWidth] = /^P5\n(\d+) \d+\n255\n/.exec(sheet.toString('latin1', 0, 40)) ?? []
  if (header === undefined) throw new Error('printed.pgm.gz: expected a PGM file of bytes')
  const [rows, rowWidth] = [sheet.subarray(header.length), Number(sheetWidth)]
  const { lines } = JSON.parse(gunzip(await readFile(new URL('printed.json.gz', folder))).toString('utf8')) as { lines: { text: string, width: number }[] }
  return Array.from({ length: Math.floor(lines.length / IN_A_ROW) }, (_, n) => {
    const own = lines.slice(n * IN_A_ROW, (n + 1) * IN_A_ROW)
    const width = own.reduce((sum, line) => sum + line.width, 0)
    const data = new Uint8Array(width * HEIGHT)
    let left = 0
    own.forEach((line, at) => {
      for (let y = 0; y < HEIGHT; y++) {
        const from = ((n * IN_A_ROW + at) * HEIGHT + y) * rowWidth
        data.set(rows.subarray(from, from + line.width), y * width + left)
      }
      left += line.width
    })
    return { text: own.map(({ text }) => text).join(' '), width, height: HEIGHT, data }
  })
}

/** As a file that every program reads. */
export function asPgm({ width, height, data }: GreyLine): Buffer {
  return Buffer.concat([Buffer.from(`P5 ${width} ${height} 255\n`), data])
}
