// Every function of one variable against float64: as an operator, and as an activation of an LSTM, in every binary.
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bindFunction, constantNames } from '../src/ops/elementwise/functions.ts'
import { addAllOperators } from '../src/ops/all.ts'
import { FUNCTION_NAMES } from '../src/ops/elementwise/function-table.ts'
import type { Graph } from '../src/graph/graph.ts'
import { compile } from '../src/model/load.ts'
import type { Runtime } from '../src/runtime/runtime.ts'
import { NdArray } from '../src/values/ndarray.ts'
import { accuracyPage, FUNCTION_TABLE, type FunctionRow } from './function-table.ts'
import { describeBinaries, runtimeOf } from './variants.ts'

addAllOperators()

/** EXHAUSTIVE=1: every float32; EXHAUSTIVE=257: every 257th. */
const EXHAUSTIVE = Number(process.env.EXHAUSTIVE ?? 0)
/** Bit patterns from one sample to the next: a prime, so that samples meet every exponent with ever other mantissas. */
const STEP = EXHAUSTIVE > 0 ? EXHAUSTIVE : 16381
const CHUNK = 2 ** 20

const floatOf = (bits: number): number => new Float32Array(Uint32Array.of(bits).buffer)[0] as number

/** Corners of all functions, the values around them, and what is no number. */
function corners(): Float32Array {
  const points = [0, 0.25, 0.3, 0.5, 2 / 3, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 9.02, 17.33, 87.3365, 88.7228, 103.972, 104, 120, 8388608, 2 ** 31, 1e38, 3.4028234e38]
  const values = points.flatMap((point) => {
    const bits = new Uint32Array(Float32Array.of(point).buffer)[0] as number
    return [bits - 1, bits, bits + 1].filter((one) => one >= 0).map(floatOf)
  })
  const all = [...values, 1e-45, 1.1754944e-38, Infinity]
  return Float32Array.from([...all, ...all.map((x) => -x), NaN].filter((x) => Math.abs(x) <= Infinity || Number.isNaN(x)))
}

function* samples(): Generator<Float32Array> {
  yield corners()
  for (let begin = 0; begin < 2 ** 32; begin += CHUNK * STEP) {
    const bits = new Uint32Array(Math.min(CHUNK, Math.ceil((2 ** 32 - begin) / STEP)))
    for (let n = 0; n < bits.length; n++) bits[n] = begin + n * STEP
    yield new Float32Array(bits.buffer)
  }
}

/** Bit patterns in the order of the numbers; 0 and -0 are one. */
const orderOf = (bits: number): number => (bits < 0 ? -(bits & 0x7fffffff) : bits)

interface Worst { ulp: number, ulpAt: number, absolute: number, absoluteAt: number }

/** Checks one array of results, and keeps what is farthest away. */
function compare(name: string, row: FunctionRow, [alpha, beta]: readonly [number, number], x: Float32Array, got: Float32Array, worst: Worst): void {
  const { of, ulp, absolute = 0, within: [least, most] = [-Infinity, Infinity] } = row
  const expected = new Float32Array(1)
  const expectedBits = new Int32Array(expected.buffer)
  const gotBits = new Int32Array(got.buffer, got.byteOffset, got.length)
  for (let n = 0; n < x.length; n++) {
    const input = x[n] as number
    if (input < least || input > most) continue
    const exact = of(input, alpha, beta)
    const result = got[n] as number
    expected[0] = exact
    if (Number.isNaN(exact) || Number.isNaN(result)) {
      if (Number.isNaN(exact) !== Number.isNaN(result)) expect.fail(`${name}(${input}), constants ${alpha}, ${beta}: ${result}, expected ${exact}`)
      continue
    }
    const apart = Math.abs(orderOf(gotBits[n] as number) - orderOf(expectedBits[0] as number))
    const distance = Math.abs(result - exact)
    if (apart <= ulp) {
      if (apart > worst.ulp) [worst.ulp, worst.ulpAt] = [apart, input]
      continue
    }
    if (!(distance <= absolute)) expect.fail(`${name}(${input}), constants ${alpha}, ${beta}: ${result}, expected ${exact}: ${apart} ULP, ${distance} away`)
    if (distance > worst.absolute) [worst.absolute, worst.absoluteAt] = [distance, input]
  }
}

const measured: string[] = []

/** With LSTM_REPORT=1: what was measured. */
afterAll(() => {
  if (process.env.LSTM_REPORT === '1') console.log(measured.join('\n'))
})

function operatorGraph(op: string, [alpha, beta]: readonly [number, number]): Graph {
  const names = constantNames(op)
  const attributes = Object.fromEntries(names.map((name) => [name, name === 'alpha' ? alpha : beta]))
  // `linear` as an operator is the dense layer.
  return {
    inputs: [{ name: 'x', dtype: 'float32', shape: ['n'] }], outputs: [{ name: 'y', value: 'y' }], constants: new Map(),
    nodes: [{ name: 'f', op: op === 'linear' ? 'identity' : op, inputs: ['x'], outputs: ['y'], parameters: {}, attributes: op === 'linear' ? {} : attributes }],
  }
}

/**
 * One step of an LSTM whose weights are zeros: its gates before activation are the biases. The function is that of the place
 * that is asked for, all others are `linear`; what is to go through it is `x`, and comes out as h.
 */
function cellGraph(name: string, [alpha, beta]: readonly [number, number], place: 'gate' | 'candidate' | 'output', x: Float32Array): Graph {
  const units = x.length
  const bias = new Float32Array(4 * units)
  const [input, forget, candidate, output] = [0, 1, 2, 3].map((gate) => bias.subarray(gate * units, (gate + 1) * units)) as Float32Array[]
  // i g is 1 x; or f(x) 1 for the gates, where h is f(1) f(x).
  input?.set(place === 'gate' ? x : x.map(() => 1))
  candidate?.set(place === 'gate' ? x.map(() => 1) : x)
  forget?.fill(0.75)
  output?.fill(1)
  const functions = [place === 'gate' ? name : 'linear', place === 'candidate' ? name : 'linear', place === 'output' ? name : 'linear']
  const constantsOf = (value: number): number[] => functions.map((one) => (one === name ? value : 0))
  return {
    inputs: [{ name: 'x', dtype: 'float32', shape: [1, 1, 1] }], outputs: [{ name: 'h', value: 'h' }, { name: 'c', value: 'c' }],
    constants: new Map([
      ['w', new NdArray(new Float32Array(4 * units), [4 * units, 1])], ['u', new NdArray(new Float32Array(4 * units * units), [4 * units, units])],
      ['b', new NdArray(bias, [4 * units])],
    ]),
    nodes: [{
      name: 'cell', op: 'lstm', inputs: ['x'], outputs: ['', 'h', 'c'],
      parameters: { '0.forward.inputWeights': 'w', '0.forward.recurrentWeights': 'u', '0.forward.inputBias': 'b' },
      attributes: {
        hiddenSize: units, numLayers: 1, direction: 'forward', returnSequences: false, activations: functions,
        activationAlpha: constantsOf(alpha), activationBeta: constantsOf(beta),
      },
    }],
  }
}

function constantsOf(name: string): (readonly [number, number])[] {
  const { alpha, beta } = bindFunction(name, undefined, undefined, name)
  return [[alpha, beta], ...FUNCTION_TABLE[name]?.constants ?? []].map(([a, b]) => [Math.fround(a), Math.fround(b)] as const)
}

it('the table has every function, and no other', () => {
  expect(Object.keys(FUNCTION_TABLE)).toEqual([...FUNCTION_NAMES])
  const codes = FUNCTION_NAMES.map((name) => bindFunction(name, undefined, undefined, name).code)
  expect(codes).toEqual(codes.map((_, n) => n))
})

it('no two functions of the table are alike, so that none can stand for another', () => {
  const x = corners()
  const seen: Map<string, string> = new Map()
  for (const [name, { of }] of Object.entries(FUNCTION_TABLE)) {
    const results = constantsOf(name).map(([alpha, beta]) => x.map((one) => of(one, alpha, beta)).join()).join()
    expect(seen.get(results), name).toBeUndefined()
    seen.set(results, name)
  }
})

it('docs/accuracy.md is what the table says (npm run docs:accuracy writes it)', () => {
  const text = readFileSync(new URL('../src/ops/elementwise/function-table.ts', import.meta.url), 'utf8')
  const formulas = new Map([...text.matchAll(/\/\*\* (.*) \*\/\n {2}(\w+): \{/g)].map(([, formula, name]) => [name as string, (formula as string).replaceAll('|', '\\|')]))
  const page = new URL('../docs/accuracy.md', import.meta.url)
  if (process.env.UPDATE_DOCS === '1') writeFileSync(page, accuracyPage(formulas))
  expect(readFileSync(page, 'utf8')).toBe(accuracyPage(formulas))
})

describeBinaries('functions', (binary) => {
  let runtime: Runtime
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
  })

  // debug.wasm is the same code without passes; its samples are the corners.
  const few = binary.name === 'debug'

  it.each(Object.entries(FUNCTION_TABLE))('%s, as an operator', async (name, row) => {
    for (const constants of constantsOf(name)) {
      const worst = { ulp: 0, ulpAt: 0, absolute: 0, absoluteAt: 0 }
      const model = await compile(operatorGraph(name, constants), { runtime })
      for (const x of few ? [corners()] : samples()) {
        const { y } = model.run({ x })
        compare(name, row, constants, x, y?.data as Float32Array, worst)
      }
      model.dispose()
      measured.push(`${binary.name} ${name}(${constants.join(', ')}): ${worst.ulp} ULP at ${worst.ulpAt}, beyond that ${worst.absolute} at ${worst.absoluteAt}`)
    }
  }, EXHAUSTIVE > 0 ? 24 * 3_600_000 : 60_000)

  // Biases are sums, and none of them is -0.
  const x = corners().filter((one) => Math.abs(one) < 1e18 && !Object.is(one, -0))
  it.each(Object.keys(FUNCTION_TABLE))('%s, as an activation of each kind', async (name) => {
    for (const constants of constantsOf(name)) {
      const operator = await compile(operatorGraph(name, constants), { runtime })
      const expected = operator.run({ x }).y?.data as Float32Array
      const atOne = operator.run({ x: Float32Array.of(1, 0.75) }).y?.data as Float32Array
      for (const place of ['gate', 'candidate', 'output'] as const) {
        const cell = await compile(cellGraph(name, constants, place, x), { runtime })
        const { h, c } = cell.run({ x: new NdArray(Float32Array.of(0), [1, 1, 1]) })
        const kept = Math.fround(0 * (place === 'gate' ? atOne[1] as number : 0.75))
        const state = place === 'output' ? x : expected
        expect(Array.from(c?.data ?? []), `${place}: c`).toEqual(Array.from(state, (one) => plus(kept, one)))
        const out = (one: number): number => (place === 'gate' ? Math.fround((atOne[0] as number) * plus(kept, one)) : plus(kept, one))
        expect(Array.from(h?.data ?? []), `${place}: h`).toEqual(Array.from(expected, (one) => (place === 'output' ? one : out(one))).map(positiveZero(h?.data)))
        cell.dispose()
      }
      operator.dispose()
    }
  })

  it.each(['softmax', 'logSoftmax', 'sparsemax'])('%s, as an activation over the units', async (name) => {
    for (const units of [1, 3, 4, 5, 17]) {
      const row = Float32Array.from({ length: units }, (_, n) => Math.sin(n * 7 + 1) * 2)
      const cell = await compile(cellGraph(name, [0, 0], 'candidate', row), { runtime })
      const { h } = cell.run({ x: new NdArray(Float32Array.of(0), [1, 1, 1]) })
      ROWS[name]?.(Array.from(row)).forEach((expected, n) => expect(Math.abs((h?.data[n] as number) - expected), `${units} units, ${n}`).toBeLessThanOrEqual(4e-7))
      cell.dispose()
    }
  })
})

/** f c + i g begins with what is kept, which is 0 here: -0 becomes 0 where that is 0 and not -0. */
function plus(kept: number, value: number): number {
  return Math.fround(kept + value)
}

/** A product of zeros may have either sign. */
function positiveZero(got: ArrayLike<number> | undefined): (value: number, n: number) => number {
  return (value, n) => (value === 0 ? got?.[n] === 0 ? got[n] : 0 : value)
}

const ROWS: Readonly<Record<string, (x: number[]) => number[]>> = {
  softmax: (x) => {
    const sum = x.reduce((total, one) => total + Math.exp(one), 0)
    return x.map((one) => Math.exp(one) / sum)
  },
  logSoftmax: (x) => {
    const sum = x.reduce((total, one) => total + Math.exp(one), 0)
    return x.map((one) => one - Math.log(sum))
  },
  // By its definition: the threshold over the largest k elements for which it is below all of them.
  sparsemax: (x) => {
    const sorted = [...x].sort((a, b) => b - a)
    let [sum, tau] = [0, 0]
    sorted.forEach((one, n) => {
      sum += one
      if (1 + (n + 1) * one > sum) tau = (sum - 1) / (n + 1)
    })
    return x.map((one) => Math.max(0, one - tau))
  },
}

describe('corners', () => {
  it('are all there, with their neighbours', () => {
    const x = corners()
    expect(x.length).toBeGreaterThan(140)
    for (const alpha of [0.5, 1, 2, 6]) expect(x.includes(alpha) && x.includes(-alpha)).toBe(true)
  })
})
