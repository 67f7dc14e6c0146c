// The same LSTMs as test/python/golden_lstm.py runs in PyTorch, on every binary, through the public API.
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSafetensors } from '../src/formats/safetensors/safetensors.ts'
import { compile, load, NdArray, type Model, type Runtime } from '../src/index.ts'
import { dense, embedding, lstm, sequential } from '../src/layers/index.ts'
import { lstmGraph, randomLstm, referenceCells } from './lstm-graph.ts'
import { pseudoRandom } from './random.ts'
import { referenceLstm, type ReferenceResult } from './reference.ts'
import { float64Distance, PYTORCH_DISTANCE, REFERENCE_DISTANCE } from './tolerance.ts'
import { BINARIES, describeBinaries, runtimeOf } from './variants.ts'

type Result = 'output' | 'h_n' | 'c_n'
const RESULTS: readonly Result[] = ['output', 'h_n', 'c_n']

interface Case {
  readonly name: string
  readonly seed: number
  readonly layers: number
  readonly bidirectional: boolean
  readonly bias: boolean
  readonly hiddenSize: number
  readonly inputSize: number
  readonly batch: number
  readonly timesteps: number
  readonly batchFirst: boolean
  readonly initialState: boolean
  readonly outputLength: number
  readonly outputStride: number
  readonly stateStride: number
  /** Distance of PyTorch's float32 from its float64. */
  readonly torchDistance: Readonly<Record<Result, number>>
}

/** For titles: vitest cuts `$name` short, `%s` not. */
const named = (all: readonly Case[]): [string, Case][] => all.map((test) => [test.name, test])

const folder = new URL('golden/', import.meta.url)
const golden = readSafetensors(readFileSync(new URL('lstm-pytorch.safetensors', folder)))
const { cases } = JSON.parse(golden.metadata.get('lstm-golden') as string) as { cases: Case[] }

/** The LSTM of a case, what goes into it, and PyTorch's samples of what comes out. */
function setUp(test: Case) {
  const { seed, layers, inputSize, hiddenSize, bidirectional, bias, batch, timesteps, batchFirst } = test
  const shape = { inputSize, hiddenSize, numLayers: layers, bidirectional, bias }
  const tensors = randomLstm(shape, seed * 1000)
  const inputSeed = seed * 1000 + tensors.size
  const x = pseudoRandom(inputSeed, batch * timesteps * inputSize, 2)
  const stateShape = [layers * (bidirectional ? 2 : 1), batch, hiddenSize]
  const state = (offset: number): NdArray<'float32'> | undefined => (
    test.initialState ? new NdArray(pseudoRandom(inputSeed + offset, stateShape[0] as number * batch * hiddenSize, 1), stateShape) : undefined
  )
  const [h0, c0] = [state(1), state(2)]
  return {
    graph: lstmGraph(tensors, !batchFirst),
    inputs: {
      input: new NdArray(x, [...(batchFirst ? [batch, timesteps] : [timesteps, batch]), inputSize]),
      ...(h0 && c0 && { h_0: h0, c_0: c0 }),
    },
    reference: () => referenceLstm(referenceCells(tensors, shape), hiddenSize, {
      batch, timesteps, timeMajor: !batchFirst, x, h0: h0?.data, c0: c0?.data,
    }),
  }
}

function samples(test: Case, result: Result): Float32Array {
  return golden.tensors.get(`${test.name}/${result}`)?.data as Float32Array
}

function strideOf(test: Case, result: Result): number {
  return result === 'output' ? test.outputStride : test.stateStride
}

/** The largest |got[n * stride] - expected[n]|; NaN where one is NaN. */
function distance(got: ArrayLike<number>, expected: ArrayLike<number>, stride: number = 1): number {
  let largest = 0
  for (let n = 0; n < expected.length; n++) {
    const apart = Math.abs((got[n * stride] as number) - (expected[n] as number))
    if (!(apart <= largest)) largest = apart
  }
  return largest
}

/** One reference for all binaries: it takes longer than they do. */
const references: Map<string, ReferenceResult> = new Map()
function referenceOf(test: Case): ReferenceResult {
  const reference = references.get(test.name) ?? setUp(test).reference()
  references.set(test.name, reference)
  return reference
}

interface Measured {
  readonly case: string
  readonly binary: string
  readonly result: Result
  readonly float64: number
  readonly pytorch: number
}

const measured: Measured[] = []

/** With LSTM_REPORT=1: a line for every case and binary, and the largest distances. */
afterAll(() => {
  if (process.env.LSTM_REPORT !== '1') return
  const line = ({ binary, result, float64, pytorch }: Measured): string => (
    `${binary.padEnd(13)} ${result.padEnd(6)} to float64 ${float64.toExponential(2)}   to PyTorch ${pytorch.toExponential(2)}`
  )
  for (const row of measured) console.log(`${line(row)}   ${row.case}`)
  for (const { name } of BINARIES) {
    for (const result of RESULTS) {
      const rows = measured.filter((row) => row.binary === name && row.result === result)
      const largest = (key: 'float64' | 'pytorch'): number => Math.max(...rows.map((row) => row[key]))
      console.log(`${line({ case: '', binary: name, result, float64: largest('float64'), pytorch: largest('pytorch') })}   largest`)
    }
  }
})

it('the golden file holds a spread of cases, each with all of its samples', () => {
  expect(cases.length).toBeGreaterThanOrEqual(60)
  for (const key of ['bidirectional', 'bias', 'batchFirst', 'initialState'] as const) {
    expect(new Set(cases.map((test) => test[key])), key).toEqual(new Set([false, true]))
  }
  for (const test of cases) {
    const stateLength = test.layers * (test.bidirectional ? 2 : 1) * test.batch * test.hiddenSize
    expect(samples(test, 'output').length, test.name).toBe(Math.ceil(test.outputLength / test.outputStride))
    expect(samples(test, 'h_n').length, test.name).toBe(Math.ceil(stateLength / test.stateStride))
    expect(samples(test, 'c_n').length, test.name).toBe(Math.ceil(stateLength / test.stateStride))
  }
})

describe('the float64 reference', () => {
  it.each(named(cases))("is as far from PyTorch's float32 as PyTorch's float64 is: %s", (_name, test) => {
    const reference = referenceOf(test)
    for (const result of RESULTS) {
      const bound = test.torchDistance[result] + REFERENCE_DISTANCE
      expect(distance(reference[result], samples(test, result), strideOf(test, result)), result).toBeLessThanOrEqual(bound)
    }
  })
})

describeBinaries('PyTorch', (binary) => {
  let runtime: Runtime
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
  })

  it.each(named(cases))('%s', async (_name, test) => {
    const { graph, inputs } = setUp(test)
    const model = await compile(graph, { runtime })
    const outputs = model.run(inputs)
    model.dispose()
    const reference = referenceOf(test)
    for (const result of RESULTS) {
      const got = (outputs[result] as NdArray).data
      const float64 = distance(got, reference[result])
      const pytorch = distance(got, samples(test, result), strideOf(test, result))
      measured.push({ case: test.name, binary: binary.name, result, float64, pytorch })
      expect(got.length, result).toBe(reference[result].length)
      expect(pytorch, `${result}: distance from PyTorch`).toBeLessThanOrEqual(PYTORCH_DISTANCE)
      expect(float64, `${result}: distance from float64`).toBeLessThanOrEqual(float64Distance(test.torchDistance[result]))
    }
  })

  it('has given all memory back', () => {
    expect(runtime.memory()).toMatchObject({ usedBytes: 0, tensors: 0 })
  })
})

describe.skipIf(BINARIES.length < 2)('simd.wasm and debug.wasm, one source compiled in two ways', () => {
  const small = cases.filter((test) => test.outputLength <= 2000)
  it.each(named(small))('give the same bits: %s', async (_name, test) => {
    const { graph, inputs } = setUp(test)
    const [first, second] = await Promise.all(BINARIES.filter(({ name }) => name !== 'relaxed-simd').map(async (binary) => {
      const model = await compile(graph, { runtime: await runtimeOf(binary) })
      return RESULTS.map((result) => new Uint8Array((model.run(inputs)[result] as NdArray).data.buffer))
    }))
    expect(first).toHaveLength(3)
    expect(first).toEqual(second)
  })
})

type Tree = number | Tree[]

interface Expected {
  readonly shape: Readonly<Record<'input' | Result, number[]>>
  readonly input: Tree
  readonly output: Tree
  readonly h_n: Tree
  readonly c_n: Tree
}

const stateDicts = new URL('state-dicts/', folder)
const expectedByFile = JSON.parse(readFileSync(new URL('expected.json', stateDicts), 'utf8')) as Record<string, Expected>

describeBinaries('a state dict', (binary) => {
  let runtime: Runtime
  const bytesOf = (file: string): Uint8Array => readFileSync(new URL(file, stateDicts))
  const tensorsOf = (file: string): ReadonlyMap<string, NdArray> => readSafetensors(bytesOf(file)).tensors
  const expectedOf = (file: string): Expected => expectedByFile[file] as Expected
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
  })

  function inputOf(file: string, dtype: 'float32' | 'int32' = 'float32'): NdArray {
    return NdArray.from(expectedOf(file).input, dtype)
  }

  function check(outputs: Readonly<Record<string, NdArray>>, names: Readonly<Record<Result, string>>, file: string): void {
    const expected = expectedOf(file)
    for (const result of RESULTS) {
      const got = outputs[names[result]] as NdArray
      expect(got.shape, result).toEqual(expected.shape[result])
      expect(distance(got.data, NdArray.from(expected[result]).data), result).toBeLessThanOrEqual(PYTORCH_DISTANCE)
    }
  }

  function runClassifier(model: Model, file: string): void {
    check(model.run({ input: inputOf(file, 'int32') }), { output: 'output', h_n: 'lstm_h', c_n: 'lstm_c' }, file)
  }

  const loadable = ['lstm-1layer', 'lstm-2layer-bidirectional', 'lstm-nobias', 'lstm-prefixed', 'lstm-f64'].map((name) => `${name}.safetensors`)
  it.each(loadable)('that is one LSTM is loaded: %s', async (file) => {
    const model = await load(bytesOf(file), { runtime })
    check(model.run({ input: inputOf(file) }), { output: 'output', h_n: 'h_n', c_n: 'c_n' }, file)
  })

  const classifiers = ['classifier', 'classifier-f16', 'classifier-bf16'].map((name) => `${name}.safetensors`)
  it.each(classifiers)('of several modules is loaded into layers: %s', async (file) => {
    const net = sequential([
      embedding(11, 3, { name: 'embed' }),
      lstm(5, { name: 'lstm', numLayers: 2, returnSequences: true, returnState: true }),
      dense(4, { name: 'fc' }),
    ]).loadStateDict(tensorsOf(file))
    runClassifier(await compile(net, { runtime }), file)
  })

  it('of two LSTMs does not say how they are connected', async () => {
    await expect(load(bytesOf('two-lstms.safetensors'), { runtime })).rejects.toMatchObject({ name: 'LstmError', code: 'UNSUPPORTED' })
  })

  it('of two LSTMs runs as two models, the states handed on', async () => {
    const file = 'two-lstms.safetensors'
    const all = tensorsOf(file)
    const tensorsNamed = (...prefixes: string[]): Map<string, NdArray> => (
      new Map([...all].filter(([name]) => prefixes.some((prefix) => name.startsWith(prefix))))
    )
    const options = { returnSequences: true, returnState: true }
    const encoder = await compile(
      sequential([lstm(5, { ...options, name: 'encoder' })]).loadStateDict(tensorsNamed('encoder.')), { runtime },
    )
    const decoder = await compile(
      sequential([lstm(5, { ...options, name: 'decoder', initialState: true }), dense(4, { name: 'out' })])
        .loadStateDict(tensorsNamed('decoder.', 'out.')),
      { runtime },
    )
    const encoded = encoder.run({ input: inputOf(file) }) as Record<'output' | 'encoder_h' | 'encoder_c', NdArray>
    const decoded = decoder.run({ input: encoded.output, decoder_h0: encoded.encoder_h, decoder_c0: encoded.encoder_c })
    check(decoded, { output: 'output', h_n: 'decoder_h', c_n: 'decoder_c' }, file)
  })

  it('is tested whatever file there is', () => {
    const tested = [...loadable, ...classifiers, 'two-lstms.safetensors'].sort()
    expect(readdirSync(stateDicts).filter((file) => file.endsWith('.safetensors')).sort()).toEqual(tested)
    expect(Object.keys(expectedByFile).sort()).toEqual([...tested, 'versions'].sort())
  })
})
