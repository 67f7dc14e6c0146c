import { toFile, write } from './drawing.ts'

/** A model of digits with weights of one kind. */
export interface QuantizedSize {
  readonly units: number
  readonly dtype: 'float32' | 'float16' | 'int8'
  /** Of its file. */
  readonly bytes: number
  /** How far its outputs are from those of float32: root of the mean squares, relative to the outputs. */
  readonly error: number
}

const COLOURS: Readonly<Record<QuantizedSize['dtype'], string>> = { float32: '#8a929c', float16: '#228be6', int8: '#e8590c' }
/** Where float32 stands, which has no error, on an axis that has no zero. */
const FLOOR = 1e-6

/** Error against size: a line a model, from float32 over half precision to 8 bits. */
export function drawQuantization({ Plot, document }: { Plot: any, document: any }, points: readonly QuantizedSize[]) {
  const placed = points.map((point) => ({ ...point, y: Math.max(point.error, FLOOR) * 100 }))
  const svg = Plot.plot({
    document, width: 840, height: 420, marginTop: 84, marginRight: 40, marginBottom: 52, marginLeft: 84,
    x: { type: 'log', domain: [2500, 500_000], axis: null },
    y: { type: 'log', domain: [FLOOR * 60, 3], axis: null },
    marks: [
      Plot.gridX([4e3, 1e4, 4e4, 1e5, 4e5], { strokeOpacity: 0.12 }),
      Plot.gridY([1e-3, 1e-2, 1e-1, 1], { strokeOpacity: 0.12 }),
      Plot.axisX([4e3, 1e4, 4e4, 1e5, 4e5], { text: (bytes: number) => `${bytes / 1000} kB`, fontSize: 12, label: null }),
      Plot.axisY([1e-4, 1e-3, 1e-2, 1e-1, 1], { text: (share: number) => (share === 1e-4 ? 'none' : `${share} %`), fontSize: 12, label: null }),
      Plot.line(placed, { x: 'bytes', y: 'y', z: 'units', stroke: 'currentColor', strokeOpacity: 0.3 }),
      Plot.dot(placed, { x: 'bytes', y: 'y', r: 5.5, fill: ({ dtype }: QuantizedSize) => COLOURS[dtype] }),
      Plot.text(placed.filter(({ dtype }) => dtype === 'float32'), { x: 'bytes', y: 'y', dy: 16, text: ({ units }: QuantizedSize) => `${units} units`, fontSize: 12 }),
    ],
    r: { type: 'identity' }, color: { type: 'identity' },
  })
  const title = 'Error against size: digits models with weights of 32, 16 and 8 bits'
  write(svg, { x: 12, y: 24, text: title, size: 17, weight: 700 })
  write(svg, { x: 12, y: 43, text: 'File size; how far the probabilities of 1,000 images move, root of the mean squares, relative to them', size: 12.5 })
  let x = 12
  for (const [dtype, colour] of Object.entries(COLOURS)) {
    write(svg, { x, y: 66, text: '\u25cf', fill: colour, size: 15 })
    write(svg, { x: x + 15, y: 66, text: dtype })
    x += 90
  }
  return toFile(svg, { title, description: points.map(({ units, dtype, bytes, error }) => `${units} units, ${dtype}: ${bytes} bytes, ${(100 * error).toPrecision(2)} %`).join('; ') })
}
