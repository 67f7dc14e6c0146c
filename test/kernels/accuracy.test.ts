// sigmoid and tanh, measured against float64 over the whole float32 range.
import { afterAll, expect, it } from 'vitest'
import { FunctionCode } from '../../src/contract/math/function-code.ts'
import { ACTIVATION_ULP } from '../tolerance.ts'
import { describeBinaries } from '../variants.ts'
import { Arena } from './arena.ts'

/** Every 1021st bit pattern: a prime, so that the samples meet every exponent with ever other mantissas. */
const STEP = 1021

const asFloat = (bits: number): number => new Float32Array(Uint32Array.of(bits).buffer)[0] as number

/** Zeros, denormals, infinities, the clamp points and the float32 values around each, with both signs. */
function edgeCases(): number[] {
  const patterns = [0x00000000, 0x00000001, 0x00400000, 0x007fffff, 0x00800000, 0x7f7fffff, 0x7f800000]
  const points = [1, 2, Math.LN2, Math.LN2 / 2, 8.66, 9.01, 9.02, 16.6, 17.3, 20, 40, 87, 87.3365, 88, 88.7228, 89, 100, 103.2789, 103.9720, 104, 105, 1e10]
  for (const point of points) {
    const bits = new Uint32Array(Float32Array.of(point).buffer)[0] as number
    patterns.push(bits - 1, bits, bits + 1)
  }
  return patterns.flatMap((bits) => [asFloat(bits), -asFloat(bits)])
}

function makeSamples(): Float32Array {
  const sampled = Uint32Array.from({ length: Math.ceil(2 ** 32 / STEP) }, (_, n) => n * STEP)
  const edges = new Uint32Array(Float32Array.from(edgeCases()).buffer)
  // NaN has a test of its own; here every distance is a number.
  const finite = [...edges, ...sampled].filter((bits) => (bits & 0x7fffffff) >>> 0 <= 0x7f800000)
  return new Float32Array(Uint32Array.from(finite).buffer)
}

/** Number of float32 values from one array to the other, the largest of all elements, and where that is. */
function largestUlp(samples: Float32Array, got: Float32Array, expected: Float32Array): { ulp: number, at: number } {
  // Bit patterns of float32 are in order, negative ones downwards.
  const order = (bits: number): number => (bits < 0 ? -(bits & 0x7fffffff) : bits)
  const gotBits = new Int32Array(got.buffer)
  const expectedBits = new Int32Array(expected.buffer)
  let [ulp, at] = [0, 0]
  for (let n = 0; n < samples.length; n++) {
    const apart = Number.isNaN(got[n]) ? Infinity : Math.abs(order(gotBits[n] as number) - order(expectedBits[n] as number))
    if (apart > ulp) [ulp, at] = [apart, n]
  }
  return { ulp, at: samples[at] as number }
}

const samples = makeSamples()
const FUNCTIONS = [
  { name: 'sigmoid', expected: samples.map((x) => 1 / (1 + Math.exp(-x))) },
  { name: 'tanh', expected: samples.map((x) => Math.tanh(x)) },
] as const

const measured: string[] = []

/** With LSTM_REPORT=1: what was measured. */
afterAll(() => {
  if (process.env.LSTM_REPORT === '1') console.log(measured.join('\n'))
})

describeBinaries('accuracy', (binary) => {
  const arena = new Arena(binary, Math.ceil(samples.byteLength / 65536) * 3 + 1)
  const { kernels } = arena
  const inPtr = arena.floats(samples)
  const outPtr = arena.allocate(samples.byteLength)

  for (const { name, expected } of FUNCTIONS) {
    it(`${name} is within ${ACTIVATION_ULP} ULP of the correctly rounded value, over the whole float32 range`, () => {
      kernels.activateF32(FunctionCode[name], 0, 0, inPtr, outPtr, samples.length)
      const { ulp, at } = largestUlp(samples, arena.read(outPtr, samples.length), expected)
      measured.push(`${binary.name} ${name}: ${ulp} ULP at ${at}, ${samples.length} values`)
      expect(ulp, `at ${at}`).toBeLessThanOrEqual(ACTIVATION_ULP)
    })
  }

  it('sigmoid stays in [0, 1]; tanh stays in [-1, 1] and is odd, bit for bit', () => {
    kernels.activateF32(FunctionCode.sigmoid, 0, 0, inPtr, outPtr, samples.length)
    expect(arena.read(outPtr, samples.length).every((y) => y >= 0 && y <= 1)).toBe(true)
    kernels.activateF32(FunctionCode.tanh, 0, 0, inPtr, outPtr, samples.length)
    const upwards = arena.read(outPtr, samples.length)
    expect(upwards.every((y) => y >= -1 && y <= 1)).toBe(true)
    const negatedPtr = arena.floats(samples.map((x) => -x))
    kernels.activateF32(FunctionCode.tanh, 0, 0, negatedPtr, negatedPtr, samples.length)
    expect(arena.read(negatedPtr, samples.length).every((y, n) => Object.is(y, -(upwards[n] as number)))).toBe(true)
  })

  it('exact values: 0, -0, infinities, NaN of either sign, denormals', () => {
    const x = [0, -0, Infinity, -Infinity, asFloat(0x7fc00000), asFloat(0xffc00000), asFloat(0x7f800001), 1e-45, -1e-45, 1e-40]
    const smallPtr = arena.floats(x)
    const run = (name: 'sigmoid' | 'tanh'): number[] => {
      kernels.activateF32(FunctionCode[name], 0, 0, smallPtr, outPtr, x.length)
      return [...arena.read(outPtr, x.length)]
    }
    const [tiny, small] = [Math.fround(1e-45), Math.fround(1e-40)]
    expect(run('sigmoid')).toEqual([0.5, 0.5, 1, 0, NaN, NaN, NaN, 0.5, 0.5, 0.5])
    expect(run('tanh')).toEqual([0, -0, 1, -1, NaN, NaN, NaN, tiny, -tiny, small])
  })
})
