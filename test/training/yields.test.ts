// A step gives way between its kernels: how often follows from the clock, and no bit from it.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { dense, dropout, input, lstm, sequential, type Sequential } from '../../src/layers/index.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import * as turns from '../../src/runtime/next-turn.ts'
import { adam, createTrainer, type ModelTrainer } from '../../src/training/index.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectRejection } from '../expect-error.ts'
import { pseudoRandom } from '../random.ts'

vi.mock('../../src/runtime/next-turn.ts', async (original) => ({ ...await original(), nextTurn: vi.fn(async () => Promise.resolve()) }))
const nextTurn = vi.mocked(turns.nextTurn)

const runtime = await createRuntime({ variant: 'simd' })
/** Two groups of rows a batch, and one at the end. */
const ROWS = 80
const BATCH = 40
const x = new NdArray(pseudoRandom(1, ROWS * 6 * 2, 1), [ROWS, 6, 2])
const y = new NdArray(pseudoRandom(2, ROWS, 1), [ROWS, 1])
const net = (options: object = {}): Sequential => sequential([input([6, 2]), lstm(5, options), dropout(0.2), dense(1)])
const trainerOf = (options: object = {}): Promise<ModelTrainer> => (
  createTrainer(net(options), { loss: 'mse', optimizer: adam({ learningRate: 0.01 }), seed: 4, runtime })
)

/** A clock that a look at it puts on by so many milliseconds. */
function tick(milliseconds: number): void {
  let now = 0
  vi.spyOn(Date, 'now').mockImplementation(() => (now += milliseconds))
  nextTurn.mockClear()
}

afterEach(() => {
  vi.restoreAllMocks()
  nextTurn.mockImplementation(async () => Promise.resolve())
})

const fit = async (trainer: ModelTrainer): Promise<Map<string, Float32Array>> => {
  await trainer.fit(x, y, { epochs: 2, batchSize: BATCH, validationSplit: 0.5 })
  return trainer.getWeights()
}

describe('fit', () => {
  it('yields in the middle of steps, as often as the clock says, and no bit is another one', async () => {
    const plain = await trainerOf()
    tick(0)
    const expected = await fit(plain)
    expect(nextTurn).toHaveBeenCalledTimes(0)
    const counts: number[] = []
    for (const milliseconds of [1, 4, 8]) {
      const trainer = await trainerOf()
      tick(milliseconds)
      expect(await fit(trainer)).toEqual(expected)
      counts.push(nextTurn.mock.calls.length)
      trainer.dispose()
    }
    // Every look at the clock yields where it has gone on by 8 ms. Between steps and validations alone there would be four.
    expect(counts[0]).toBeGreaterThan(0)
    expect(counts[1]).toBeGreaterThan(2 * (counts[0] as number))
    expect(counts[2]).toBeGreaterThan(1.5 * (counts[1] as number))
    expect(counts[2]).toBeGreaterThan(40)
    plain.dispose()
  })

  it('takes weights and freezes that are set in mid-step, and stops there', async () => {
    const [reference, trainer] = [await trainerOf(), await trainerOf()]
    const first = reference.getWeights()
    tick(8)
    // Set at the first yield, in the middle of the first step: the step begins again from there, so that both are alike.
    const others = new Map([...first].map(([name, data]) => [name, data.map((value) => value / 2)]))
    nextTurn.mockImplementationOnce(async () => {
      trainer.setWeights(others)
      trainer.freeze(['dense'])
      return Promise.resolve()
    })
    await trainer.fit(x, y, { batchSize: BATCH, shuffle: false })
    expect(trainer.trainableNames.some((name) => name.startsWith('dense'))).toBe(false)
    reference.setWeights(others)
    tick(0)
    reference.trainOnBatch(new NdArray(x.data.slice(0, BATCH * 12), [BATCH, 6, 2]), new NdArray(y.data.slice(0, BATCH), [BATCH, 1]))
    reference.freeze(['dense'])
    reference.trainOnBatch(new NdArray(x.data.slice(BATCH * 12), [BATCH, 6, 2]), new NdArray(y.data.slice(BATCH), [BATCH, 1]))
    expect(trainer.getWeights()).toEqual(reference.getWeights())
    const controller = new AbortController()
    tick(8)
    nextTurn.mockImplementationOnce(async () => {
      controller.abort()
      return Promise.resolve()
    })
    const before = trainer.getWeights()
    await expectRejection(trainer.fit(x, y, { signal: controller.signal }), 'ABORTED', /as after its last step/)
    expect(trainer.getWeights()).toEqual(before)
    expect(trainer.steps).toBe(2)
    for (const one of [reference, trainer]) one.dispose()
  })

  it('runs steps of stateful layers whole', async () => {
    const trainer = await trainerOf({ stateful: true })
    tick(8)
    await trainer.fit(x, y, { batchSize: BATCH, shuffle: false })
    // Between steps alone.
    expect(nextTurn.mock.calls.length).toBeLessThanOrEqual(4)
    trainer.dispose()
  })
})
