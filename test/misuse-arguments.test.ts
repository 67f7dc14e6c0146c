// Public functions with arguments that fit, of which one, or something inside of one, is replaced by what does not: an LstmError, or a result, never an
// error of the engine. misuse-types.test.ts gives whole arguments to all functions; here the others fit, so that the one that does not is looked at.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { toKeras, toOnnx, toStateDict } from '../src/export/index.ts'
import { compile, load, LstmError, NdArray, saveGraph } from '../src/index.ts'
import { dense, gru, input, lstm, sequential, simpleRnn } from '../src/layers/index.ts'
import { quantize } from '../src/quantization/index.ts'
import { tensorflow1StateDict } from '../src/readers/tensorflow1.ts'
import { decodeLine } from '../src/readers/tesseract.ts'
import { openShared, share, type SharedModel } from '../src/sharing/index.ts'
import { createTrainer, initialStateDict, resumeTrainer } from '../src/training/index.ts'
import { createWorkletNode } from '../src/worklet/index.ts'
import { expectRejection } from './expect-error.ts'
import { smallFile } from './formats/traineddata-writer.ts'

const detached = new Float32Array(3)
structuredClone(detached.buffer, { transfer: [detached.buffer] })

const JUNK: Readonly<Record<string, unknown>> = {
  undefined, 'null': null, '0': 0, '-1': -1, 'NaN': NaN, '1.5': 1.5, '1e300': 1e300, '2^53': 2 ** 53, 'text': 'x', '__proto__': '__proto__', 'true': true, 'a symbol': Symbol('s'), '10n': 10n,
  '[]': [], '[null]': [null], 'holes': new Array(3), '{}': {}, 'a date': new Date(0), 'a map': new Map(), 'a function': () => 1, 'no bytes': new Uint8Array(0), 'floats': new Float32Array(3),
  'a detached array': detached, 'an object without a prototype': Object.create(null) as unknown, 'an array of no shape': { dtype: 'float32', shape: [NaN], data: new Float32Array(1) },
}
const OF_THE_ENGINE = /is not a function|is not iterable|Cannot (read|convert|destructure|use)|undefined is not|is not defined/

type Callable = (...given: never[]) => unknown
type Step = string | number

const isPlain = (value: unknown): value is Record<Step, unknown> => typeof value === 'object' && value !== null && (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype)

/** The places in a value: itself, and its members, four deep. */
function placesIn(value: unknown, path: readonly Step[] = []): (readonly Step[])[] {
  return [path, ...isPlain(value) && path.length < 4 ? Object.keys(value).flatMap((name) => placesIn(value[name], [...path, name])) : []]
}

function replaced(value: unknown, [step, ...path]: readonly Step[], junk: unknown): unknown {
  if (step === undefined) return junk
  const copy = (Array.isArray(value) ? [...value as unknown[]] : { ...value as object }) as Record<Step, unknown>
  copy[step] = replaced(copy[step], path, junk)
  return copy
}

async function refusal(call: Callable, given: readonly unknown[]): Promise<string | undefined> {
  try {
    await call(...given as never[])
    return undefined
  } catch (error) {
    return error instanceof LstmError && !OF_THE_ENGINE.test(error.message) && error.message.length <= 4096 ? undefined : String(error)
  }
}

const net = sequential([input([4, 1]), lstm(3), dense(1)])
const tensors = initialStateDict(net.weightSpecs())
const loaded = net.loadStateDict(tensors)
const steps = sequential([lstm(3, { inputSize: 1, returnSequences: true }), dense(1)])
const stepping = steps.loadStateDict(initialStateDict(steps.weightSpecs()))
const kernel = new NdArray(new Float32Array(16), [4, 4])
const variables = new Map([['a/kernel', kernel], ['a/bias', new NdArray(new Float32Array(4), [4])]])
const trainer = await createTrainer(net, { loss: 'mse' })
const [x, y] = [new NdArray(new Float32Array(8), [2, 4, 1]), new Float32Array(2)]
const recogniser = await load(smallFile())
let shared: SharedModel

beforeAll(async () => {
  vi.stubGlobal('AudioWorkletNode', class { readonly kind = 'node' })
  shared = await share(loaded, { maxMemoryBytes: 2 ** 23 })
})
afterAll(() => {
  shared.dispose()
  trainer.dispose()
  recogniser.dispose()
  vi.unstubAllGlobals()
})

const made = (layer: (...given: never[]) => ReturnType<typeof lstm>): Callable => (...given) => sequential([input([4, 1]), layer(...given)]).weightSpecs()

const DOORS: readonly (readonly [what: string, call: Callable, given: () => readonly unknown[]])[] = [
  ['lstm', made(lstm), () => [3, { numLayers: 2, activations: ['sigmoid', 'tanh', 'tanh'], projSize: 2, forgetBias: 1 }]],
  ['gru', made(gru), () => [3, { numLayers: 2, resetAfter: true }]],
  ['simpleRnn', made(simpleRnn), () => [3, { numLayers: 2, activation: 'tanh' }]],
  ['sequential', sequential, () => [[input([4, 1]), lstm(3)], { unbatched: false }]],
  ['loadStateDict', net.loadStateDict.bind(net), () => [Object.fromEntries(tensors), { names: {}, ignore: [] }]],
  ['toGraph', net.toGraph.bind(net), () => [tensors]],
  ['share', async (...given) => (await (share as Callable)(...given) as SharedModel).dispose(), () => [loaded, { variant: 'simd', maxMemoryBytes: 2 ** 23 }]],
  ['openShared', async (...given) => (await (openShared as Callable)(...given) as { dispose(): void }).dispose(), () => [shared, { streams: false, maxMemoryBytes: 65_536 }]],
  ['quantize', quantize, () => [loaded, { data: [{ input: [[[1], [2], [3], [4]]] }], maxError: 1, keep: ['dense'] }]],
  ['toOnnx', toOnnx, () => [loaded, { outputs: ['output'], optionalStates: 'zeros' }]],
  ['toKeras', toKeras, () => [loaded, { outputs: ['output'] }]],
  ['toStateDict', toStateDict, () => [loaded, { outputs: ['output'] }]],
  ['saveGraph', saveGraph, () => [loaded.toGraph()]],
  ['createTrainer', async (...given) => (await (createTrainer as Callable)(...given) as { dispose(): void }).dispose(), () => [
    loaded, { loss: { output: 'mse' }, lossWeights: { output: 1 }, metrics: { output: ['mae'] }, optimizer: 'sgd', seed: 1, trainable: [] },
  ]],
  ['initialStateDict', initialStateDict, () => [net.weightSpecs(), { like: 'keras', kernel: 'heNormal' }, 1]],
  ['fit', trainer.fit.bind(trainer), () => [x, y, { epochs: 1, batchSize: 2, classWeight: { 0: 1 }, callbacks: [{ onEpochEnd: () => undefined }], validationData: [x, y] }]],
  ['trainOnBatch', trainer.trainOnBatch.bind(trainer), () => [x, y, { sampleWeight: y }]],
  ['setWeights', trainer.setWeights.bind(trainer), () => [Object.fromEntries(trainer.getWeights())]],
  ['decodeLine', decodeLine, () => [recogniser, { dtype: 'float32', shape: [1, 2, 3], data: new Float32Array(6) }, { box: { left: 0, width: 5 } }]],
  ['resumeTrainer', resumeTrainer, () => [new Uint8Array(8), { worker: false }]],
  ['tensorflow1StateDict', tensorflow1StateDict, () => [variables, { lstm: { a: ['a'], b: { forward: 'a', backward: 'a' } }, dense: { d: ['a/kernel', 'a/bias'] }, embedding: { e: 'a/kernel' } }]],
]

describe.each(DOORS)('%s', (_what, call, make) => {
  it('refuses what does not fit at any place of its arguments', async () => {
    const given = make()
    const found: string[] = []
    for (const [position, argument] of given.entries()) {
      // A graph by hand is another matter than one that is none.
      for (const path of placesIn(argument).filter((steps) => !isPlain(argument) || !('nodes' in argument) || steps.length === 0)) {
        for (const [name, junk] of Object.entries(JUNK)) {
          const wrong = await refusal(call, given.map((other, n) => (n === position ? replaced(argument, path, junk) : other)))
          if (wrong !== undefined) found.push(`${position} ${path.join('.')} ${name}: ${wrong}`)
        }
      }
    }
    expect(found).toEqual([])
  })
})

describe('streams, pools and audio nodes', () => {
  it('refuse states that are none', async () => {
    const stream = (await compile(stepping)).stream()
    const call = (state: never): unknown => (stream.state = state)
    for (const [name, junk] of Object.entries(JUNK)) for (const place of [[], ['lstm'], ['lstm', 'h']]) expect([name, await refusal(call, [replaced({ lstm: { h: new Float32Array(3) } }, place, junk)])]).toEqual([name, undefined])
    expect(await refusal(call, [{ ...stream.state, [Object.keys(stream.state)[0] as string]: detached }])).toBe(undefined)
    expect(() => call(new Map([['lstm_h', new Float32Array(3)]]) as never)).toThrow('state: expected an object with states by name')
    stream.dispose()
  })

  it('take the address of the processor, and no other', async () => {
    const model = await compile(stepping)
    const asked: unknown[] = []
    const context = { audioWorklet: { addModule: (url: unknown) => Promise.resolve(asked.push(url)) } } as never
    for (const processorUrl of ['/processor.js', new URL('https://example.org/p.js')]) await createWorkletNode(context, model, { processorUrl, channels: 2 })
    expect(asked).toEqual(['/processor.js', new URL('https://example.org/p.js')])
    await expectRejection(createWorkletNode(context, model, { processorUrl: 5 as never }), 'VALUE', "createWorkletNode: expected an address for 'processorUrl', got 5")
    await expectRejection(createWorkletNode(context, model, { processorUrls: 'x' } as never), 'VALUE', /no option 'processorUrls' \(did you mean 'processorUrl'\?\)/)
    vi.stubGlobal('AudioWorkletNode', undefined)
    await expectRejection(createWorkletNode(context, model), 'ENVIRONMENT', /no audioWorklet/)
    vi.stubGlobal('AudioWorkletNode', class { readonly kind = 'node' })
  })
})
