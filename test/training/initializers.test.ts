import { describe, expect, it } from 'vitest'
import { batchNorm, conv1d, dense, embedding, gru, input, lstm, sequential } from '../../src/layers/index.ts'
import { Generator } from '../../src/training/generator.ts'
import { initialStateDict, initialWeight, type InitializerName } from '../../src/training/initializers.ts'
import { expectError } from '../expect-error.ts'

/** Mean and standard deviation, and the largest magnitude. */
function statistics(data: Float32Array): { readonly mean: number, readonly deviation: number, readonly most: number } {
  const mean = data.reduce((sum, x) => sum + x, 0) / data.length
  const deviation = Math.sqrt(data.reduce((sum, x) => sum + (x - mean) ** 2, 0) / data.length)
  return { mean, deviation, most: data.reduce((most, x) => Math.max(most, Math.abs(x)), 0) }
}

describe('initialisers', () => {
  // [40, 60, 5]: fan in 300, fan out 200. Of uniform ones, the bound; of normal ones, Keras's standard deviation after the cut.
  const CASES: readonly [InitializerName, deviation: number, most: number][] = [
    ['glorotUniform', Math.sqrt(2 / 500), Math.sqrt(6 / 500)], ['heUniform', Math.sqrt(2 / 300), Math.sqrt(6 / 300)],
    ['lecunUniform', Math.sqrt(1 / 300), Math.sqrt(3 / 300)], ['randomUniform', 0.05 / Math.sqrt(3), 0.05],
    ['fanInUniform', 1 / Math.sqrt(900), 1 / Math.sqrt(300)], ['hiddenUniform', 1 / Math.sqrt(3 * 17), 1 / Math.sqrt(17)],
    ['glorotNormal', Math.sqrt(2 / 500), 2 * Math.sqrt(2 / 500) / 0.8796], ['heNormal', Math.sqrt(2 / 300), 2 * Math.sqrt(2 / 300) / 0.8796],
    ['lecunNormal', Math.sqrt(1 / 300), 2 * Math.sqrt(1 / 300) / 0.8796], ['randomNormal', 0.05, 0.3], ['normal', 1, 6],
  ]

  it('of more weights than memory can hold are refused before one is drawn', () => {
    const wide = (units: number): unknown => initialStateDict(sequential([input([24, 1]), conv1d(units, 3), lstm(4), dense(3)]).weightSpecs())
    expectError(() => wide(3e7), 'MEMORY', /^initialStateDict: \d+ weights, which with their gradients are more than memory can hold$/)
    for (const units of [1e9, 2 ** 32]) expectError(() => wide(units), 'MEMORY', /more than memory can hold$/)
    expectError(() => initialStateDict([], {}, 2 ** 31), 'VALUE', /^initialStateDict: expected a whole number from -2147483648 to 2147483647 for 'seed'/)
  })

  it.each(CASES)('%s has its spread and its bound', (name, deviation, most) => {
    const found = statistics(initialWeight(name, [40, 60, 5], new Generator(5, 1), 17))
    // 12,000 numbers: the standard error of the deviation is below 1 %.
    expect(Math.abs(found.deviation / deviation - 1)).toBeLessThan(0.03)
    expect(Math.abs(found.mean)).toBeLessThan(4 * deviation / Math.sqrt(12000))
    expect(found.most).toBeLessThanOrEqual(most * (1 + 1e-6))
    if (name.endsWith('Uniform')) expect(found.most).toBeGreaterThan(0.99 * most)
  })

  it('orthogonal: the shorter side is orthonormal', () => {
    for (const [rows, columns] of [[28, 7], [7, 28], [5, 5], [1, 3]] as const) {
      const data = initialWeight('orthogonal', [rows, columns], new Generator(1, 1))
      const at = (row: number, column: number): number => data[row * columns + column] as number
      for (let a = 0; a < Math.min(rows, columns); a++) {
        for (let b = 0; b <= a; b++) {
          let product = 0
          for (let n = 0; n < Math.max(rows, columns); n++) product += rows > columns ? at(n, a) * at(n, b) : at(a, n) * at(b, n)
          expect(Math.abs(product - Number(a === b))).toBeLessThan(1e-6)
        }
      }
    }
  })
})

const net = (): ReturnType<typeof sequential> => sequential([
  input([9, 5]), conv1d(6, 3), batchNorm(), lstm(8, { returnSequences: true }), gru(4, { bidirectional: true }), dense(3, { activation: 'softmax' }),
])

describe('first state dicts', () => {
  it('fit the layers, and are those of the seed', () => {
    const specs = net().weightSpecs()
    expect(specs.map(({ name }) => name)).toContain('gru.weight_hh_l0_reverse')
    const first = initialStateDict(specs, {}, 7)
    expect(net().hasWeights).toBe(false)
    expect(net().loadStateDict(first).hasWeights).toBe(true)
    expect(initialStateDict(specs, {}, 7)).toEqual(first)
    const other = initialStateDict(specs, {}, 8)
    expect(other.get('lstm.weight_ih_l0')).not.toEqual(first.get('lstm.weight_ih_l0'))
    const kernels = [...first].filter(([name]) => /weight_ih|dense.weight|conv1d.weight/.test(name)).map(([, { data }]) => data[0])
    expect(new Set(kernels).size).toBe(kernels.length)
  })

  it('are as Keras has them: Glorot, orthogonal, zeros, a forget bias of 1', () => {
    const weights = initialStateDict(net().weightSpecs())
    const of = (name: string): Float32Array => weights.get(name)?.data as Float32Array
    expect([...of('lstm.bias_ih_l0')]).toEqual(Array.from({ length: 32 }, (_, n) => Number(n >= 8 && n < 16)))
    for (const name of ['lstm.bias_hh_l0', 'gru.bias_ih_l0', 'gru.bias_hh_l0_reverse', 'dense.bias', 'conv1d.bias', 'batch_norm.bias', 'batch_norm.running_mean']) {
      expect([name, ...new Set(of(name))]).toEqual([name, 0])
    }
    for (const name of ['batch_norm.weight', 'batch_norm.running_var']) expect([name, ...new Set(of(name))]).toEqual([name, 1])
    expect(statistics(of('lstm.weight_ih_l0')).most).toBeLessThanOrEqual(Math.sqrt(6 / (6 + 32)))
    const recurrent = of('lstm.weight_hh_l0')
    const norm = recurrent.reduce((sum, x, n) => sum + (n % 8 === 3 ? x * x : 0), 0)
    expect(norm).toBeCloseTo(1, 6)
  })

  it('are as PyTorch has them: uniform by 1 / sqrt(units), biases too', () => {
    const weights = initialStateDict(net().weightSpecs(), { like: 'pytorch' })
    const bounds = { 'lstm.weight_ih_l0': 8, 'lstm.weight_hh_l0': 8, 'lstm.bias_ih_l0': 8, 'gru.bias_hh_l0': 4, 'dense.weight': 8, 'dense.bias': 8, 'conv1d.bias': 15 }
    for (const [name, divisor] of Object.entries(bounds)) {
      const { most } = statistics(weights.get(name)?.data as Float32Array)
      expect(most, name).toBeLessThanOrEqual(1 / Math.sqrt(divisor))
      expect(most, name).toBeGreaterThan(0.35 / Math.sqrt(divisor))
    }
    const table = initialStateDict(sequential([embedding(50, 40)]).weightSpecs(), { like: 'pytorch' }).get('embedding.weight')?.data as Float32Array
    expect(statistics(table).deviation).toBeCloseTo(1, 1)
  })

  it('take names for each part, also in Keras\'s spelling', () => {
    const specs = net().weightSpecs()
    const weights = initialStateDict(specs, { kernel: 'he_normal', bias: 'ones', recurrent: 'zeros', unitForgetBias: false })
    expect(new Set(weights.get('lstm.bias_ih_l0')?.data)).toEqual(new Set([1]))
    expect(new Set(weights.get('gru.weight_hh_l0')?.data)).toEqual(new Set([0]))
    expectError(() => initialStateDict(specs, { kernel: 'glorot' }), 'VALUE', /^initializers: no initialiser "glorot" for 'kernel'; there are zeros, ones, glorotUniform/)
    expectError(() => initialStateDict(specs, { kernal: 'ones' } as never), 'VALUE', /did you mean 'kernel'/)
    expectError(() => sequential([lstm(4), dense(2)]).weightSpecs(), 'SHAPE', /^sequential: the input size of 'lstm' is not known/)
  })
})

describe('the generator', () => {
  it('draws the same from the same seed, stream, run and place, and others elsewhere', () => {
    const one = new Generator(3, 2, 5)
    const drawn = Array.from({ length: 9 }, () => one.word())
    const fromThird = new Generator(3, 2, 5, 3)
    expect(Array.from({ length: 6 }, () => fromThird.word())).toEqual(drawn.slice(3))
    expect(new Set(drawn).size).toBe(9)
    for (const other of [new Generator(4, 2, 5), new Generator(3, 1, 5), new Generator(3, 2, 6)]) expect(other.word()).not.toBe(drawn[0])
  })

  it('makes orders in which each place is as likely', () => {
    const counts = Array.from({ length: 5 }, () => [0, 0, 0, 0, 0])
    for (let run = 0; run < 5000; run++) {
      const order = new Generator(9, 2, run).order(5)
      expect([...order].sort()).toEqual([0, 1, 2, 3, 4])
      order.forEach((value, place) => {
        const count = counts[place] as number[]
        count[value] = (count[value] as number) + 1
      })
    }
    for (const count of counts.flat()) expect(Math.abs(count - 1000)).toBeLessThan(130) // 4.6 standard deviations
  })
})
