import { describe, expect, it } from 'vitest'
import { constantRate, type Schedule } from '../../src/training/descriptions/rates.ts'
import { cosineDecay, exponentialDecay, rateAt, scheduleOf, stepDecay, warmUp } from '../../src/training/descriptions/schedules.ts'
import { expectError } from '../expect-error.ts'

const atSteps = (schedule: Schedule, ...steps: number[]): number[] => steps.map((step) => rateAt(schedule, { steps: step, epochs: step / 10 }))

describe('schedules', () => {
  it('give the rates of Keras and PyTorch', () => {
    expect(atSteps(constantRate(0.3), 0, 7)).toEqual([0.3, 0.3])
    // StepLR(step_size=3, gamma=0.5)
    expect(atSteps(stepDecay(0.8, { steps: 3, factor: 0.5 }), 0, 2, 3, 5, 6, 9)).toEqual([0.8, 0.8, 0.4, 0.4, 0.2, 0.1])
    expect(atSteps(stepDecay(0.8, { epochs: 2 }), 19, 20)).toEqual([0.8, 0.8 * 0.1])
    // keras.optimizers.schedules.ExponentialDecay(0.1, 4, 0.5)
    expect(atSteps(exponentialDecay(0.1, { steps: 4, factor: 0.5 }), 0, 2, 4, 8)).toEqual([0.1, 0.1 * 0.5 ** 0.5, 0.05, 0.025])
    expect(atSteps(exponentialDecay(0.1, { steps: 4, factor: 0.5, staircase: true }), 3, 4, 7)).toEqual([0.1, 0.05, 0.05])
    // CosineAnnealingLR(T_max=10, eta_min=0.01), and Keras's: it stays at the end.
    const cosine = atSteps(cosineDecay(0.2, { steps: 10, minimum: 0.01 }), 0, 2, 5, 10, 25)
    for (const [n, rate] of [0.2, 0.1818566149, 0.105, 0.01, 0.01].entries()) expect(cosine[n]).toBeCloseTo(rate, 9)
    expect(atSteps(cosineDecay(0.2, { epochs: 1 }), 5)[0]).toBeCloseTo(0.1, 12)
  })

  it('warm up, and then begin', () => {
    const schedule = warmUp(stepDecay(0.8, { steps: 3, factor: 0.5 }), { steps: 4, from: 0.3 })
    expect(atSteps(schedule, 0, 2, 4, 6, 7)).toEqual([0.3, 0.55, 0.8, 0.8, 0.4])
    expect(atSteps(warmUp(0.5, { epochs: 1 }), 0, 5, 10, 50)).toEqual([0, 0.25, 0.5, 0.5])
  })

  it('are plain data, which are read back', () => {
    const schedules = [constantRate(1), stepDecay(1, { steps: 2 }), exponentialDecay(1, { epochs: 2 }), warmUp(cosineDecay(1, { steps: 5 }), { steps: 1 })]
    for (const schedule of schedules) {
      expect(scheduleOf(JSON.parse(JSON.stringify(schedule)), 'rate')).toEqual(schedule)
    }
  })

  it('refuse what is none', () => {
    expectError(() => stepDecay(0.1, {}), 'VALUE', "stepDecay: expected either 'steps' or 'epochs', got neither")
    expectError(() => cosineDecay(0.1, { steps: 1, epochs: 1 }), 'VALUE', "cosineDecay: expected either 'steps' or 'epochs', got both")
    expectError(() => cosineDecay(0.1, { steps: 0 }), 'VALUE', "cosineDecay: expected a number above 0 for 'steps', got 0")
    expectError(() => cosineDecay(-1, { steps: 1 }), 'VALUE', 'cosineDecay: expected a learning rate >= 0, got -1')
    expectError(() => warmUp(warmUp(1, { steps: 1 }), { steps: 1 }), 'VALUE', /^warmUp: expected a rate or another schedule/)
    expectError(() => scheduleOf({ schedule: 'linear' }, 'x'), 'VALUE', /^x: expected a learning rate, or a schedule of/)
  })
})
