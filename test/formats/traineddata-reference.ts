// What a network of a .traineddata file computes, in float64, straight from its layers: pictures are lists of rows of pixels.
import type { WrittenLayer, WrittenMatrix } from './traineddata-writer.ts'

/** [row][column][channel] */
export type Picture = readonly (readonly (readonly number[])[])[]

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
const FUNCTIONS: Readonly<Record<string, (values: readonly number[]) => readonly number[]>> = {
  Tanh: (values) => values.map(Math.tanh),
  Logistic: (values) => values.map(sigmoid),
  Relu: (values) => values.map((value) => Math.max(0, value)),
  Linear: (values) => values,
  Softmax: (values) => {
    const sum = values.reduce((total, value) => total + Math.exp(value), 0)
    return values.map((value) => Math.exp(value) / sum)
  },
}

/** W [x, 1] */
function product({ rows, columns, q, scales, floats }: WrittenMatrix, x: readonly number[]): number[] {
  if (x.length + 1 !== columns) throw new Error(`expected ${columns - 1} inputs, got ${x.length}`)
  return Array.from({ length: rows }, (_, row) => {
    const weight = (column: number): number => {
      const at = row * columns + column
      return q === undefined ? floats?.[at] ?? NaN : (q[at] ?? NaN) * (scales?.[row] ?? NaN)
    }
    return x.reduce((sum, value, column) => sum + value * weight(column), weight(columns - 1))
  })
}

const transposed = (x: Picture): Picture => (x[0] ?? []).map((_, column) => x.map((row) => row[column] ?? []))
const reversed = (x: Picture): Picture => x.map((row) => [...row].reverse())

function cells({ type, matrices = [] }: WrittenLayer, row: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const [ci, gi, gf, go] = matrices as [WrittenMatrix, WrittenMatrix, WrittenMatrix, WrittenMatrix]
  let h: number[] = Array<number>(ci.rows).fill(0)
  let c = h
  const steps = row.map((x) => {
    const [g, i, f, o] = [ci, gi, gf, go].map((gate) => product(gate, [...x, ...h])) as [number[], number[], number[], number[]]
    c = c.map((value, unit) => value * sigmoid(f[unit] ?? NaN) + Math.tanh(g[unit] ?? NaN) * sigmoid(i[unit] ?? NaN))
    h = c.map((value, unit) => Math.tanh(value) * sigmoid(o[unit] ?? NaN))
    return h
  })
  return type === 'LSTM' ? steps : steps.slice(-1)
}

/** What a layer makes of a picture. */
export function reference(layer: WrittenLayer, x: Picture): Picture {
  const { type, stack = [], numbers = [], matrices = [] } = layer
  const [a = 0, b = 0] = numbers
  const [height, width] = [x.length, x[0]?.length ?? 0]
  switch (type) {
    case 'Input': return x
    case 'Series': return stack.reduce((value, inner) => reference(inner, value), x)
    case 'XYTranspose': return transposed(stack.reduce((value, inner) => reference(inner, value), transposed(x)))
    case 'RTLReversed': return reversed(stack.reduce((value, inner) => reference(inner, value), reversed(x)))
    case 'LSTM': case 'SummLSTM': return x.map((row) => cells(layer, row))
    case 'Convolve': return x.map((row, y) => row.map((pixel, column) => {
      const window: number[] = []
      for (let dx = -a; dx <= a; dx++) for (let dy = -b; dy <= b; dy++) window.push(...x[y + dy]?.[column + dx] ?? pixel.map(() => 0))
      return window
    }))
    case 'Maxpool': return Array.from({ length: Math.floor(height / b) }, (_, y) => Array.from({ length: Math.floor(width / a) }, (_x, column) => {
      const window = x.slice(y * b, y * b + b).flatMap((row) => row.slice(column * a, column * a + a))
      return (x[0]?.[0] ?? []).map((_c, channel) => Math.max(...window.map((pixel) => pixel[channel] ?? NaN)))
    }))
  }
  return x.map((row) => row.map((pixel) => FUNCTIONS[type]?.(product(matrices[0] as WrittenMatrix, pixel)) ?? []))
}
