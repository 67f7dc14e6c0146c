// quantize: what it changes, what it leaves and why, and that files keep it.
import { describe, expect, it } from 'vitest'
import { load } from '../../src/model/load.ts'
import { formatReport, quantize } from '../../src/quantization/index.ts'
import { HalfWeights, Int8Weights, roundToHalf } from '../../src/ops/products/narrow-weights.ts'
import { readSafetensors } from '../../src/formats/safetensors/safetensors.ts'
import { writeSafetensors } from '../../src/formats/safetensors/writer.ts'
import { dense, lstm, sequential } from '../../src/layers/index.ts'
import type { Graph } from '../../src/graph/graph.ts'
import type { Constant } from '../../src/ops/constant.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError, expectRejection } from '../expect-error.ts'
import { denseWeights, lstmWeights, random } from '../weights.ts'
import { GRAPHS, oneNode } from './graphs.ts'

/** 13 features, an LSTM of 40 units, 5 classes. */
const net = (): Graph => sequential([lstm({ inputSize: 13, hiddenSize: 40 }), dense({ inputSize: 40, units: 5 })])
  .loadStateDict(Object.fromEntries([...lstmWeights('lstm', 13, 40), ...denseWeights('dense', 40, 5)])).toGraph()
const x = random(1, 3, 9, 13)
const storage = (graph: Graph): (string | undefined)[] => [...graph.constants.values()].map((constant) => (constant as Constant).storage)

describe('int8', () => {
  it('makes integers of -127 to 127 of the weights, with a scale for each output; biases stay', async () => {
    const graph = net()
    const { model, report } = await quantize(graph)
    for (const [name, constant] of model.toGraph().constants) {
      const before = graph.constants.get(name) as NdArray
      if (before.shape.length === 1) {
        expect(constant).toBe(before)
        continue
      }
      const { q, scales, axis } = constant as Int8Weights
      expect([axis, scales.length]).toEqual([0, before.shape[0]])
      const k = before.shape[1] as number
      for (let row = 0; row < scales.length; row++) {
        const own = before.data.subarray(row * k, (row + 1) * k)
        const integers = q.subarray(row * k, (row + 1) * k)
        expect(Math.max(...integers.map(Math.abs))).toBe(127)
        const half = (scales[row] as number) * 0.5001
        own.forEach((value, n) => expect(Math.abs(value - (integers[n] as number) * (scales[row] as number))).toBeLessThanOrEqual(half))
      }
    }
    expect(report.layers.map(({ name, dtype, kept }) => [name, dtype, kept])).toEqual([['lstm', 'int8', undefined], ['dense', 'int8', undefined]])
    expect(report.bytesAfter / report.bytesBefore).toBeLessThan(0.35)
    expect(report.change).toBeUndefined()
    model.dispose()
  })

  it('leaves the model it was given as it was', async () => {
    const graph = net()
    const before = [...graph.constants].map(([name, { data }]) => [name, data.slice()] as const)
    const { model } = await quantize(graph)
    for (const [name, data] of before) expect(graph.constants.get(name)?.data).toEqual(data)
    model.dispose()
  })

  it('is saved, and loaded back the same: bits, constants, words', async () => {
    const { model } = await quantize(net())
    const bytes = model.save()
    using again = await load(bytes)
    expect((again.run({ input: x }) as Record<string, unknown>)).toEqual(model.run({ input: x }))
    expect(storage(again.toGraph())).toEqual(storage(model.toGraph()))
    expect(Buffer.compare(again.save(), bytes)).toBe(0)
    expect(again.summary()).toContain('40 units, last step, int8')
    // To other programs, plain tensors: the integers, and their scales.
    const { tensors } = readSafetensors(bytes)
    expect(tensors.get('lstm.weight_ih_l0')?.shape).toEqual([160, 13])
    model.dispose()
  })

  it('takes at most 27 % of the file, where layers are not tiny', async () => {
    const weights = Object.fromEntries(lstmWeights('lstm', 256, 256))
    const graph = sequential([lstm({ inputSize: 256, hiddenSize: 256 })]).loadStateDict(weights).toGraph()
    const { model } = await quantize(graph)
    using whole = await load((await import('../../src/formats/safetensors/save.ts')).saveGraph(graph))
    expect(model.save().length / whole.save().length).toBeLessThan(0.27)
    model.dispose()
    const { model: half } = await quantize(graph, { dtype: 'float16' })
    expect(half.save().length / whole.save().length).toBeLessThan(0.52)
    half.dispose()
  })

  it('says how far the outputs moved on data, and for each layer alone', async () => {
    const { model, report } = await quantize(net(), { data: [{ input: x }, { input: random(2, 1, 4, 13) }] })
    const change = report.change?.output
    expect(change?.most).toBeGreaterThan(0)
    expect(change?.rms).toBeLessThan(change?.most as number)
    expect(change?.relative).toBeLessThan(0.02)
    for (const { error, range, microsecondsBefore } of report.layers) {
      expect(error).toBeGreaterThan(0)
      expect(range).toBeGreaterThan(0)
      expect(microsecondsBefore).toBeGreaterThan(0)
    }
    const text = formatReport(report)
    expect(text).toMatch(/^layer\s+weights\s+range\s+output error\s+bytes\s+time here\n/)
    expect(text).toContain('output output: moved by ')
    model.dispose()
  })

  it('keeps layers that are named, and those that would move the outputs too far, and says so', async () => {
    const { model, report } = await quantize(net(), { keep: ['dense'] })
    expect(report.layers.map(({ kept }) => kept)).toEqual([undefined, 'asked to'])
    model.dispose()
    const { report: { layers } } = await quantize(net(), { data: { input: x } })
    const errors = layers.map(({ error }) => error)
    const [worst, best] = errors[0] as number > (errors[1] as number) ? [0, 1] : [1, 0]
    const limit = ((errors[0] as number) + (errors[1] as number)) / 2
    const strict = await quantize(net(), { data: { input: x }, maxError: limit })
    expect(strict.report.layers[worst]?.kept).toMatch(/^would cost too much \(/)
    expect(strict.report.layers[best]?.kept).toBeUndefined()
    expect(strict.report.change?.output?.relative).toBeLessThanOrEqual(limit)
    expect(formatReport(strict.report)).toContain(`${strict.report.layers[worst]?.name} stays float32: would cost too much`)
    strict.model.dispose()
  })

  it('leaves what cannot be, each with its reason', async () => {
    const bad = random(3, 12, 16)
    bad.data[5] = Infinity
    const graph: Graph = {
      inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 16] }],
      outputs: [{ name: 'y', value: 'y4' }],
      nodes: [
        { name: 'a', op: 'linear', inputs: ['x'], outputs: ['y1'], parameters: { weight: 'good' }, attributes: {} },
        { name: 'b', op: 'linear', inputs: ['x'], outputs: ['y2'], parameters: { weight: 'bad' }, attributes: {} },
        { name: 'c', op: 'add', inputs: ['y1', 'y2'], outputs: ['y3'], parameters: {}, attributes: {} },
        { name: 'd', op: 'mul', inputs: ['y3', 'matrix'], outputs: ['y4'], parameters: {}, attributes: {} },
      ],
      constants: new Map([['good', random(4, 12, 16)], ['bad', bad], ['matrix', random(5, 1, 12)]]),
    }
    const { model, report } = await quantize(graph)
    expect(report.layers.map(({ name, kept }) => [name, kept])).toEqual([
      ['a', undefined], ['b', 'has a weight that is not a finite number'], ['d', 'mul has no way to multiply by 8 bits'],
    ])
    model.dispose()
  })

  it('weights that are all zeros are zeros', async () => {
    const constants = { w: new NdArray(new Float32Array(27), [3, 9]), b: random(6, 3) }
    const { model } = await quantize(oneNode('linear', ['batch', 9], constants, {}, { weight: 'w', bias: 'b' }))
    expect((model.run({ x: random(7, 2, 9) }).y as NdArray).data.slice(0, 3)).toEqual(random(6, 3).data)
    model.dispose()
  })

  it('weights whose scale is no normal number keep their signs', async () => {
    const tiny = Float32Array.from({ length: 18 }, (_, n) => (n % 2 === 0 ? 2e-43 : -2e-43))
    const { model } = await quantize(oneNode('linear', ['batch', 9], { w: new NdArray(tiny, [2, 9]) }, {}, { weight: 'w' }))
    const { q } = model.toGraph().constants.get('w') as Int8Weights
    expect([...q]).toEqual(Array.from(tiny, (value) => Math.sign(value) * 127))
    model.dispose()
  })

  it('a table whose rows are looked up is stored so, and widened when it is loaded; what is looked up along another axis stays', async () => {
    const table = random(10, 29, 17)
    const graph = (axis: number): Graph => oneNode('gather', ['batch'], { w: table }, { axis }, {}, ['w', 'x'], 'int32')
    const { model, report } = await quantize(graph(0))
    expect(report.layers.map(({ dtype }) => dtype)).toEqual(['int8 widened'])
    using again = await load(model.save())
    expect(storage(again.toGraph())).toEqual(['int8 widened'])
    const rows = again.run({ x: Int32Array.of(3, 28) }).y as NdArray
    expect(rows.data).toEqual(new NdArray(again.toGraph().constants.get('w')?.data as Float32Array, [29, 17]).data.filter((_, n) => [3, 28].includes(Math.floor(n / 17))))
    rows.data.forEach((value, n) => expect(Math.abs(value - (table.data[(n < 17 ? 3 : 28) * 17 + n % 17] as number))).toBeLessThan(1 / 254 + 1e-6))
    model.dispose()
    await expectRejection(quantize(graph(1)), 'UNSUPPORTED', "quantize: no weights can be int8: 'layer' gather has no way to multiply by 8 bits")
  })

  it('weights that a kept layer shares stay for the other one, too', async () => {
    const graph: Graph = {
      inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 16] }],
      outputs: [{ name: 'y', value: 'y3' }],
      nodes: ['a', 'b', 'c'].map((name, n) => (
        { name, op: 'linear', inputs: [n === 0 ? 'x' : `y${n}`], outputs: [`y${n + 1}`], parameters: { weight: name === 'c' ? 'own' : 'shared' }, attributes: {} }
      )),
      constants: new Map([['shared', random(8, 16, 16)], ['own', random(9, 16, 16)]]),
    }
    const { model, report } = await quantize(graph, { keep: ['b'] })
    expect(report.layers.map(({ kept }) => kept)).toEqual(["shares its weights with 'b', which was asked to stay", 'asked to', undefined])
    expect(storage(model.toGraph())).toEqual([undefined, 'int8'])
    model.dispose()
  })

  it('weights that layers share along two axes stay float32 for the second', async () => {
    const graph: Graph = {
      inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 16] }],
      outputs: [{ name: 'y', value: 'y2' }],
      nodes: [
        { name: 'a', op: 'linear', inputs: ['x'], outputs: ['y1'], parameters: { weight: 'w' }, attributes: {} },
        { name: 'b', op: 'matMul', inputs: ['y1', 'w'], outputs: ['y2'], parameters: {}, attributes: {} },
      ],
      constants: new Map([['w', random(8, 16, 16)]]),
    }
    const { model, report } = await quantize(graph)
    expect(report.layers.map(({ kept }) => kept)).toEqual([undefined, 'shares its weights with a layer that has its outputs along another axis'])
    expect((model.run({ x: random(9, 2, 16) }).y as NdArray).data.every(Number.isFinite)).toBe(true)
    model.dispose()
  })
})

describe('float16', () => {
  it('every half is itself, and what lies between goes to the nearest, to even where two are', () => {
    const halves = Uint16Array.from({ length: 65536 }, (_, n) => n)
    const { tensors } = readSafetensors(halvesFile(halves))
    const numbers = (tensors.get('x') as NdArray).data
    expect(numbers.filter((value) => !Object.is(roundToHalf(value), value) && !Number.isNaN(value))).toHaveLength(0)
    expect(numbers.filter(Number.isNaN)).toHaveLength(2 * 1023)
    const bytes = writeSafetensors(new Map([['x', new HalfWeights(numbers as Float32Array, [65536])]]))
    const back = new Uint16Array(bytes.buffer, bytes.length - 131072, 65536)
    expect(back.filter((half, n) => (Number.isNaN(numbers[n]) ? (half & 0x7fff) <= 0x7c00 : half !== n))).toHaveLength(0)
    const wrong = Array.from({ length: 0x7bff }, (_, n) => n).filter((n) => {
      const [low, high] = [numbers[n] as number, numbers[n + 1] as number]
      const middle = (low + high) / 2
      return roundToHalf(middle) !== (n % 2 === 0 ? low : high) || roundToHalf(middle + (high - low) / 8) !== high
        || roundToHalf(-middle + (high - low) / 8) !== -low
    })
    expect(wrong).toEqual([])
    expect([65519.99, 65520, -65520, 1e-8, -1e-9, NaN].map(roundToHalf)).toEqual([65504, Infinity, -Infinity, 0, -0, NaN])
  })

  it('weights of every layer are halves, and the numbers are those of float32 with them', async () => {
    const { model, report } = await quantize(net(), { dtype: 'float16', data: { input: x } })
    expect(report.layers.map(({ dtype }) => dtype)).toEqual(['float16', 'float16'])
    expect(report.change?.output?.relative).toBeLessThan(1e-3)
    using again = await load(model.save())
    expect(again.run({ input: x })).toEqual(model.run({ input: x }))
    expect(again.summary()).toContain('float16')
    model.dispose()
  })

  it('a layer with a weight beyond 65504 stays as it is', async () => {
    const graph = net()
    ;(graph.constants.get('dense.weight') as NdArray).data[3] = 1e6
    const { model, report } = await quantize(graph, { dtype: 'float16' })
    expect(report.layers.map(({ kept }) => kept)).toEqual([undefined, 'has a weight beyond 65504'])
    model.dispose()
  })
})

/** A file of one tensor F16. */
function halvesFile(halves: Uint16Array): Uint8Array {
  const header = JSON.stringify({ x: { dtype: 'F16', shape: [halves.length], data_offsets: [0, 2 * halves.length] } }).padEnd(120)
  const bytes = new Uint8Array(128 + 2 * halves.length)
  bytes[0] = 120
  bytes.set(new TextEncoder().encode(header), 8)
  bytes.set(new Uint8Array(halves.buffer), 128)
  return bytes
}

describe('what cannot be', () => {
  it.each<[string, Parameters<typeof quantize>[1], string, string]>([
    ['data of another shape', { data: { input: random(1, 2, 3, 4) } }, 'SHAPE', "input 'input': expected float32 [batch, timesteps, 13], got [2, 3, 4]"],
    ['no data', { data: [] }, 'VALUE', 'quantize: expected data of one run at least, got an empty list'],
    ['NaN in the data', { data: [{ input: x }, { input: new NdArray(new Float32Array(13).fill(NaN, 4), [1, 1, 13]) }] }, 'VALUE', "quantize: data of run 1, input 'input': expected finite numbers, got NaN at element 4"],
    ['a layer that is not there', { keep: ['fc'] }, 'VALUE', "quantize: keep: no layer with weights is called 'fc'; there are 'lstm', 'dense'"],
    ['another dtype', { dtype: 'int4' as 'int8' }, 'VALUE', "quantize: expected 'int8' or 'float16' for 'dtype', got \"int4\""],
    ['a limit below zero', { maxError: -1 }, 'VALUE', "quantize: expected a number >= 0 for 'maxError', got -1"],
    ['everything kept', { keep: ['lstm', 'dense'] }, 'UNSUPPORTED', "quantize: no weights can be int8: 'lstm' asked to; 'dense' asked to"],
  ])('%s', async (_what, options, code, message) => {
    await expectRejection(quantize(net(), options), code as 'VALUE', message)
  })

  it('a model that is of 8 bits already, and one without weights', async () => {
    const { model } = await quantize(net())
    await expectRejection(quantize(model), 'VALUE', "quantize: expected a model with float32 weights, all of this one's are int8 already")
    model.dispose()
    await expectRejection(quantize(oneNode('relu', ['batch'], {})), 'UNSUPPORTED', 'quantize: the model has no weights')
  })

  it('an abort, between layers', async () => {
    const controller = new AbortController()
    const done: string[] = []
    const work = quantize(net(), {
      signal: controller.signal,
      onProgress: ({ layer }) => {
        done.push(layer)
        controller.abort()
      },
    })
    await expectRejection(work, 'ABORTED', 'quantize was aborted')
    expect(done).toEqual(['lstm'])
  })

  it('integers and scales that do not fit, in a constant and in a file', () => {
    expectError(() => new Int8Weights({ q: new Int8Array(6), scales: new Float32Array(3), axis: 0 }, [2, 3]), 'SHAPE', 'weights of 8 bits [2, 3]: expected 6 integers and 2 scales for axis 0, got 6 and 3')
    const bytes = writeSafetensors(new Map([['w', new Int8Weights({ q: new Int8Array(6), scales: new Float32Array(2), axis: 0 }, [2, 3])]]))
    const text = new TextDecoder('latin1').decode(bytes)
    const broken = Uint8Array.from(text.replace('"shape":[2,1]', '"shape":[1,2]'), (character) => character.charCodeAt(0))
    expectError(() => readSafetensors(broken), 'UNSUPPORTED', "safetensors: tensor 'w' has dtype I8, which needs float32 scales beside it, 'w.scale' with ones for all axes of [2, 3] but one, got [1, 2]")
    const alone = Uint8Array.from(text.replace('"w.scale"', '"w_scale"'), (character) => character.charCodeAt(0))
    expectError(() => readSafetensors(alone), 'UNSUPPORTED', "safetensors: tensor 'w' has dtype I8, which needs float32 scales beside it, 'w.scale' with ones for all axes of [2, 3] but one")
    expectError(() => writeSafetensors(new Map<string, Int8Weights | NdArray>([['w', new Int8Weights({ q: new Int8Array(6), scales: new Float32Array(2), axis: 0 }, [2, 3])], ['w.scale', random(1, 2)]])), 'VALUE', "safetensors: a tensor cannot be named 'w.scale'")
  })

  it('an axis of another length, or a single output', () => {
    const one = new Int8Weights({ q: Int8Array.of(1, -2, 3), scales: Float32Array.of(0.5), axis: 0 }, [1, 3])
    const { tensors } = readSafetensors(writeSafetensors(new Map([['w', one]])))
    expect([...(tensors.get('w') as NdArray).data]).toEqual([0.5, -1, 1.5])
    expect(GRAPHS.lstm).toBeDefined()
  })
})
