// How even single steps are, and what a call costs before any arithmetic.
import { compile, createRuntime } from 'lstm-wasm'
import { dropout, input, sequential } from 'lstm-wasm/layers'
import { layerCase, prepare } from './cases.ts'
import { lstmWasm } from './engines/lstm-wasm.ts'
import { median, quantile } from './statistics.ts'

/** One LSTM of 64 units, 64 features. */
const STEP_SIZES = [1, 1, 64, 64]
const WARM_UP_STEPS = 50_000
const EMPTY_BATCHES = 200
const CALLS_PER_BATCH = 5000
/** Steps between two looks at whether to stop. */
const STRIDE = 10_000

/** Each step by itself, with the clock's own time, which is also given. */
export interface Latency { variant: string, steps: number, medianUs: number, p99Us: number, p999Us: number, maxUs: number, clockUs: number }

/** Of a model without arithmetic: `model.run` with `into`, and `stream.step`. */
export interface EmptyCall { runUs: number, stepUs: number }

/** @param onProgress awaited */
export async function measureLatency(variant: string, steps: number, signal: AbortSignal, onProgress: (share: number) => unknown): Promise<Latency> {
  const instance = await lstmWasm.create(await prepare(layerCase(STEP_SIZES)), variant)
  for (let n = 0; n < WARM_UP_STEPS; n++) instance.run()
  const microseconds = new Float64Array(steps)
  let done = 0
  while (done < steps && !signal.aborted) {
    await onProgress(done / steps)
    for (const end = Math.min(done + STRIDE, steps); done < end; done++) {
      const begin = performance.now()
      instance.run()
      microseconds[done] = (performance.now() - begin) * 1000
    }
  }
  const clock = Float64Array.from({ length: STRIDE }, () => {
    const begin = performance.now()
    return (performance.now() - begin) * 1000
  })
  await instance.dispose()
  const measured = microseconds.subarray(0, done)
  const at = (share: number) => quantile(measured, share)
  return { variant, steps: done, medianUs: at(0.5), p99Us: at(0.99), p999Us: at(0.999), maxUs: at(1), clockUs: median(clock) }
}

/** @returns medians over batches of calls */
export async function measureEmptyCall(): Promise<EmptyCall> {
  const model = await compile(sequential([input([1]), dropout(0)], { input: 'x', output: 'y' }).loadStateDict({}), { runtime: await createRuntime() })
  const stream = model.stream()
  const [x, y] = [Float32Array.of(0.5), new Float32Array(1)]
  const given = { x }
  const options = { into: { y } }
  const calls = [() => model.run(given, options), () => stream.step(x, y)]
  const batches = calls.map(() => new Float64Array(EMPTY_BATCHES))
  for (let batch = -EMPTY_BATCHES / 4; batch < EMPTY_BATCHES; batch++) {
    calls.forEach((call, which) => {
      const begin = performance.now()
      for (let n = 0; n < CALLS_PER_BATCH; n++) call()
      if (batch >= 0) batches[which][batch] = (performance.now() - begin) * 1000 / CALLS_PER_BATCH
    })
  }
  if (y[0] !== x[0]) throw new Error(`an empty model gave ${y[0]} for ${x[0]}`)
  stream.dispose()
  model.dispose()
  return { runUs: median(batches[0]), stepUs: median(batches[1]) }
}
