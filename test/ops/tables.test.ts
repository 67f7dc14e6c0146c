// Every function of two elements, every cast, every reduction and every way to scatter, in every binary, against what it is in float64.
import { beforeAll, expect, it } from 'vitest'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { createData, type DType } from '../../src/values/dtype.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { describeBinaries, runtimeOf } from '../variants.ts'
import { expectSame } from './reference.ts'
import { fold, run, type OneNode } from './one-node.ts'

const INT_MIN = -(2 ** 31)
const VALUES: Readonly<Record<DType, readonly number[]>> = {
  float32: [
    0, -0, 1, -1, 0.5, -0.5, 2, 3, -3, 7.25, -7.25, 1e-45, 1.1754944e-38, 3e38, -3e38, 16777217, 255.5, 256, -0.9, 2147483648, -3e9,
    Infinity, -Infinity, NaN,
  ],
  int32: [0, 1, -1, 2, -2, 3, -3, 7, -7, 255, 256, -129, 65536, 16777217, 2 ** 31 - 1, INT_MIN, INT_MIN + 1],
  uint8: [0, 1, 2, 3, 127, 128, 254, 255],
}

/** Elements as the dtype has them. */
const array = (dtype: DType, values: readonly number[], shape: readonly number[] = [values.length]): NdArray => {
  const elements = createData(dtype, values.length)
  values.forEach((value, n) => (elements[n] = value))
  return new NdArray(elements, shape)
}

const floorModulo = (a: number, b: number): number => {
  const rest = a % b
  return rest !== 0 && (rest < 0) !== (b < 0) ? rest + b : rest
}
const truth = (f: (a: number, b: number) => boolean) => (a: number, b: number): number => Number(f(a, b))
const minimum = (a: number, b: number): number => Math.min(a, b)
const maximum = (a: number, b: number): number => Math.max(a, b)
/** C's pow, where JavaScript's differs. */
const power = (x: number, y: number): number => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y)
const whole = (x: number): number => x | 0

type Binary = (a: number, b: number) => number
interface BinaryRow {
  readonly float32?: Binary
  readonly int32?: Binary
  readonly uint8?: Binary
  /** The dtype of the result. Default: that of the operands. */
  readonly out?: DType
  /** The operator. Default: the name of the row. */
  readonly op?: string
  readonly attributes?: OneNode['attributes']
}

const BINARY: Readonly<Record<string, BinaryRow>> = {
  add: { float32: (a, b) => a + b, int32: (a, b) => whole(a + b) },
  sub: { float32: (a, b) => a - b, int32: (a, b) => whole(a - b) },
  mul: { float32: (a, b) => a * b, int32: Math.imul },
  div: { float32: (a, b) => a / b, int32: (a, b) => (b === 0 ? 0 : whole(a / b)) },
  min: { float32: minimum, int32: minimum },
  max: { float32: maximum, int32: maximum },
  modulo: { op: 'mod', float32: floorModulo, int32: (a, b) => (b === 0 ? 0 : floorModulo(a, b)) },
  remainder: { op: 'mod', attributes: { fmod: 1 }, float32: (a, b) => a % b, int32: (a, b) => (b === 0 ? 0 : a % b) },
  pow: { float32: power },
  equal: { out: 'uint8', float32: truth((a, b) => a === b), int32: truth((a, b) => a === b), uint8: truth((a, b) => a === b) },
  less: { out: 'uint8', float32: truth((a, b) => a < b), int32: truth((a, b) => a < b) },
  lessOrEqual: { out: 'uint8', float32: truth((a, b) => a <= b), int32: truth((a, b) => a <= b) },
  greater: { out: 'uint8', float32: truth((a, b) => a > b), int32: truth((a, b) => a > b) },
  greaterOrEqual: { out: 'uint8', float32: truth((a, b) => a >= b), int32: truth((a, b) => a >= b) },
  and: { uint8: truth((a, b) => a !== 0 && b !== 0) },
  or: { uint8: truth((a, b) => a !== 0 || b !== 0) },
  xor: { uint8: truth((a, b) => (a !== 0) !== (b !== 0)) },
}

const CASTS: readonly (readonly [DType, 'float32' | 'int32' | 'uint8' | 'bool'])[] = (['float32', 'int32', 'uint8'] as const)
  .flatMap((from) => (['float32', 'int32', 'uint8', 'bool'] as const).map((to) => [from, to] as const))

function castOf(value: number, from: DType, to: (typeof CASTS)[number][1]): number {
  if (to === 'bool') return value === 0 ? 0 : 1
  if (to === 'float32') return Math.fround(value)
  if (from !== 'float32') return to === 'uint8' ? value & 255 : value
  const [least, most] = to === 'int32' ? [INT_MIN, 2 ** 31 - 1] : [0, 255]
  return Number.isNaN(value) ? 0 : Math.max(least, Math.min(most, Math.trunc(value)))
}

const sum = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0)
const REDUCTIONS: Readonly<Record<string, { readonly of: (x: readonly number[]) => number, readonly takesInt?: true }>> = {
  reduceSum: { of: sum, takesInt: true },
  reduceMean: { of: (x) => sum(x) / x.length },
  reduceL1: { of: (x) => sum(x.map(Math.abs)) },
  reduceL2: { of: (x) => Math.sqrt(sum(x.map((a) => a * a))) },
  reduceSumSquare: { of: (x) => sum(x.map((a) => a * a)) },
  reduceLogSum: { of: (x) => Math.log(sum(x)) },
  reduceLogSumExp: { of: (x) => {
    const largest = Math.max(...x)
    return Number.isFinite(largest) ? largest + Math.log(sum(x.map((a) => Math.exp(a - largest)))) : largest
  } },
  reduceMax: { of: (x) => Math.max(...x), takesInt: true },
  reduceMin: { of: (x) => Math.min(...x), takesInt: true },
  reduceProd: { of: (x) => x.reduce((a, b) => a * b, 1), takesInt: true },
}

/** Rows that are reduced: of each, the result is exact in float32, or within a rounding or two. */
const ROWS: readonly (readonly number[])[] = [
  [1, 2, 3, 4, 5], [0.5, 0.25, 8, -1, 2], [3], [0, 0, 0, 0, 0, 0], [100, 101, 102], [-1000, -1001],
  [Infinity, 1], [-Infinity, -Infinity], [-Infinity, 2, -Infinity], [NaN, 1], [1, 2, 3, NaN], [-5, 4, -3, 2, -1, 6, -7, 8, -9],
]

describeBinaries('tables of operators', (binary) => {
  let runtime: Runtime
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
  })

  it.each(Object.entries(BINARY))('%s of every two corners, of every dtype', async (name, row) => {
    for (const dtype of ['float32', 'int32', 'uint8'] as const) {
      const f = row[dtype]
      if (f === undefined) continue
      const values = [...array(dtype, VALUES[dtype]).data]
      const [a, b] = [array(dtype, values, [values.length, 1]), array(dtype, values)]
      const expected = array(row.out ?? dtype, values.flatMap((x) => values.map((y) => f(x, y))), [values.length, values.length])
      const one: OneNode = { op: row.op ?? name, inputs: [a, b], constants: [], ...(row.attributes === undefined ? {} : { attributes: row.attributes }) }
      const [got] = await run(runtime, one)
      // The sign of a zero that is the smaller or the larger one of two zeros, or a remainder, is nobody's business.
      expectSame(unsigned(got as NdArray), unsigned(expected))
      const folded = fold(one)
      if (folded !== undefined) expectSame(unsigned(folded[0] as NdArray), unsigned(expected))
    }
  })

  it('not turns truth around', async () => {
    const [got] = await run(runtime, { op: 'not', inputs: [array('uint8', VALUES.uint8)] })
    expectSame(got, array('uint8', VALUES.uint8.map((x) => Number(x === 0))))
  })

  it.each(CASTS)('cast of %s to %s', async (from, to) => {
    const x = array(from, VALUES[from])
    const expected = array(to === 'bool' ? 'uint8' : to, [...x.data].map((value) => castOf(value, from, to)))
    const [got] = await run(runtime, { op: 'cast', attributes: { to }, inputs: [x] })
    expectSame(got, expected)
  })

  it.each(Object.entries(REDUCTIONS))('%s of rows and of columns, within 2 roundings', async (op, { of, takesInt }) => {
    for (const row of ROWS) {
      const x = array('float32', row)
      const exact = of([...x.data])
      const results: (NdArray | undefined)[] = []
      for (const [shape, axis] of [[[1, row.length], 1], [[row.length, 1], 0], [[row.length, 3], 0]] as const) {
        const wide = array('float32', [...x.data].flatMap((value) => Array.from({ length: axis === 0 ? shape[1] : 1 }, () => value)), shape)
        const one = { op, inputs: [wide, array('int32', [axis])] }
        results.push((await run(runtime, one))[0], fold(one)?.[0])
      }
      for (const result of results) {
        for (const value of result?.data ?? [NaN]) {
          const close = Object.is(value, exact) || value === exact || Math.abs(value - exact) <= 3e-7 * Math.max(Math.abs(exact), op.includes('Log') ? 1 : 0)
          if (!close && !Object.is(Math.fround(exact), value)) expect.fail(`${op} of ${row.join(', ')}: ${value}, expected ${exact}`)
        }
      }
    }
    if (takesInt !== true) return
    for (const row of [[7, -3, 5, 2], [INT_MIN, 1], [2 ** 30, 2 ** 30, 2 ** 30]]) {
      const exact = op === 'reduceProd' ? row.reduce((a, b) => Math.imul(a, b), 1) : whole(of(row))
      const one = { op, attributes: { keepdims: 0 }, inputs: [array('int32', row), array('int32', [0])] }
      expectSame((await run(runtime, one))[0], array('int32', [exact], []))
      expectSame(fold(one)?.[0], array('int32', [exact], []))
    }
  })

  it.each([
    ['none', (_a: number, b: number) => b], ['add', (a: number, b: number) => a + b], ['mul', (a: number, b: number) => a * b],
    ['max', maximum], ['min', minimum],
  ] as const)('scattered elements: %s', async (reduction, f) => {
    for (const dtype of ['float32', 'int32'] as const) {
      const [x, updates] = [[1, 2, 3, 4, 5], [10, -20, 30, 7]]
      const indices = [4, 0, -2, 0]
      const expected = [...x]
      indices.forEach((index, n) => {
        const at = (index + 5) % 5
        expected[at] = f(expected[at] as number, updates[n] as number)
      })
      const inputs = [array(dtype, x), array('int32', indices), array(dtype, updates)]
      const one: OneNode = { op: 'scatterElements', attributes: { reduction }, inputs, constants: [] }
      expectSame((await run(runtime, one))[0], array(dtype, expected))
      expectSame(fold(one)?.[0], array(dtype, expected))
    }
  })

  it.each([0, 1])('argMax and argMin: NaN counts as farther than anything, also beside infinities; selectLastIndex %i', async (last) => {
    const rows = [
      [1, NaN, 3, NaN], [Infinity, NaN, -Infinity, 0], [NaN, NaN, NaN, NaN], [-Infinity, -Infinity, -Infinity, -Infinity], [0, -0, 0, -0], [2, 5, 5, 1],
    ]
    for (const least of [false, true]) {
      const best = (row: readonly number[]): number => {
        const sized = row.map((x) => (Number.isNaN(x) ? Infinity : least ? -x : x))
        const most = Math.max(...sized)
        return last === 1 ? sized.lastIndexOf(most) : sized.indexOf(most)
      }
      const one: OneNode = {
        op: least ? 'argMin' : 'argMax', attributes: { axis: 1, keepdims: 0, selectLastIndex: last },
        inputs: [array('float32', rows.flat(), [rows.length, 4])],
      }
      expectSame((await run(runtime, one))[0], array('int32', rows.map(best)))
      expectSame(fold(one)?.[0], array('int32', rows.map(best)))
      // The axis stays, of one element, unless it is said to go.
      const { keepdims, ...attributes } = one.attributes as Record<string, number>
      expect(keepdims).toBe(0)
      expectSame((await run(runtime, { ...one, attributes }))[0], array('int32', rows.map(best), [rows.length, 1]))
    }
  })

  it('trilu keeps a triangle of every matrix, from any diagonal', async () => {
    for (const dtype of ['float32', 'int32', 'uint8'] as const) {
      for (const shape of [[3, 5], [2, 4, 4], [2, 2, 5, 3], [1, 1]]) {
        const [rows, columns] = shape.slice(-2) as [number, number]
        const x = array(dtype, Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, n) => n + 1), shape)
        for (const upper of [0, 1]) {
          for (const diagonal of [undefined, 0, 1, -1, -2, 9, -9]) {
            const expected = array(dtype, [...x.data].map((value, n) => {
              const above = n % columns - Math.floor(n / columns) % rows - (diagonal ?? 0)
              return (upper === 1 ? above >= 0 : above <= 0) ? value : 0
            }), shape)
            const inputs = [x, ...(diagonal === undefined ? [] : [new NdArray(Int32Array.of(diagonal), [])])]
            const one: OneNode = { op: 'trilu', attributes: { upper }, inputs }
            expectSame((await run(runtime, one))[0], expected)
            expectSame(fold(one)?.[0], expected)
          }
        }
      }
    }
  })
})

/** -0 as 0. */
function unsigned(x: NdArray): NdArray {
  return new NdArray(x.data.map((value) => (value === 0 ? 0 : value)), x.shape)
}
