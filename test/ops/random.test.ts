// Random numbers: against Philox written with big integers, others in each run, and with the moments they should have.
import { beforeAll, describe, expect, it } from 'vitest'
import { readOnnx, type OnnxOptions } from '../../src/formats/onnx/index.ts'
import { saveGraph } from '../../src/formats/safetensors/save.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { compile, load } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'
import type { Attribute } from '../../src/ops/graph-data.ts'
import { philox as drawPhilox } from '../../src/ops/random/philox.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { writeOnnx, type AttributeSpec, type GraphSpec, type PortSpec } from '../formats/onnx-writer.ts'
import { describeBinaries, runtimeOf } from '../variants.ts'
import { buildNode, ints } from './one-node.ts'

const low = (value: bigint): bigint => value & 0xffffffffn

/** Philox4x32-10. */
function philox(counter: readonly number[], seed: number, secondKey: number = 0): number[] {
  let [a, b, c, d] = counter.map((word) => BigInt(word >>> 0)) as [bigint, bigint, bigint, bigint]
  let [first, second] = [BigInt(seed >>> 0), BigInt(secondKey >>> 0)]
  for (let round = 0; round < 10; round++) {
    const [left, right] = [a * 0xd2511f53n, c * 0xcd9e8d57n]
    ;[a, b, c, d] = [(right >> 32n) ^ b ^ first, low(right), (left >> 32n) ^ d ^ second, low(left)]
    first = low(first + 0x9e3779b9n)
    second = low(second + 0xbb67ae85n)
  }
  return [a, b, c, d].map(Number)
}

function uniforms(length: number, run: number, stream: number, seed: number): Float32Array {
  return Float32Array.from({ length }, (_, n) => ((philox([n >> 2, run, stream, 0], seed)[n % 4] as number) >>> 8) / 2 ** 24)
}

function normals(length: number, run: number, stream: number, seed: number): Float32Array {
  const pairs = Array.from({ length: Math.ceil(length / 2) }, (_, pair) => {
    for (let attempt = 1; ; attempt++) {
      const [x, y] = philox([pair, run, stream, attempt], seed).slice(0, 2).map((word) => (word | 0) / 2 ** 31) as [number, number]
      const square = x * x + y * y
      if (square > 0 && square < 1) return [x, y].map((one) => one * Math.sqrt(-2 * Math.log(square) / square))
    }
  })
  return Float32Array.from(pairs.flat().slice(0, length))
}

describe('Philox4x32-10', () => {
  const ones = 0xffffffff
  const words = (place: number, run: number, stream: number, attempt: number, seed: number): number[] => {
    const drawn = new Int32Array(4)
    drawPhilox(drawn, place, run, stream, attempt, seed)
    return [...new Uint32Array(drawn.buffer)]
  }

  it('gives the known answers of its authors', () => {
    const zeros = [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]
    expect(words(0, 0, 0, 0, 0)).toEqual(zeros)
    expect(philox([0, 0, 0, 0], 0)).toEqual(zeros)
    // The reference alone: ours has 0 for the second word of the key.
    expect(philox([ones, ones, ones, ones], ones, ones)).toEqual([0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd])
    expect(philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], 0xa4093822, 0x299f31d0)).toEqual([0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1])
  })

  it('is the same as with big integers, for words of every size and sign', () => {
    const cases = [
      [ones, ones, ones, ones, ones], [1, 2, 3, 4, -5], [0x80000000, -1, 0x7fffffff, 0xffff, 0x10000], [0x243f6a88, 0x85a308d3, -7, 1, 2 ** 31],
    ] as const
    for (const [place, run, stream, attempt, seed] of cases) {
      expect(words(place, run, stream, attempt, seed)).toEqual(philox([place, run, stream, attempt], seed))
    }
  })
})

describeBinaries('random', (binary) => {
  let runtime: Runtime
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
  })
  const modelOf = async (attributes: Record<string, Attribute>, ...shape: number[]): Promise<Model> => (
    compile(buildNode('random', [ints(...shape)], { attributes, constants: [0] }).finish([{ name: 'y', value: 'y' }]), { runtime })
  )
  const draw = (model: Model): Float32Array => model.run({}).y?.data as Float32Array

  it('uniform numbers are those of the reference, to the bit; others in each run; the same again after resetStates', async () => {
    for (const [seed, stream, length] of [[0, 0, 9], [7, 3, 1], [-1, 2, 16]] as const) {
      using model = await modelOf({ seed, stream }, length)
      expect([draw(model), draw(model), draw(model)]).toEqual([0, 1, 2].map((run) => uniforms(length, run, stream, seed)))
      model.resetStates()
      expect(draw(model)).toEqual(uniforms(length, 0, stream, seed))
      expect((await model.runAsync({})).y?.data).toEqual(uniforms(length, 1, stream, seed))
      expect(draw(model)).toEqual(uniforms(length, 2, stream, seed))
    }
    using wide = await modelOf({ seed: 5, first: -2, second: 6 }, 3, 5)
    expect(draw(wide)).toEqual(uniforms(15, 0, 0, 5).map((u) => Math.fround(-2 + 8 * u)))
  })

  it('normal numbers are those of the reference, to the bit on one engine, also the last of an odd number', async () => {
    for (const length of [1, 2, 7, 200]) {
      using model = await modelOf({ distribution: 'normal', seed: 11, stream: 1 }, length)
      for (const run of [0, 1]) {
        expect(draw(model)).toEqual(normals(length, run, 1, 11))
      }
    }
  })

  it('have the moments that they should have', async () => {
    using model = await modelOf({ distribution: 'normal', seed: 3, first: 2, second: 0.5 }, 20_000)
    const values = draw(model)
    const mean = values.reduce((a, b) => a + b, 0) / values.length
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length
    // Five standard deviations of each.
    expect(Math.abs(mean - 2)).toBeLessThan(5 * 0.5 / Math.sqrt(20_000))
    expect(Math.abs(variance - 0.25)).toBeLessThan(5 * 0.25 * Math.sqrt(2 / 20_000))
  })
})

describe('random operators of ONNX', () => {
  const read = (
    op: string, attributes: Readonly<Record<string, AttributeSpec>>, shape?: PortSpec['shape'], options: OnnxOptions = { seed: 4 },
  ): Graph => readOnnx(writeOnnx({
    inputs: shape === undefined ? [] : [{ name: 'x', shape }], outputs: [{ name: 'y' }],
    nodes: [{ op, inputs: shape === undefined ? [] : ['x'], outputs: ['y'], attributes }],
  }), options)

  it('RandomUniform, RandomNormal, and those like a value', async () => {
    using uniform = await compile(read('RandomUniform', { shape: [2, 3], low: { float: -1 }, high: { float: 3 } }))
    expect(uniform.run({}).y).toEqual(new NdArray(uniforms(6, 0, 0, 4).map((u) => Math.fround(-1 + 4 * u)), [2, 3]))
    using normal = await compile(read('RandomNormalLike', { mean: { float: 1 }, scale: { float: 2 } }, ['batch', 3]))
    const y = normal.run({ x: [[1, 2, 3], [4, 5, 6]] }).y
    expect(y?.shape).toEqual([2, 3])
    normals(6, 0, 0, 4).forEach((z, n) => expect(y?.data[n]).toBeCloseTo(1 + 2 * z, 5))
    using like = await compile(read('RandomUniformLike', {}, ['batch', 3]))
    expect(like.run({ x: [[1, 2, 3]] }).y?.data).toEqual(uniforms(3, 0, 0, 4))
  })

  it('Bernoulli is 1 as often as its input says; Multinomial picks classes as often as they are likely', async () => {
    using coin = await compile(read('Bernoulli', {}, [3, 2000]))
    const likely = [0, 0.3, 1]
    const x = new NdArray(Float32Array.from({ length: 6000 }, (_, n) => likely[Math.floor(n / 2000)] as number), [3, 2000])
    const tossed = coin.run({ x }).y?.data as Float32Array
    const share = [0, 1, 2].map((row) => tossed.slice(2000 * row, 2000 * row + 2000).reduce((a, b) => a + b) / 2000)
    expect([share[0], share[2]]).toEqual([0, 1])
    expect(Math.abs((share[1] as number) - 0.3)).toBeLessThan(5 * Math.sqrt(0.21 / 2000))
    using dice = await compile(read('Multinomial', { sample_size: 3000 }, ['batch', 3]))
    const { data, shape, dtype } = dice.run({ x: [[Math.log(0.2), Math.log(0.5), Math.log(0.3)], [0, -100, -100]] }).y as unknown as NdArray
    expect([dtype, shape]).toEqual(['int32', [2, 3000]])
    const counts = [0, 1, 2].map((wanted) => data.slice(0, 3000).filter((one) => one === wanted).length / 3000)
    ;[0.2, 0.5, 0.3].forEach((p, n) => expect(Math.abs((counts[n] as number) - p)).toBeLessThan(5 * Math.sqrt(p * (1 - p) / 3000)))
    expect(data.slice(3000).every((one) => one === 0)).toBe(true)
  })

  it('two of them draw different numbers; a saved model draws the same', async () => {
    const graph = readOnnx(writeOnnx({
      inputs: [], outputs: [{ name: 'a' }, { name: 'b' }],
      nodes: ['a', 'b'].map((name) => ({ op: 'RandomUniform', inputs: [], outputs: [name], attributes: { shape: [5] } })),
    }), { seed: 9 })
    using model = await compile(graph)
    const { a, b } = model.run({})
    expect([a?.data, b?.data]).toEqual([uniforms(5, 0, 0, 9), uniforms(5, 0, 1, 9)])
    using saved = await load(saveGraph(graph))
    expect(saved.run({})).toEqual({ a, b })
  })

  it('they are written where the output is: in a tensor of the caller, and in memory that has grown', async () => {
    const runtime = await createRuntime()
    using model = await compile(read('RandomUniformLike', {}, ['batch', 2]), { runtime })
    const x = [[1, 2]]
    expect(model.run({ x }).y?.data).toEqual(uniforms(2, 0, 0, 4))
    using y = runtime.tensor(null, [1, 2])
    model.run({ x }, { into: { y } })
    expect(y.data).toEqual(uniforms(2, 1, 0, 4))
    const { totalBytes } = runtime.memory()
    using large = runtime.tensor(null, [totalBytes])
    expect(runtime.memory().totalBytes).toBeGreaterThan(large.shape[0] as number)
    expect(model.run({ x }).y?.data).toEqual(uniforms(2, 2, 0, 4))
    // Runs count on where sizes differ.
    expect(model.run({ x: [[1, 2], [3, 4]] }).y?.data).toEqual(uniforms(4, 3, 0, 4))
  })

  it('inside a Loop they draw anew in each step, and go on in the next run', async () => {
    const body: GraphSpec = {
      inputs: [{ name: 'step', type: 7, shape: [] }, { name: 'go', type: 9, shape: [] }], outputs: [{ name: 'on', type: 9 }, { name: 'u' }],
      nodes: [{ op: 'Identity', inputs: ['go'], outputs: ['on'] }, { op: 'RandomUniform', inputs: [], outputs: ['u'], attributes: { shape: [2] } }],
    }
    const graph = readOnnx(writeOnnx({
      inputs: [], outputs: [{ name: 'y' }], initializers: [{ name: 'count', dims: [], type: 7, int64s: [3] }, { name: 'true', dims: [], type: 9, raw: Uint8Array.of(1) }],
      nodes: [{ op: 'Loop', inputs: ['count', 'true'], outputs: ['y'], attributes: { body } }],
    }), { seed: 2 })
    using model = await compile(graph)
    const runs = [model.run({}).y?.data, model.run({}).y?.data]
    expect(runs).toEqual([0, 3].map((begin) => Float32Array.from([0, 1, 2].flatMap((step) => [...uniforms(2, begin + step, 0, 2)]))))
    expectError(() => model.stream(), 'UNSUPPORTED', /random 'u.*' draws random numbers/)
  })

  it('are refused without a seed, with another dtype, and by streams', async () => {
    const refused = "onnx: the model asks for what is not supported: node 'y'"
    expectError(() => read('RandomNormal', { shape: [2] }, undefined, {}), 'UNSUPPORTED', `${refused} (RandomNormal): it draws random numbers, which takes a seed: load(source, { seed: 1 })`)
    expectError(() => read('RandomNormal', { shape: [2] }, undefined, { seed: 0.5 }), 'VALUE', "ONNX: expected a whole number from -2147483648 to 2147483647 for 'seed', got 0.5")
    expectError(() => read('RandomUniformLike', { dtype: 6 }, [2]), 'UNSUPPORTED', `${refused} (RandomUniformLike): random numbers of dtype int32 is not supported`)
    expectError(() => read('Multinomial', { dtype: 1 }, [2, 2]), 'UNSUPPORTED', `${refused} (Multinomial): a dtype that is no integer is not supported`)
    using model = await compile(read('RandomUniformLike', {}, ['batch', 'time', 3]))
    expectError(() => model.stream(), 'UNSUPPORTED', "stream: random 'y_2' draws random numbers for all timesteps at once; run the model whole: model.run(inputs)")
    expectError(() => model.streams(2), 'UNSUPPORTED', /draws random numbers/)
  })
})
