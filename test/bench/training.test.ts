import { describe, expect, it } from 'vitest'
import { flopsOfStep, makeTrainingData, type TrainingCase } from '../../bench/training/cases.ts'
import { measureLossCurve, readCurve } from '../../bench/training/curve.ts'
import { measureTraining } from '../../bench/training/measure.ts'
import { ownStepper, type Stepper } from '../../bench/training/steppers.ts'

const one: TrainingCase = { name: 'small', batch: 5, timesteps: 3, features: 2, units: 7, classes: 4, everyStep: true }
const stepper = (name: string, losses: readonly number[]): Stepper => {
  let n = 0
  return { name, variant: name, step: () => Promise.resolve(losses[n++ % losses.length]), dispose: () => undefined }
}

describe('steps of training', () => {
  it('are of the same numbers in every run: weights, inputs and classes', () => {
    const { weights, x, y } = makeTrainingData(one)
    expect(x.shape).toEqual([5, 3, 2])
    expect(y.shape).toEqual([5, 3])
    expect(new Set(y.data).size).toBeGreaterThan(1)
    expect([...y.data].every((value) => value >= 0 && value < 4)).toBe(true)
    expect(makeTrainingData(one)).toEqual({ weights, x, y })
    // Three times: [x h] times [4 units, features + units] at each step, h times [classes, units].
    expect(flopsOfStep(one)).toBe(3 * 2 * 5 * 3 * (28 * 9 + 7 * 4))
  })

  it('are timed beside the peak, and the losses of both binaries are equal', async () => {
    const data = makeTrainingData(one)
    const steppers = [await ownStepper(one, data, 'simd'), await ownStepper(one, data, 'simd')]
    const peak = { peakGflops: () => 50, gigabytesPerSecond: () => 1 }
    const rows = await measureTraining(one, steppers, { rounds: 3, rooflines: new Map([['simd', peak]]) })
    expect(rows.map(({ name, ratio }) => [name, ratio > 0])).toEqual([['lstm-wasm simd', true], ['lstm-wasm simd', true]])
    for (const { medianMs, gflops } of rows) expect(gflops).toBeCloseTo(flopsOfStep(one) / medianMs / 1e6, 9)
    steppers.forEach(({ dispose }) => dispose())
  })

  it('are not timed where a loss is another', async () => {
    const steppers = [stepper('first', [2, 1.5, 1.25, 1]), stepper('second', [2, 1.5, 1.26, 1])]
    await expect(measureTraining(one, steppers, { rounds: 1, rooflines: new Map() })).rejects.toThrow('small: second has losses 2, 1.5, 1.26, 1, expected 2, 1.5, 1.25, 1')
    const same = [stepper('first', [2, 1.5]), stepper('second', [2, 1.5004])]
    const rows = await measureTraining(one, same, { rounds: 9, rooflines: new Map(), onRound: (round) => Promise.resolve(round === 2 ? 'stop' : undefined) })
    expect(rows.map(({ name, peakShare }) => ({ name, peakShare }))).toEqual([{ name: 'first', peakShare: null }, { name: 'second', peakShare: null }])
  })

  it('make a curve of losses over seconds, from weights that a first copy has not moved', async () => {
    const opened: string[] = []
    const open = async (): Promise<Stepper> => {
      const own = stepper('ours', [3, 2, 1])
      opened.push('opened')
      return { ...own, dispose: () => void opened.push('disposed') }
    }
    const { engine, steps, points } = await measureLossCurve(open, { seconds: 0.01 })
    expect(opened).toEqual(['opened', 'disposed', 'opened', 'disposed'])
    expect([engine, points[0]?.loss]).toEqual(['ours', 3])
    expect(steps).toBeGreaterThanOrEqual(points.length)
    points.forEach(({ seconds }, n) => expect(seconds).toBeGreaterThanOrEqual(1.02 * (points[n - 1]?.seconds ?? 0)))
    expect(readCurve(JSON.stringify({ engine, steps, points }), 'own.json')).toEqual({ engine, steps, points })
    for (const text of ['{}', '{"engine":"PyTorch","points":[]}', '{"engine":"PyTorch","points":[{"seconds":1}]}']) {
      expect(() => readCurve(text, 'torch.json')).toThrow('torch.json: expected a curve of bench/torch-training.py --curve')
    }
  })
})
