// Counts what calls leave on the JavaScript heap. test/allocation.test.ts tests that it sees what it is to see.
import { GCProfiler, getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect } from 'vitest'
import { STEADY_STATE_BYTES } from './tolerance.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const WINDOWS = 8

/** How often `run` is called before anything is counted, and in each window. */
export interface MeterCalls {
  readonly warmUp: number
  readonly calls: number
}

/**
 * Bytes that a call of `run` leaves on the JavaScript heap, garbage included: the least of several
 * windows. What the function allocates it allocates in every one of them; what the engine allocates
 * beside it (a compiler that finishes in the background) comes on top of some. Windows in which
 * garbage was collected, or the heap became smaller as old code was dropped, do not count.
 * One that is below `STEADY_STATE_BYTES` says all that is asked, and is the last.
 */
export function heapBytesPerCall(run: () => void, { warmUp, calls }: MeterCalls = { warmUp: 20_000, calls: 5_000 }): number {
  for (let n = 0; n < warmUp; n++) run()
  const windows: number[] = []
  for (let window = 0; window < WINDOWS; window++) {
    collectGarbage()
    collectGarbage() // the first one's sweeping is over when the second begins
    const profiler = new GCProfiler()
    profiler.start()
    const before = getHeapStatistics().used_heap_size
    for (let n = 0; n < calls; n++) run()
    const bytes = getHeapStatistics().used_heap_size - before
    if (profiler.stop().statistics.length > 0 || bytes < 0) continue
    windows.push(bytes / calls)
    if (bytes / calls < STEADY_STATE_BYTES) return bytes / calls
  }
  expect(windows.length, 'windows that count').toBeGreaterThanOrEqual(WINDOWS / 2)
  return Math.min(...windows)
}
