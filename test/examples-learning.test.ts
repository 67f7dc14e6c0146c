// What the examples that learn from a file make of it: columns, windows, batches.
import { describe, expect, it } from 'vitest'

const at = (path: string): string => new URL(`../examples/${path}`, import.meta.url).href
interface Column { readonly name: string, readonly values: Float64Array }
interface Cut { readonly shape: readonly number[], readonly data: Float32Array }
interface Windows {
  readonly train: { readonly x: Cut, readonly y: Cut }
  readonly test: { readonly x: Cut, readonly begins: number[] }
  readonly mean: number
  readonly deviation: number
  readonly begin: number
}

describe('examples/forecast', () => {
  it('reads columns of numbers: names, quotes, decimal commas', async () => {
    const { readCsv } = await import(at('forecast/csv.mjs')) as { readCsv: (text: string) => Column[] }
    expect(readCsv('\uFEFF"when, here";a;b\r\n"x ""y"";";1,5;-2\r\nz;2,25;3e2\r\n')).toEqual([
      { name: 'a', values: Float64Array.of(1.5, 2.25) }, { name: 'b', values: Float64Array.of(-2, 300) },
    ])
    expect(readCsv('1\n2\n')).toEqual([{ name: 'column 1', values: Float64Array.of(1, 2) }])
    expect(() => readCsv('a,b\n1,2\n3,\n5,x')).not.toThrow()
    expect(() => readCsv('a\n1\n-\n')).toThrow(/no column has a number on every line: a has '-' on line 3/)
    expect(() => readCsv('a,b\n1,2\n3\n')).toThrow(/line 3: expected 2 fields, got 1/)
  })

  it('normalises by what is trained with alone, and trains with nothing that it is judged on', async () => {
    const { cutWindows } = await import(at('forecast/windows.mjs')) as { cutWindows: (values: Float64Array, sizes: { past: number, ahead: number }) => Windows }
    const values = Float64Array.from({ length: 101 }, (_, n) => (n < 80 ? n * n % 17 : 1000 + n))
    const { train, test, mean, deviation, begin } = cutWindows(values, { past: 5, ahead: 3 })
    expect(begin).toBe(80)
    const known = [...values.subarray(0, 80)]
    expect(mean).toBeCloseTo(known.reduce((a, b) => a + b) / 80, 10)
    expect(deviation).toBeCloseTo(Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 80), 10)
    const normal = (from: number, to: number): Float32Array => Float32Array.from(values.subarray(from, to), (value) => (value - mean) / deviation)
    expect(train.x.shape).toEqual([73, 5, 1])
    expect(train.x.data.subarray(-5)).toEqual(normal(72, 77))
    expect(train.y.data.subarray(-3)).toEqual(normal(77, 80))
    expect(test.begins).toEqual([80, 83, 86, 89, 92, 95, 98])
    expect(test.x.data.subarray(5, 10)).toEqual(normal(78, 83))
  })
})

describe('examples/writer', () => {
  it('cuts batches that go on where the batch before ended, row by row', async () => {
    const { cutText } = await import(at('writer/text.mjs')) as { cutText: (indices: Int32Array, sizes: { rows: number, timesteps: number }) => { batches: () => Iterable<{ x: Cut, y: Cut }>, count: number, heldOut: Int32Array } }
    const { batches, count, heldOut } = cutText(Int32Array.from({ length: 100 }, (_, n) => n), { rows: 3, timesteps: 7 })
    const all = [...batches()]
    expect([count, all.length]).toEqual([4, 4])
    expect([...heldOut]).toEqual([95, 96, 97, 98, 99])
    for (let row = 0; row < 3; row++) {
      const read = all.flatMap(({ x }) => [...x.data.subarray(7 * row, 7 * row + 7)])
      expect(read).toEqual(Array.from({ length: 28 }, (_, n) => 31 * row + n))
      expect(all.flatMap(({ y }) => [...y.data.subarray(7 * row, 7 * row + 7)])).toEqual(read.map((index) => index + 1))
    }
  })

  it('makes lines of paragraphs, and says which characters hardly occur', async () => {
    const { readText } = await import(at('writer/text.mjs')) as { readText: (text: string) => { characters: string[], indices: Int32Array, left: string[] } }
    const { characters, indices, left } = readText(`${'ab\r\nba\r\n\r\n'.repeat(6)}x`)
    expect([characters, left]).toEqual([['\n', ' ', 'a', 'b'], ['x']])
    expect([...indices].map((n) => characters[n]).join('')).toBe('ab ba\n'.repeat(6))
  })
})
