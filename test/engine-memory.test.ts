// Arrays that the JavaScript engine has no room for: an output of several GB, say. An LstmError `MEMORY`, and the model is as before.
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Graph } from '../src/graph/graph.ts'
import { lstm, sequential } from '../src/layers/index.ts'
import { compile } from '../src/model/load.ts'
import { createRuntime } from '../src/runtime/create.ts'
import { copyData, createData } from '../src/values/dtype.ts'
import { expectError, expectRejection } from './expect-error.ts'
import { lstmWeights, random } from './weights.ts'

const full = (): never => {
  throw new RangeError('Array buffer allocation failed')
}

afterEach(() => void vi.restoreAllMocks())

/** A layer that keeps its state; backward, it needs the whole sequence at once. */
function graphOf(goBackwards: boolean): Graph {
  return sequential([lstm(5, { name: 'a', returnSequences: true, stateful: true, goBackwards })]).loadStateDict(new Map(lstmWeights('a', 3, 5))).toGraph()
}

const X = random(3, 2, 7, 3)
const MESSAGE = 'the JavaScript engine gives no Float32Array of 70 elements'

describe('an output that the engine has no room for', () => {
  it('ends a run, whose states are as before', async () => {
    using model = await compile(graphOf(false))
    using other = await compile(graphOf(false))
    model.run({ input: X })
    other.run({ input: X })
    vi.spyOn(Float32Array.prototype, 'slice').mockImplementation(full)
    const error = expectError(() => model.run({ input: X }), 'MEMORY', MESSAGE)
    expect(error.cause).toBeInstanceOf(RangeError)
    vi.restoreAllMocks()
    const outputs = model.run({ input: X })
    expect(outputs).toEqual(other.run({ input: X }))
    expect(outputs).not.toEqual(other.run({ input: X }))
  })

  it('ends a long run, whose states are as before', async () => {
    using model = await compile(graphOf(true))
    using other = await compile(graphOf(true))
    await model.runAsync({ input: X })
    await other.runAsync({ input: X })
    vi.spyOn(Float32Array.prototype, 'slice').mockImplementation(full)
    await expectRejection(model.runAsync({ input: X }), 'MEMORY', MESSAGE)
    vi.restoreAllMocks()
    const outputs = await model.runAsync({ input: X })
    expect(outputs).toEqual(await other.runAsync({ input: X }))
    expect(outputs).not.toEqual(await other.runAsync({ input: X }))
  })
})

it('a view of the memory of a runtime that cannot be copied is no input', async () => {
  const runtime = await createRuntime({ variant: 'simd' })
  using model = await compile(graphOf(false), { runtime })
  using tensor = runtime.tensor(X.data, X.shape)
  vi.spyOn(Float32Array.prototype, 'slice').mockImplementation(full)
  const shown = 'the JavaScript engine gives no Float32Array of 42 elements'
  expectError(() => model.run({ input: { dtype: 'float32', shape: X.shape, data: tensor.data } }), 'MEMORY', shown)
  expectError(() => runtime.tensor(tensor.data, X.shape), 'MEMORY', shown)
})

it.each([
  ['float32', Float32Array.of(0.5, -2)], ['int32', Int32Array.of(-7, 3)], ['uint8', Uint8Array.of(200, 1)],
] as const)('arrays of %s are made and copied, or there is no room for them', (dtype, data) => {
  const copy = copyData(data)
  expect(copy).toEqual(data)
  expect(copy.buffer).not.toBe(data.buffer)
  vi.spyOn(Object.getPrototypeOf(data) as typeof data, 'slice').mockImplementation(full)
  const { name } = data.constructor
  expectError(() => copyData(data), 'MEMORY', `the JavaScript engine gives no ${name} of 2 elements`)
  expectError(() => createData(dtype, 2 ** 53), 'MEMORY', `the JavaScript engine gives no ${name} of ${2 ** 53} elements`)
})
