// Outputs of a model as text.
import type { NdArray } from '../index.ts'
import { lengthOf } from './conversion.ts'

/** Elements that are printed whole. */
const MOST_WHOLE = 64
/** Rows and classes of probabilities that are named. */
const MOST_ROWS = 8
const MOST_CLASSES = 3
const DIGITS = 5

/** Name, dtype and shape on one line, the elements below; then the likeliest classes, where they are probabilities. */
export function readable(name: string, array: NdArray): string {
  const head = `${array.dtype} [${array.shape.join(', ')}]`
  const elements = array.data.length <= MOST_WHOLE ? whole(array) : array.toString().slice(head.length + 1)
  return [`${name}  ${head}`, elements, ...likeliest(array)].join('\n') + '\n'
}

/** All elements, a line for each row of the last axis. */
function whole({ shape, data }: NdArray): string {
  const build = (axis: number, begin: number): string => {
    if (axis === shape.length) return String(Number((data[begin] as number).toPrecision(DIGITS)))
    const stride = lengthOf(shape.slice(axis + 1))
    const parts = Array.from({ length: shape[axis] as number }, (_, n) => build(axis + 1, begin + n * stride))
    return `[${parts.join(axis === shape.length - 1 ? ', ' : `,\n${' '.repeat(axis + 1)}`)}]`
  }
  return build(0, 0)
}

/** The likeliest classes of each row, if rows are probabilities: numbers from 0 to 1 with the sum 1. */
function likeliest({ dtype, shape, data }: NdArray): string[] {
  const classes = shape.at(-1) ?? 0
  const rows = data.length / classes
  if (dtype !== 'float32' || classes < 2 || rows < 1) return []
  const lines: string[] = []
  for (let row = 0; row < rows; row++) {
    const values = [...data.subarray(row * classes, (row + 1) * classes)]
    const sum = values.reduce((total, value) => total + value, 0)
    if (values.some((value) => !(value >= 0 && value <= 1)) || Math.abs(sum - 1) > 1e-3) return []
    const best = values.map((value, index) => ({ value, index })).sort((a, b) => b.value - a.value).slice(0, MOST_CLASSES)
    const text = best.map(({ value, index }) => `${index} (${(100 * value).toFixed(1)} %)`).join(', ')
    if (row < MOST_ROWS) lines.push(`  most likely${rows > 1 ? ` in row ${row}` : ''}: ${text}`)
  }
  return rows > MOST_ROWS ? [...lines, `  and ${rows - MOST_ROWS} more rows`] : lines
}
