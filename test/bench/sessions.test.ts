import { describe, expect, it } from 'vitest'
import { measureSessions } from '../../bench/sessions.ts'

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
})
