// What a step of training leaves on the JavaScript heap: some records for each group of rows, and nothing that grows with what is computed.
import { describe, expect, it } from 'vitest'
import { dense, input, lstm, sequential } from '../../src/layers/index.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import { createTrainer } from '../../src/training/index.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { heapBytesPerCall } from '../heap-bytes.ts'
import { pseudoRandom } from '../random.ts'

const runtime = await createRuntime({ variant: 'simd' })

/** Of a step with so many rows, as the caller hands them over, in groups of 32. */
async function bytesOfStep(rows: number, timesteps: number): Promise<number> {
  const x = new NdArray(pseudoRandom(1, rows * timesteps * 3, 1), [rows, timesteps, 3])
  const y = new NdArray(Int32Array.from({ length: rows }, (_, row) => row % 4), [rows])
  const trainer = await createTrainer(sequential([input([timesteps, 3]), lstm(4), dense(4)]), { loss: 'sparseCategoricalCrossentropy', runtime })
  const bytes = heapBytesPerCall(() => trainer.trainOnBatch(x, y), { warmUp: 1500, calls: 200 })
  if (process.env.LSTM_REPORT === '1') console.log(`${rows} rows, ${timesteps} timesteps: ${bytes.toFixed(0)} heap bytes a step`)
  trainer.dispose()
  return bytes
}

describe('a step of training', () => {
  it('leaves less than 18 kB on the heap for one group of rows, less than 2.5 kB for each more, and nothing that grows with timesteps', async () => {
    const [one, four, long] = [await bytesOfStep(32, 3), await bytesOfStep(128, 3), await bytesOfStep(32, 40)]
    expect(one).toBeLessThan(18_000)
    expect((four - one) / 3).toBeLessThan(2_500)
    expect(long - one).toBeLessThan(1_000)
  })
})
