// Times steps of training, engines by turns, after their first losses were compared.
import type { Roofline } from '../roofline/roofline.ts'
import { median } from '../statistics.ts'
import { flopsOfStep, type TrainingCase } from './cases.ts'
import type { Stepper } from './steppers.ts'

/** Losses of the first steps may differ so much. */
const TOLERANCE = 1e-3
const CHECKED_STEPS = 4
const CHECKED_SLOW_STEPS = 2
const SLOW_ROUNDS = 3

export interface TrainingRow {
  readonly name: string
  readonly medianMs: number
  readonly gflops: number
  /** Of the multiply-adds that this engine can do a second, measured in the same rounds; null where that is not measured. */
  readonly peakShare: number | null
  /** Its time, as a multiple of the first engine's. */
  readonly ratio: number
}

/** @throws Error where an engine's first losses are not those of the first engine */
async function compareLosses(one: TrainingCase, steppers: readonly Stepper[]) {
  let expected: number[] = []
  for (const stepper of steppers) {
    const losses: number[] = []
    for (let n = 0; n < (stepper.isSlow ? CHECKED_SLOW_STEPS : CHECKED_STEPS); n++) losses.push(await stepper.step())
    if (expected.length === 0) expected = losses
    const isFar = losses.some((loss, n) => !(Math.abs(loss - expected[n]) < TOLERANCE))
    if (isFar) throw new Error(`${one.name}: ${stepper.name} has losses ${losses.join(', ')}, expected ${expected.join(', ')}`)
  }
}

export interface TrainingSettings {
  readonly rounds: number
  /** By variant. */
  readonly rooflines: ReadonlyMap<string, Roofline>
  /** Called before each round: 'stop' ends it early. */
  readonly onRound?: (round: number) => Promise<'stop' | undefined>
}

/** @param steppers the first is what the others are compared with */
export async function measureTraining(
  one: TrainingCase, steppers: readonly Stepper[], { rounds, rooflines, onRound }: TrainingSettings,
): Promise<TrainingRow[]> {
  await compareLosses(one, steppers)
  const times = steppers.map((): number[] => [])
  const shares = steppers.map((): number[] => [])
  const flops = flopsOfStep(one)
  for (let round = 0; round < rounds; round++) {
    if (round > 0 && await onRound?.(round) === 'stop') break
    for (const [n, { step, isSlow, variant }] of steppers.entries()) {
      if (isSlow && round >= SLOW_ROUNDS) continue
      const begin = performance.now()
      await step()
      const milliseconds = performance.now() - begin
      times[n].push(milliseconds)
      const roofline = variant === null ? undefined : rooflines.get(variant)
      if (roofline !== undefined) shares[n].push(flops / milliseconds / 1e6 / roofline.peakGflops())
    }
  }
  return steppers.map(({ name }, n) => {
    const medianMs = median(times[n])
    return {
      name, medianMs, gflops: flops / medianMs / 1e6, peakShare: shares[n].length > 0 ? median(shares[n]) : null, ratio: medianMs / median(times[0]),
    }
  })
}
