import { beforeAll, describe, expect, it } from 'vitest'
import { findCases, prepare, type Case, type PreparedCase } from '../../bench/cases.ts'
import type { Engine, Instance } from '../../bench/engines/engine.ts'
import { bandwidthOf, isTimed, measureCase, type Contender, type Settings } from '../../bench/measure.ts'
import { compileRoofline } from '../../bench/roofline/compile.ts'
import { openRoofline } from '../../bench/roofline/roofline.ts'
import { runSuite } from '../../bench/suite.ts'

const settings = (more: Partial<Settings> = {}): Settings => ({
  rounds: 3, sliceMs: 1, sampleMs: 0.1, warmupMs: 2, budgetMs: 1e6, l2Bytes: 1e9, signal: new AbortController().signal, ...more,
})

/** An engine that gives what is expected, or something else. */
function fakeEngine(name: string, change: (value: number, at: number) => number = (value) => value, more: Partial<Instance> = {}): Engine {
  return {
    name, variants: ['a'], settings: '', packages: [], supports: () => true, available: async () => undefined,
    create: async ({ expected }) => {
      let call = -1
      return {
        async: false,
        run: () => {
          call = (call + 1) % expected.length
        },
        output: () => (expected[call]).map(change),
        dispose: () => undefined,
        ...more,
      }
    },
  }
}

const contender = (engine: Engine): Contender => ({ engine, variant: 'a' })
const silent = (): undefined => undefined
let entry: PreparedCase
beforeAll(async () => {
  entry = await prepare(findCases('B1 T1 F2 H3')[0])
  await compileRoofline()
})

describe('measuring a case', () => {
  it('gives a row an engine, with the figures that --json promises', async () => {
    const peaks = new Map([['a', { roofline: { peakGflops: () => 50, gigabytesPerSecond: () => 80 }, peaks: [], bandwidths: [] }]])
    const { rows, warnings } = await measureCase(entry, [contender(fakeEngine('lstm-wasm')), contender(fakeEngine('other'))], settings({ l2Bytes: 1 }), peaks, silent)
    expect(warnings).toEqual([])
    expect(rows.map((row) => row.engine)).toEqual(['lstm-wasm', 'other'])
    for (const row of rows.filter(isTimed)) {
      expect(row).toMatchObject({ case: 'B1 T1 F2 H3', variant: 'a', dtype: 'float32', threads: 1, checked: true, distance: 0 })
      expect(row.medianUs).toBeGreaterThan(0)
      expect(row.p95Us).toBeGreaterThanOrEqual(row.medianUs)
      expect(row.minUs).toBeLessThanOrEqual(row.medianUs)
      expect(row.gflops).toBeCloseTo(entry.flops / row.medianUs / 1000, 9)
      expect(row.roundMediansUs.length).toBe(3)
      expect(row.samples).toBeGreaterThanOrEqual(3)
      expect(row.callsPerSample).toBeGreaterThan(1)
    }
    // Shares are of our own peak.
    const [ours, other] = rows.filter(isTimed)
    expect(ours?.peakShare).toBeGreaterThan(0)
    expect(ours?.l3Share).toBeGreaterThan(0)
    expect([other?.peakShare, other?.l3Share]).toEqual([null, null])
  })

  it.each([
    ['a value that is off', (value: number, at: number) => (at === 2 ? value + 1e-3 : value), /1\.0e-3 away from the float64 reference; 0\.00002 is allowed/],
    ['a value that is none', (value: number, at: number) => (at === 1 ? NaN : value), /Infinity away/],
  ])('does not time an engine with %s, and says so', async (_, change, message) => {
    const { rows: [wrong, right] } = await measureCase(entry, [contender(fakeEngine('wrong', change)), contender(fakeEngine('right'))], settings(), new Map(), silent)
    expect(Object.keys(wrong ?? {})).toEqual(['case', 'engine', 'variant', 'dtype', 'threads', 'checked', 'distance', 'error'])
    expect(wrong).toMatchObject({ engine: 'wrong', checked: false, error: expect.stringMatching(message) as string })
    expect(right?.checked).toBe(true)
  })

  it('goes on when an engine fails', async () => {
    const failing = fakeEngine('failing', undefined, { run: () => {
      throw new Error('out of order')
    } })
    const { rows } = await measureCase(entry, [contender(failing), contender(fakeEngine('right'))], settings(), new Map(), silent)
    expect(rows.map((row) => [row.checked, row.checked ? undefined : row.error])).toEqual([[false, 'out of order'], [true, undefined]])
  })

  it('takes turns: every engine in every round, another one first each time', async () => {
    const turns: string[] = []
    const noting = (name: string): Engine => fakeEngine(name, undefined, { activate: async () => turns.push(name) })
    await measureCase(entry, ['x', 'y', 'z'].map((name) => contender(noting(name))), settings(), new Map(), silent)
    expect(turns.slice(-9)).toEqual(['x', 'y', 'z', 'y', 'z', 'x', 'z', 'x', 'y'])
  })

  it('awaits engines that give promises, and disposes of all', async () => {
    let [running, most, disposed] = [0, 0, 0]
    const slow = fakeEngine('slow', undefined, {
      async: true,
      run: async () => {
        running++
        await Promise.resolve()
        most = Math.max(most, running)
        running--
      },
      output: () => entry.expected[0],
      dispose: () => disposed++,
    })
    const once = { ...entry, mode: 'sequence' as const, expected: entry.expected.slice(0, 1) }
    const { rows } = await measureCase(once, [contender(slow)], settings(), new Map(), silent)
    expect(rows[0]?.checked).toBe(true)
    expect([most, disposed]).toEqual([1, 1])
  })

  it('gives a slow engine three rounds, and the others theirs', async () => {
    // A clock that only calls and looks move: a look takes 0.01 ms.
    let time = 0
    const now = () => time += 0.01
    const taking = (name: string, ms: number) => contender(fakeEngine(name, undefined, {
      run: () => {
        time += ms
      },
      output: () => entry.expected[0],
    }))
    const once = { ...entry, expected: entry.expected.slice(0, 1) }
    const roundsWithin = async (budgetMs: number) => {
      const { rows } = await measureCase(
        once, [taking('slow', 60), taking('fast', 0.05)], settings({ rounds: 6, budgetMs, now }), new Map(), silent,
      )
      return rows.filter(isTimed).map(({ roundMediansUs }) => roundMediansUs.length)
    }
    expect(await roundsWithin(150)).toEqual([3, 6])
    expect(await roundsWithin(275)).toEqual([5, 6])
    expect(await roundsWithin(1000)).toEqual([6, 6])
  })

  it('counts the calls of a sample by runs that the clock can tell', async () => {
    // A clock of 0.1 ms: a call of 0.04 ms takes no time at all, or 0.1.
    let time = 0
    const now = () => Math.floor(time * 10) / 10
    const engine = fakeEngine('x', undefined, {
      run: () => {
        time += 0.04
      },
      output: () => entry.expected[0],
    })
    const once = { ...entry, expected: entry.expected.slice(0, 1) }
    const { rows } = await measureCase(once, [contender(engine)], settings({ rounds: 1, sampleMs: 2, warmupMs: 20, now }), new Map(), silent)
    const [calls] = rows.filter(isTimed).map(({ callsPerSample }) => callsPerSample)
    expect(calls).toBeGreaterThan(40)
    expect(calls).toBeLessThan(100)
  })

  it('stops when asked to, with the rounds there were', async () => {
    const controller = new AbortController()
    let calls = 0
    const { rows } = await measureCase(entry, [contender(fakeEngine('x'))], settings({ rounds: 1000, signal: controller.signal }), new Map(), (what) => {
      if (what.includes('round 3')) controller.abort()
      calls++
    })
    expect(rows.filter(isTimed).map(({ roundMediansUs }) => roundMediansUs.length)).toEqual([3])
    expect(calls).toBeLessThan(10)
  })
})

describe('the bandwidth of streamed weights', () => {
  it('of a step is its weights by its time', () => {
    const [step] = findCases('B1 T1 F512 H512') as [Case]
    expect(bandwidthOf(step, 100, 50)).toBeCloseTo(8 * 2 ** 20 / 100e-6 / 1e9, 6)
  })

  it('of a sequence counts the recurrence, without the least time that the projection takes', () => {
    const [sequence] = findCases('B1 T100 F512 H512') as [Case]
    const projectionUs = 8 * 512 * 512 * 100 / 50e3
    expect(bandwidthOf(sequence, projectionUs + 5000, 50)).toBeCloseTo(4 * 2 ** 20 * 100 / 5000e-6 / 1e9, 6)
  })
})

describe('a whole run', () => {
  it('skips engines that cannot run, with the reason, and tells how far it is', async () => {
    const missing: Engine = { ...fakeEngine('missing'), available: () => Promise.reject(new Error('not installed: npm run bench:setup')) }
    const shares: number[] = []
    const results = await runSuite({
      cases: findCases('B1 T1 F2 H3,B1 T2 F2 H3'), engines: [fakeEngine('x'), missing].map((engine) => ({ engine, variants: engine.variants })),
      settings: settings(), onProgress: (share) => shares.push(share),
    })
    expect(results.skipped).toEqual([{ engine: 'missing', variant: 'a', reason: 'not installed: npm run bench:setup' }])
    expect(results.rows.map((row) => [row.case, row.engine])).toEqual([['B1 T1 F2 H3', 'x'], ['B1 T2 F2 H3', 'x']])
    expect(results.complete).toBe(true)
    expect(shares).toEqual([...shares].sort((a, b) => a - b))
    expect(shares.at(-1)).toBeLessThanOrEqual(1)
    expect(shares.length).toBeGreaterThan(10)
  })
})

describe('the roofline', () => {
  it('counts the work of a clock that it is given', async () => {
    // A clock that ticks 1 ms at every look: every run lasts 1 ms, however many turns.
    let ticks = 0
    const roofline = await openRoofline('simd', () => ticks++)
    expect(roofline.peakGflops()).toBeCloseTo(14 * 4 * 2 / 1e6, 12)
    expect(roofline.gigabytesPerSecond(1000)).toBeCloseTo(896 / 1e6, 12)
    expect(roofline.gigabytesPerSecond(300_000)).toBeCloseTo(299_904 / 1e6, 9)
    // Its operands are there again after its blocks were written over.
    expect(roofline.peakGflops()).toBeGreaterThan(0)
  })
})
