// Every function of every entry point, given what it does not take: an LstmError that says what, never an error of the engine.
import { describe, expect, it } from 'vitest'
import { LstmError } from '../src/errors.ts'
import * as main from '../src/index.ts'
import * as layers from '../src/layers/index.ts'
import * as exporting from '../src/export/index.ts'
import * as quantization from '../src/quantization/index.ts'
import * as training from '../src/training/index.ts'
import * as keras from '../src/readers/keras.ts'
import * as nam from '../src/readers/nam.ts'
import * as npy from '../src/readers/npy.ts'
import * as onnx from '../src/readers/onnx.ts'
import * as rtneural from '../src/readers/rtneural.ts'
import * as safetensors from '../src/readers/safetensors.ts'
import * as tensorflow1 from '../src/readers/tensorflow1.ts'
import * as tesseract from '../src/readers/tesseract.ts'
import * as tfjs from '../src/readers/tfjs.ts'
import * as torch from '../src/readers/torch.ts'

const MODULES: Readonly<Record<string, object>> = {
  main, layers, exporting, quantization, training, keras, nam, npy, onnx, rtneural, safetensors, tensorflow1, tesseract, tfjs, torch,
}

class Foreign { readonly kind: string = 'foreign' }

const JUNK: Readonly<Record<string, unknown>> = {
  undefined, 'null': null, '0': 0, '-1': -1, 'NaN': NaN, '1.5': 1.5, 'no text': '', 'text': 'x', 'true': true, 'a symbol': Symbol('s'), '10n': 10n, '[]': [], '{}': {}, '[[]]': [[]],
  'a date': new Date(0), 'a map': new Map(), 'a map of nothing': new Map([['a', undefined]]), 'a function': () => 1, 'no bytes': new Uint8Array(0), 'floats': new Float32Array(3),
  'an object without a prototype': Object.create(null) as unknown, 'an object of another class': new Foreign(),
}

type Callable = (...given: unknown[]) => unknown

/** What an error of the engine looks like, alone or inside a message. */
const OF_THE_ENGINE = /is not a function|is not iterable|Cannot (read|convert|destructure|use)|\[object |undefined is not/

async function refusal(call: () => unknown): Promise<string | undefined> {
  try {
    await call()
    return undefined
  } catch (error) {
    return error instanceof LstmError && !OF_THE_ENGINE.test(error.message) ? undefined : String(error)
  }
}

async function refusalsOf(call: Callable, ...before: readonly unknown[]): Promise<string[]> {
  const found: string[] = []
  for (const [name, junk] of Object.entries(JUNK)) {
    const wrong = await refusal(() => call(...before, junk))
    if (wrong !== undefined) found.push(`${name}: ${wrong}`)
  }
  return found
}

describe.each(Object.entries(MODULES))('%s', (_, exported) => {
  const functions = Object.entries(exported).filter((entry): entry is [string, Callable] => typeof entry[1] === 'function' && !/^class\b/.test(Function.prototype.toString.call(entry[1])))

  it.each(functions)('%s refuses what it does not take, and options that are none', async (_name, call) => {
    expect(await refusalsOf(call)).toEqual([])
    expect(await refusalsOf(call, [layers.dense(2, { inputSize: 3 })])).toEqual([])
  })
})

describe('methods', () => {
  const net = layers.sequential([layers.input([4, 1]), layers.lstm(3), layers.dense(1)])

  it('of trainers refuse what they do not take, also when disposed', async () => {
    const trainer = await training.createTrainer(net, { loss: 'mse' })
    const [x, y] = [{ dtype: 'float32', shape: [2, 4, 1], data: new Float32Array(8) }, new Float32Array(2)]
    for (const name of ['fit', 'fitDataset', 'trainOnBatch', 'evaluate', 'predict', 'freeze', 'unfreeze', 'setWeights'] as const) {
      const call = (...given: unknown[]): unknown => (trainer[name] as Callable).apply(trainer, given)
      expect([name, await refusalsOf(call), await refusalsOf(call, x), await refusalsOf(call, x, y)]).toEqual([name, [], [], []])
    }
    trainer.dispose()
    for (const name of ['freeze', 'unfreeze', 'resetStates'] as const) expect(await refusal(() => (trainer[name] as Callable).call(trainer, ['lstm']))).toBe(undefined)
  })

  it('of streams and pools refuse sessions and rows that are none', async () => {
    const model = await main.compile(net.loadStateDict(training.initialStateDict(net.weightSpecs())))
    const [stream, pool] = [model.stream(), model.streams(2)]
    expect(await refusalsOf((row) => stream.reset(row as number))).toEqual([])
    for (const name of ['close', 'save', 'reset', 'fork', 'restore'] as const) expect([name, await refusalsOf((id) => (pool[name] as Callable).call(pool, id))]).toEqual([name, []])
  })
})
