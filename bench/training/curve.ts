// Loss over seconds: each engine trains for as long, from the same weights, on the same batch.
import type { Stepper } from './steppers.ts'

export interface LossPoint {
  /** Since its first step began. */
  readonly seconds: number
  /** Before the step. */
  readonly loss: number
}

export interface LossCurve {
  readonly engine: string
  readonly steps: number
  readonly points: readonly LossPoint[]
}

/** Points of a curve are so much later than the one before. */
const APART = 1.02
/** Steps of another copy, before the clock runs: engines compile. */
const WARM_UP_STEPS = 2

export interface CurveSettings {
  /** Of each engine. */
  readonly seconds: number
  /** Called between two steps, with what is done of this engine: 'stop' ends it. */
  readonly onStep?: (part: number) => Promise<'stop' | undefined>
}

/** @param open makes the engine with its first weights */
export async function measureLossCurve(open: () => Promise<Stepper>, { seconds, onStep }: CurveSettings): Promise<LossCurve> {
  const warm = await open()
  try {
    for (let n = 0; n < WARM_UP_STEPS; n++) await warm.step()
  } finally {
    warm.dispose()
  }
  const stepper = await open()
  try {
    const points: LossPoint[] = []
    let steps = 0
    let told = 0
    const begin = performance.now()
    for (let now = 0; now < seconds; steps++) {
      const loss = await stepper.step()
      now = (performance.now() - begin) / 1000
      if (now >= APART * (points.at(-1)?.seconds ?? 0)) points.push({ seconds: now, loss })
      if (now - told < 0.5) continue
      told = now
      if (await onStep?.(now / seconds) === 'stop') break
    }
    return { engine: stepper.name, steps, points }
  } finally {
    stepper.dispose()
  }
}

/** What `bench/torch-training.py --curve` wrote. @throws Error for another file */
export function readCurve(text: string, path: string): LossCurve {
  const { engine, steps, points } = JSON.parse(text) as LossCurve
  const isCurve = typeof engine === 'string' && Array.isArray(points) && points.length > 0
    && points.every(({ seconds, loss }) => Number.isFinite(seconds) && Number.isFinite(loss))
  if (!isCurve) throw new Error(`${path}: expected a curve of bench/torch-training.py --curve`)
  return { engine, steps, points }
}
