import { describe, expect, it } from 'vitest'
import { UsageError } from '../../bench/command.ts'
import { readFlags } from '../../bench/flags.ts'
import type { Row, TimedRow, WrongRow } from '../../bench/measure.ts'
import { formatTime, ratioOf } from '../../bench/report/format.ts'
import type { Results } from '../../bench/report/results.ts'
import { formatResults, formatVerdicts, markdownResults } from '../../bench/report/table.ts'
import { threadPoints } from '../../bench/report/thread-chart.ts'
import { distance, median, quantile, spread } from '../../bench/statistics.ts'
import { judge, targetsFor } from '../../bench/targets.ts'

function row(name: string, engine: string, variant: string, medianUs: number, more: Partial<TimedRow> = {}): TimedRow {
  return {
    case: name, engine, variant, dtype: 'float32', threads: 1, medianUs, p95Us: medianUs * 1.25, minUs: medianUs, gflops: 12.345,
    peakShare: null, l3Share: null, checked: true, distance: 1e-7, spread: 0.03, samples: 9, callsPerSample: 2, roundMediansUs: [], ...more,
  }
}

function wrongRow({ case: name, engine, variant, dtype, threads }: Row, distanceOff: number, error: string): WrongRow {
  return { case: name, engine, variant, dtype, threads, checked: false, distance: distanceOff, error }
}

const rows = [
  row('B1 T100 F64 H64', 'lstm-wasm', 'relaxed-simd', 100, { peakShare: 0.85 }),
  row('B1 T100 F64 H64', 'lstm-wasm', 'simd', 125, { peakShare: 0.70 }),
  row('B1 T100 F64 H64', 'onnxruntime-web', 'wasm', 160),
  row('B1 T100 F64 H64', 'tfjs-wasm', 'simd', 3400),
]
const results: Results = {
  machine: { cpu: 'A CPU', cores: 2, memoryBytes: 1, os: 'Linux 6', arch: 'x64', caches: {} },
  runtime: { name: 'node', version: '26.1.0', engine: 'V8 14' },
  versions: { 'lstm-wasm': '1.2.3' }, date: '2026-01-02T03:04:05Z', command: '', tolerance: 2e-5, complete: true,
  roofline: { simd: { gflops: 58.2, bandwidth: { L1: 115 } } },
  rows: [...rows, wrongRow(row('digits', 'plain-js', 'float32', 0), 1, 'off by 1')],
  skipped: [{ engine: 'tfjs-cpu', variant: 'javascript', reason: 'not installed' }],
  warnings: [],
}

describe('statistics', () => {
  it('interpolate quantiles, in whatever order the values come', () => {
    expect([0, 0.25, 0.5, 0.95, 1].map((share) => quantile([40, 10, 30, 20, 50], share))).toEqual([10, 20, 30, 48, 50])
    expect(median([4, 1, 3, 2])).toBe(2.5)
    expect(median([7])).toBe(7)
    expect(() => median([])).toThrow('at least one value')
  })

  it('tell how far rounds are apart', () => {
    expect(spread([10, 12, 9])).toBeCloseTo(0.3, 12)
  })

  it('tell the distance: absolute, relative to the largest value above 1', () => {
    expect(distance([0.5, 0.25], [0.5, 0.375])).toBe(0.125)
    expect(distance([10, 1], [8, 1])).toBe(0.25)
    expect(distance([NaN, 1], [0, 1])).toBe(Infinity)
    expect(distance([1], [1, 1])).toBe(Infinity)
  })
})

describe('flags', () => {
  it('are all cases and engines, unless told otherwise', () => {
    const all = readFlags([])
    expect([readFlags(['--int8']).int8, readFlags(['--int8', '--engine', 'lstm-wasm']).int8, all.int8]).toEqual([true, false, false])
    const quick = readFlags(['--quick'])
    expect([all.cases.length, quick.cases.length]).toEqual([25, 16])
    expect(all.engines.map(({ engine }) => engine.name)).toContain('tfjs-cpu')
    expect(quick.engines.map(({ engine }) => engine.name)).toEqual(['lstm-wasm', 'onnxruntime-web', 'tfjs-wasm', 'onnxruntime-node'])
    const some = readFlags(['--quick', '--case', 'digits', '--case=T100,H1024', '--engine', 'plain-js', '--json', 'out.json', '--check'])
    expect(some.cases.map(({ name }) => name)).toEqual([
      'digits', 'B1 T100 F64 H64', 'B1 T100 F128 H128', 'B1 T100 F256 H256', 'B1 T100 F512 H512', 'B1 T100 F1 H512', 'B1 T100 F1024 H1024', 'GRU B1 T100 F128 H128', 'B1 T1 F1024 H1024',
    ])
    expect(some.engines.map(({ engine }) => engine.name)).toEqual(['plain-js'])
    expect(some).toMatchObject({ quick: true, json: 'out.json', check: true, markdown: false, svg: undefined, help: false })
  })

  it.each([
    [['--fast'], /^Unknown option '--fast'; flags are --quick, --int8, --threads, --case, --engine, --json, --markdown, --svg, --check/],
    [['quick'], /^Unexpected argument 'quick'.*; flags are --quick/],
    [['--json'], /argument missing; flags are/],
    [['--case', 'B1 T1 H5'], /^no case 'B1 T1 H5'; cases are 'B1 T1 F1 H32'/],
    [['--engine', 'torch'], /^no engine 'torch'; engines are lstm-wasm/],
  ])('%j is refused, saying what there is', (args, message) => {
    expect(() => readFlags(args)).toThrow(message)
    expect(() => readFlags(args)).toThrow(UsageError)
  })
})

describe('targets', () => {
  it('are judged by ratios and shares, binary by binary', () => {
    const verdicts = judge(targetsFor({ name: 'node', version: '24.0.0' }), rows)
    expect(verdicts.map(({ variant, what, measured, pass }) => [variant, what, measured, pass])).toEqual([
      ['relaxed-simd', 'vs onnxruntime-web', 1.6, true],
      ['relaxed-simd', 'vs tfjs-wasm', 34, false],
      ['relaxed-simd', 'vs onnxruntime-node', undefined, undefined],
      ['relaxed-simd', 'of the peak', 0.85, true],
      ['simd', 'vs onnxruntime-web', 1.28, false],
      ['simd', 'of the peak', 0.70, false],
    ])
    const text = formatVerdicts(verdicts)
    expect(text).toContain('2 pass, 3 missed, 1 not run')
    expect(text).toMatch(/B1 T100 F64 H64 {2}relaxed-simd {2}vs tfjs-wasm +35\.0x +34\.0x +MISS/)
  })

  it('are lower on Node 20 and on Bun, and of both binaries on Bun', () => {
    const node20 = targetsFor({ name: 'node', version: '20.20.2' })
    expect(new Set(node20.map(({ variant }) => variant))).toEqual(new Set(['simd']))
    expect(judge(node20, rows).map(({ target }) => target)).toEqual([1.4, 0.7])
    expect(judge(targetsFor({ name: 'bun', version: '1.4.5' }), rows).map(({ variant, pass }) => [variant, pass])).toEqual([
      ['relaxed-simd', true], ['relaxed-simd', true], ['simd', false], ['simd', true],
    ])
  })

  it('of 8 bits beside float32 of the same binary, and both without VNNI beside each other', () => {
    const name = 'B1 T1 F512 H512'
    const of = (engine: string, variant: string, medianUs: number): Row => ({ ...(rows[0]), case: name, engine, variant, medianUs, peakShare: null })
    const measured = [
      of('lstm-wasm', 'relaxed-simd', 100), of('lstm-wasm', 'simd', 104), of('lstm-wasm int8', 'relaxed-simd', 25), of('lstm-wasm int8', 'simd', 65),
      of('lstm-wasm without VNNI', 'relaxed-simd', 110), of('lstm-wasm int8 without VNNI', 'relaxed-simd', 100),
    ]
    const verdicts = judge(targetsFor({ name: 'node', version: '24.0.0' }), measured).filter(({ what, pass }) => what.startsWith('int8') && pass !== undefined)
    expect(verdicts.map(({ variant, what, measured: value, pass }) => [variant, what, value, pass])).toEqual([
      ['relaxed-simd', 'int8 vs lstm-wasm', 4, true],
      ['simd', 'int8 vs lstm-wasm', 1.6, true],
      ['relaxed-simd', 'int8 without VNNI vs lstm-wasm without VNNI', 1.1, false],
    ])
  })

  it('take no figure from an output that was wrong', () => {
    const wrong = rows.map((entry) => (entry.variant === 'relaxed-simd' ? wrongRow(entry, 1, 'its output is off') : entry))
    const verdicts = judge(targetsFor({ name: 'node', version: '24.0.0' }), wrong).filter(({ variant }) => variant === 'relaxed-simd')
    expect(verdicts.map(({ pass }) => pass)).toEqual([undefined, undefined, undefined, undefined])
  })
})

describe('the report', () => {
  it('shows times with three digits', () => {
    expect([0.8512, 12.34, 99.96, 123.4, 1234, 56789, 1.5e6, null].map(formatTime)).toEqual([
      '0.85 us', '12.3 us', '100 us', '123 us', '1.23 ms', '56.8 ms', '1.50 s', '-',
    ])
  })

  it('says one thread, and float32, only where all rows are', () => {
    const others = rows.map((entry, n) => ({ ...entry, threads: 1 + n % 2, dtype: n === 0 ? 'float32' as const : 'int8' as const }))
    expect(formatResults({ ...results, rows: others })).toContain('Node 26.1.0 (V8 14); float32 and int8; 2026-01-02\n')
  })

  it('compares with our fastest', () => {
    expect(rows.map((entry) => ratioOf(rows, entry))).toEqual([1, 1.25, 1.6, 34])
    expect(ratioOf([rows[2]], rows[2])).toBeUndefined()
  })

  it('is a table with machine, versions, losses, and what was not run or not right', () => {
    const text = formatResults(results)
    expect(text).toContain('A CPU, Linux 6 x64; Node 26.1.0 (V8 14); one thread, float32; 2026-01-02\nlstm-wasm 1.2.3\n')
    expect(text).toMatch(/B1 T100 F64 H64 {2}lstm-wasm relaxed-simd +100 us +125 us +3 % +12\.3 +85 % +1\.00x/)
    expect(text).toMatch(/\n +tfjs-wasm +3\.40 ms .* 34\.0x/)
    expect(text).toMatch(/digits +plain-js +WRONG/)
    expect(text).toContain('peak of simd: 58.2 GF/s; loads from L1 115 GB/s')
    expect(text).toContain('not run: tfjs-cpu: not installed')
    expect(text).toContain('NOT TIMED: digits, plain-js: off by 1')
    expect(markdownResults(results)).toContain('| B1 T100 F64 H64 | lstm-wasm relaxed-simd | 100 us | 125 us | 3 % | 12.3 | 85 % |  | 1.00x |')
  })
})

describe('the chart of threads', () => {
  it('has the speed of each engine and number of threads, relative to ours with one', () => {
    const timed = (engine: string, threads: number, medianUs: number, variant = 'a'): Row => ({ ...row('B1 T100 F64 H64', engine, variant, medianUs), threads })
    const points = threadPoints([
      timed('lstm-wasm', 1, 100, 'simd'), timed('lstm-wasm', 1, 80, 'relaxed-simd'), timed('lstm-wasm 2 threads', 2, 40), timed('onnxruntime-node', 1, 160),
      wrongRow(timed('onnxruntime-node 2 threads', 2, 1), 1, 'its output is off'),
    ])
    expect(points.map(({ engine, threads, speed }) => [engine, threads, speed])).toEqual([['lstm-wasm', 1, 1], ['lstm-wasm', 2, 2], ['onnxruntime-node', 1, 0.5]])
  })
})
