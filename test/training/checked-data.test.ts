// What trainers read and are given, checked field by field: checkpoints, inputs, what classes count.
import { describe, expect, it } from 'vitest'
import type { LstmErrorCode } from '../../src/errors.ts'
import { readSafetensors } from '../../src/formats/safetensors/safetensors.ts'
import { writeSafetensors } from '../../src/formats/safetensors/writer.ts'
import type { ArrayLike } from '../../src/values/ndarray.ts'
import { inputsOf } from '../../src/training/fitting/dataset.ts'
import { checkClassWeight } from '../../src/training/fitting/weights.ts'
import { readCheckpoint } from '../../src/training/fitting/checkpoint-reader.ts'
import { Trainer } from '../../src/training/fitting/trainer.ts'
import { lossOf } from '../../src/training/descriptions/losses.ts'
import { LOSSES } from '../../src/training/descriptions/more-losses.ts'
import { onlyLoss } from '../../src/training/descriptions/output-losses.ts'
import { adam } from '../../src/training/descriptions/optimizers.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { linearEngine } from './linear-engine.ts'
import { trainingRuntimeOf } from './runtimes.ts'

const runtime = await trainingRuntimeOf()
const KEY = 'lstm-wasm-training'
const trainer = new Trainer(linearEngine(runtime, 3, 3, 'classes'), {
  losses: onlyLoss(lossOf('sparseCategoricalCrossentropy', LOSSES)), optimizer: adam(), metrics: ['accuracy'], seed: 1,
})
const bytes = trainer.save()

/** The checkpoint with other fields, or other tensors. */
function changed(fields: Readonly<Record<string, unknown>>, others: Readonly<Record<string, ArrayLike>> = {}): Uint8Array {
  const { tensors, metadata } = readSafetensors(bytes)
  const state = { ...JSON.parse(metadata.get(KEY) as string) as object, ...fields }
  return writeSafetensors(new Map([...tensors, ...Object.entries(others)]), new Map([[KEY, JSON.stringify(state)]]))
}

describe('a checkpoint', () => {
  it('is read as it was written', () => {
    expect(readCheckpoint(changed({})).state).toEqual(readCheckpoint(bytes).state)
    const zeros = { fixedRate: 0, rateFactor: 0, parameterSteps: [0, 7] }
    expect(readCheckpoint(changed(zeros)).state).toMatchObject(zeros)
  })

  it.each<[string, unknown]>([
    ['metrics', 'accuracy'], ['metrics', ['accuracy', 3]], ['seed', 1.5], ['epoch', -1], ['epoch', 0.5], ['steps', '3'], ['steps', 2 ** 60], ['parameterSteps', 4],
    ['parameterSteps', [3, -1]], ['parameterSteps', [0.5, 3]], ['rateFactor', -0.5], ['rateFactor', '1'], ['fixedRate', -1], ['fixedRate', true], ['frozen', {}], ['frozen', ['a', null]],
    ['trainable', 'a'], ['metrics', { a: 'accuracy' }],
  ])('whose %s is %j is not whole', (name, value) => {
    expectError(() => readCheckpoint(changed({ [name]: value })), 'FORMAT', `checkpoint: what it says of training is not whole: ${name}`)
  })

  it('says all that is wrong', () => {
    expectError(() => readCheckpoint(changed({ epoch: -1, frozen: 1 })), 'FORMAT', 'checkpoint: what it says of training is not whole: epoch, frozen')
    expectError(() => readCheckpoint(changed({ losses: [{ loss: 'none such', weight: 1 }] })), 'FORMAT', /^checkpoint: what it says of training cannot be read: /)
    expectError(() => readCheckpoint(changed({ losses: [{ loss: 'mse', weight: -1 }] })), 'FORMAT', /expected a name and a weight, got/)
    expectError(() => readCheckpoint(changed({ losses: [null] })), 'FORMAT', /expected an object, got null/)
    expectError(() => readCheckpoint(changed({ losses: [] })), 'FORMAT', /^checkpoint: what it says of training cannot be read: /)
    expectError(() => readCheckpoint(changed({ optimizer: 'none such' })), 'FORMAT', /^checkpoint: what it says of training cannot be read: /)
    expectError(() => readCheckpoint(writeSafetensors(new Map())), 'FORMAT', 'checkpoint: expected what trainer.save() wrote, got another safetensors file')
    const { tensors } = readSafetensors(bytes)
    for (const text of ['{', 'null', '5']) {
      const broken = writeSafetensors(new Map(tensors), new Map([[KEY, text]]))
      expectError(() => readCheckpoint(broken), 'FORMAT', /^checkpoint: what it says of training cannot be read: (SyntaxError|Expected|Unexpected|expected an object, got)/)
    }
  })

  it('holds states of two axes, and moments of float32', () => {
    const { tensors } = readSafetensors(bytes)
    const moments = [...tensors.keys()].find((name) => (tensors.get(name)?.data.length ?? 0) > 12) as string
    expectError(() => readCheckpoint(changed({}, { [moments]: new NdArray(new Int32Array(4), [4]) })), 'FORMAT', 'checkpoint: expected float32 moments')
  })
})

describe('inputs', () => {
  const inputs = [{ name: 'x', dtype: 'float32' }, { name: 'lengths', dtype: 'int32' }, { name: 'h', dtype: 'float32', optional: true }] as const
  const floats = new NdArray(Float32Array.of(1, 2), [2, 1])
  const ints = new NdArray(Int32Array.of(3, 4), [2])
  const read = (x: Parameters<typeof inputsOf>[1], of: Parameters<typeof inputsOf>[0]['inputs'] = inputs): string[] => (
    Object.entries(inputsOf({ inputs: of }, x, 'fit')).map(([name, { dtype, data }]) => `${name} ${dtype} ${[...data].join()}`)
  )

  it('are those that are given, optional ones among them', () => {
    expect(read({ x: floats, lengths: ints })).toEqual(['x float32 1,2', 'lengths int32 3,4'])
    expect(read({ h: floats, lengths: ints, x: floats })).toEqual(['x float32 1,2', 'lengths int32 3,4', 'h float32 1,2'])
    expect(read(floats, [inputs[0], inputs[2]])).toEqual(['x float32 1,2'])
  })

  it.each<[string, Parameters<typeof inputsOf>[1], LstmErrorCode, string]>([
    ['one array for two', floats, 'SHAPE', "fit: expected arrays by name for the inputs 'x', 'lengths', 'h', got one array"],
    ['one that is missing', { x: floats }, 'SHAPE', "fit: expected the input 'lengths', got none"],
    ['one that is none', { x: floats, y: floats }, 'VALUE', "fit: no input 'y'; inputs are 'x', 'lengths', 'h'"],
  ])('%s', (_what, x, code, message) => {
    expectError(() => read(x), code, message)
  })
})

describe('what classes count', () => {
  const classes = onlyLoss(lossOf('sparseCategoricalCrossentropy', LOSSES))
  it('is 0 or more', () => {
    expect(() => checkClassWeight({ 0: 0, 7: 2.5 }, classes, 'fit')).not.toThrow()
    expect(() => checkClassWeight(undefined, classes, 'fit')).not.toThrow()
  })

  it.each<[unknown, string]>([[{ 0: -1 }, '{"0":-1}'], [{ 1: Infinity }, '{"1":null}'], [{ '-1': 1 }, '{"-1":1}'], [5, '5'], [null, 'null']])('and not %j', (given, got) => {
    expectError(() => checkClassWeight(given, classes, 'fit'), 'VALUE', `fit: expected numbers >= 0 by class for 'classWeight', got ${got}`)
  })

  it('goes with classes alone', () => {
    expectError(() => checkClassWeight({ 0: 1 }, onlyLoss(lossOf('meanSquaredError', LOSSES)), 'fit'), 'VALUE', 'fit: classWeight goes with losses of classes, not with meanSquaredError; use sampleWeight')
  })
})
