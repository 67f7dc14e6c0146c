import { describe, expect, it } from 'vitest'
import { measureEmptyCall, measureLatency } from '../../bench/latency.ts'

describe('latency', () => {
  it('is measured step by step, in order of size', async () => {
    const shares: number[] = []
    const { medianUs, p99Us, p999Us, maxUs, ...rest } = await measureLatency('simd', 25_000, new AbortController().signal, (share) => shares.push(share))
    expect(rest).toMatchObject({ variant: 'simd', steps: 25_000 })
    expect(medianUs).toBeGreaterThan(0)
    expect([medianUs, p99Us, p999Us, maxUs]).toEqual([medianUs, p99Us, p999Us, maxUs].sort((a, b) => a - b))
    expect(shares).toEqual([0, 0.4, 0.8])
  })

  it('stops when asked to', async () => {
    const controller = new AbortController()
    const { steps } = await measureLatency('simd', 1e6, controller.signal, (share) => {
      if (share > 0) controller.abort()
    })
    expect(steps).toBe(20_000)
  })

  it('of a model that computes nothing is what a call costs', async () => {
    const { runUs, stepUs } = await measureEmptyCall()
    expect(runUs).toBeGreaterThan(0)
    expect(stepUs).toBeGreaterThan(0)
  })
})
