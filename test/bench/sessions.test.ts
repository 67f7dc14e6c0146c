import { describe, expect, it } from 'vitest'
import { compileBench } from '../../bench/compile.mjs'
import { measureSessions } from '../../bench/sessions/measure.ts'
import { measureEngineSessions } from '../../bench/sessions/peers.ts'

describe('sessions', () => {
  it('are measured: what one takes, steps of some of them, a mixed load, saving', async () => {
    const { sessions, threads, bytesASession, steps, mixed, savedBytes, ...times } = await measureSessions(300, 1, 3)
    expect({ sessions, threads }).toEqual({ sessions: 300, threads: 1 })
    // h and c of two layers, a place in a list, and machines that step, which a few hundred sessions share.
    expect(bytesASession).toBeGreaterThan(4 * 2 * 2 * 128)
    expect(savedBytes).toBeGreaterThan(4 * 2 * 2 * 128)
    expect(steps.map(({ together }) => together)).toEqual([1, 16, 64, 256])
    for (const { medianMs, p99Ms } of steps) expect(p99Ms).toBeGreaterThanOrEqual(medianMs)
    expect(mixed.p99Us).toBeGreaterThanOrEqual(mixed.medianUs)
    expect(Object.values(times).every((time) => Number.isFinite(time))).toBe(true)
  })
  it('are measured beside other engines, in processes of their own that check outputs first', async () => {
    await compileBench()
    const asked: string[] = []
    const { rows, skipped } = await measureEngineSessions(70, 2, async (engine) => {
      asked.push(engine)
      return Promise.resolve(true)
    })
    expect(asked).toEqual(['lstm-wasm', 'onnxruntime-node'])
    expect(rows[0]).toMatchObject({ engine: 'lstm-wasm', sessions: 70 })
    for (const { framesASecond, p99OverMedian, openMs } of rows) {
      expect(framesASecond).toBeGreaterThan(0)
      expect(p99OverMedian).toBeGreaterThanOrEqual(1)
      expect(openMs).toBeGreaterThan(0)
    }
    expect([...rows, ...skipped]).toHaveLength(2)
    for (const { reason } of skipped) expect(reason).toBe('not installed: npm run bench:setup')
  })
})
