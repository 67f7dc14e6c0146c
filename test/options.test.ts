// Every public call refuses options that it does not know, and values of another type, by one mechanism.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { readTensorflow1, tensorflow1StateDict } from '../src/formats/tf1/reader.ts'
import { readKeras } from '../src/formats/keras/index.ts'
import { readOnnx } from '../src/formats/onnx/index.ts'
import { onlyBytes } from '../src/formats/reader.ts'
import { readRtneural } from '../src/formats/rtneural/reader.ts'
import { readTfjs } from '../src/formats/tfjs/index.ts'
import { readTorch } from '../src/formats/torch/reader.ts'
import { LstmError } from '../src/errors.ts'
import { compile, createRuntime, load, readGraph, type Graph, type Model } from '../src/index.ts'
import { activation, dense, dropout, embedding, input, lstm, sequential } from '../src/layers/index.ts'
import { checkNames, FLAG, nearest, readOptions, TEXT, type OptionTable } from '../src/options.ts'
import { createWorkletOptions } from '../src/worklet/index.ts'
import { expectError, expectRejection } from './expect-error.ts'
import { torchLstm } from './streams/models.ts'

const FILE = fileURLToPath(new URL('golden/state-dicts/lstm-1layer.safetensors', import.meta.url))
const none = new Uint8Array()
let model: Model
let net: ReturnType<typeof sequential>
let graph: Graph

beforeAll(async () => {
  const runtime = await createRuntime()
  graph = torchLstm(3, 5, 1)
  model = await compile(graph, { runtime })
  net = sequential([lstm(5)])
})

const inputs = { input: new Float32Array(3) }
type Call = (options: never) => unknown

/** A public call: how messages name it, a call with options, and values that each option refuses. */
const DOORS: readonly (readonly [what: string, call: Call, wrong: Readonly<Record<string, readonly unknown[]>>])[] = [
  ['load', (options) => load(FILE, options), {
    runtime: [5, {}, Promise.resolve()], streams: [true, {}], signal: [5, {}, 'stop'], onProgress: [{}, 'log'], files: ['x', [none], new Map()], readers: [{}, [{}], 'onnx'],
    constants: [5, [1], new Map()], unbatched: [1, 'true'], architecture: [5, true, []], key: [5, {}], forgetBias: ['0', NaN, null], activation: [5, {}],
    cellClip: [-1, '1', Infinity], projClip: [-1, true], cells: [{}, 'x'], residual: [1], timeMajor: ['yes'], sequenceLength: [0],
    sampleRate: ['48000'], trainingSampleRate: [{}], sampleRateCorrection: ['Lin', 1], dialect: ['keras4', 3],
  }],
  ['readGraph', (options) => readGraph(FILE, options), { onProgress: [1], unbatched: [null], constants: [5] }],
  ['compile', (options) => compile(graph, options), { runtime: [null, 'simd'], streams: [null, 'all', []] }],
  ['createRuntime', (options) => createRuntime(options), { variant: ['wasm', 5], maxMemoryBytes: ['1', 5, null], module: [none, {}] }],
  ['run', (options) => model.run(inputs, options), { into: [5, 'output'] }],
  ['runAsync', (options) => model.runAsync(inputs, options), { into: [5, null], signal: [{}, true], onProgress: ['log'] }],
  ['stream', (options) => model.stream(options), { batch: ['2', 0, 1.5], chunk: [0, null, '9'], carry: [3, true, []], sizes: [5, { samples: '5' }, { samples: 0 }] }],
  ['streams', (options) => model.streams(4, options), { carry: [3], sizes: [[]] }],
  ['createWorkletOptions', (options) => createWorkletOptions(model, options), { channels: [0, '1', 33] }],
  ['lstm', (options) => lstm(5, options), { name: [5], returnSequences: [1], numLayers: ['2'], bias: [0], forgetBias: ['0', NaN], clip: [-1], coupling: ['both'], activations: [['tanh']], mask: [1, ''], activation: [5] }],
  ['dense', (options) => dense(5, options), { name: [5], bias: ['no'], activation: [5, []], inputSize: [0] }],
  ['embedding', (options) => embedding(5, 5, options), { name: [5] }],
  ['activation', (options) => activation('relu', options), { name: [5] }],
  ['dropout', (options) => dropout(0.5, options), { name: [{}] }],
  ['input', (options) => input([5], options), { name: [null], dtype: ['float64', 5] }],
  ['sequential', (options) => sequential([lstm(5)], options), { input: [5], output: [[]], unbatched: ['yes'] }],
  ['loadStateDict', (options) => net.loadStateDict({}, options), { names: [5, ['a'], { lstm: 5 }], ignore: ['scale', [5]] }],
  ['ONNX', (options) => readOnnx(none, options), { constants: [5], files: [{}] }],
  ['Keras', (options) => readKeras(none, options), { constants: ['x'], architecture: [5] }],
  ['TensorFlow.js', (options) => readTfjs(onlyBytes(none), options), { constants: [null], architecture: [[]] }],
  ['PyTorch', (options) => readTorch(none, options), { key: [5], only: [['a']] }],
  ['TensorFlow 1', (options) => readTensorflow1(none, options), { forgetBias: ['0'], activation: [null], cells: [{}] }],
  ['tensorflow1StateDict', (options) => tensorflow1StateDict(new Map(), options), { lstm: [[]], dense: ['x'], embedding: [5], forgetBias: ['1'] }],
  ['RTNeural', (options) => readRtneural(none, options), { sampleRate: ['x'], unbatched: [1], sampleRateCorrection: ['x'] }],
]

/** What a call throws, or its promise rejects with. */
async function errorOf(call: Call, options: unknown): Promise<unknown> {
  try {
    await call(options as never)
  } catch (error) {
    return error
  }
  return undefined
}

describe.each(DOORS)('%s', (what, call, wrong) => {
  it('refuses options that it does not know, with the one that was meant', async () => {
    const [name] = Object.keys(wrong) as [string]
    for (const slip of [`${name}s`, name.slice(0, -1), name.toUpperCase()]) {
      const error = await errorOf(call, { [slip]: 1 })
      expect(error).toBeInstanceOf(LstmError)
      expect((error as LstmError).code).toBe('VALUE')
      expect((error as LstmError).message).toMatch(new RegExp(`^${what}: no option '${slip}' \\(did you mean '\\w+'\\?\\); options are .*\\b${name}\\b`))
    }
    const both = await errorOf(call, { zzzzzzzzzzzzzzzz: 1, toString: 2 })
    expect((both as LstmError).message).toMatch(new RegExp(`^${what}: no option 'zzzzzzzzzzzzzzzz', 'toString'; options are `))
  })

  it.each([['null', null], ['a number', 5], ['a list', []], ['text', 'x'], ['a typed array', new Float32Array(1)], ['a promise', Promise.resolve({})]])('refuses %s for options', async (_name, options) => {
    expect(await errorOf(call, options)).toMatchObject({ name: 'LstmError', code: 'VALUE', message: expect.stringMatching(`^${what}: expected an object with options, got `) as string })
  })

  it.each(Object.entries(wrong).flatMap(([name, values]) => values.map((value) => [name, value] as const)))('refuses %s: %o', async (name, value) => {
    const error = await errorOf(call, { [name]: value })
    expect(error).toMatchObject({ name: 'LstmError', code: 'VALUE', message: expect.stringMatching(`^${what}: expected .+ for '${name}', got `) as string })
  })

  it('takes options that are undefined as none', async () => {
    const given = Object.fromEntries([...Object.keys(wrong), 'toString'].map((name) => [name, undefined]))
    const [error, without] = [await errorOf(call, given), await errorOf(call, undefined)]
    expect((error as LstmError | undefined)?.message).toBe((without as LstmError | undefined)?.message)
  })
})

describe('options', () => {
  interface Options { readonly name?: string, readonly isOpen?: boolean }
  const table: OptionTable<Options> = { name: TEXT, isOpen: FLAG }

  it('are read once each, from the object or what it was made of, and copied', () => {
    let reads = 0
    const given = Object.create({ isOpen: true }, { name: { enumerable: true, get: () => `${++reads}` } }) as Options
    expect(readOptions(given, table, 'test')).toEqual({ name: '1', isOpen: true })
    expect(reads).toBe(1)
  })

  it('of a name that objects have are unknown', () => {
    for (const name of ['toString', 'constructor', '__proto__']) {
      expectError(() => readOptions(JSON.parse(`{"${name}":1}`), table, 'test'), 'VALUE', `test: no option '${name}'; options are name, isOpen`)
    }
    expect(({} as Record<string, unknown>).name).toBe(undefined)
  })

  it('with long names are told by their beginning', () => {
    const slip = { ['n'.repeat(100_000)]: 1 }
    expectError(() => checkNames(slip, table, 'test'), 'VALUE', `test: no option '${'n'.repeat(40)}'; options are name, isOpen`)
  })

  it('suggest what is near in any case, letters that changed places too, and nothing that is not', () => {
    expect([nearest('rnu', ['run']), nearest('tmiesteps', ['timesteps']), nearest('d', ['a', 'b'])]).toEqual(['run', 'timesteps', undefined])
    const words = ['forgetBias', 'files', 'key']
    expect(['forgetbias', 'forget_bias', 'fils', 'kye', 'ke', 'bias', 'x', ''].map((word) => nearest(word, words))).toEqual([
      'forgetBias', 'forgetBias', 'files', 'key', 'key', undefined, undefined, undefined,
    ])
  })
})

describe('Keras weights', () => {
  it('take their architecture as text, or parsed: the same graph', async () => {
    const path = fileURLToPath(new URL('golden/keras3/go-backwards.weights.h5', import.meta.url))
    const text = await readFile(path.replace('weights.h5', 'json'), 'utf8')
    const expected = await readGraph(path, { architecture: text })
    expect(await readGraph(path, { architecture: JSON.parse(text) as object })).toEqual(expected)
    const loop: Record<string, unknown> = {}
    loop.loop = loop
    await expectRejection(readGraph(path, { architecture: loop }), 'VALUE', /^Keras: expected what model.to_json\(\) gave for 'architecture', got an object that is no JSON/)
  })
})

it('sizes that no input asks for are refused by name', () => {
  expectError(() => model.stream({ sizes: { samples: 5 } }), 'VALUE', "stream: no size 'samples' for 'sizes'; none is asked for (how many sequences there are is the option batch)")
  expectError(() => model.streams(2, { sizes: { batch: 5 } }), 'VALUE', "streams: no size 'batch' for 'sizes'; none is asked for (how many sequences there are is the option batch)")
})

it('compile refuses what is neither graph nor layers', async () => {
  for (const [source, got] of [[5, '5'], [null, 'null'], [{}, 'Object'], [undefined, 'undefined']] as const) {
    await expectRejection(compile(source as Graph), 'VALUE', `compile: expected a graph, or layers with weights (sequential([...]).loadStateDict(...)), got ${got}`)
  }
})
