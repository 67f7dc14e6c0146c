// Cold starts and curves, and what makes pages of them.
import { beforeAll, describe, expect, it } from 'vitest'
import { compileBench } from '../../bench/compile.mjs'
import { filesLoaded, runProcess } from '../../bench/cold/processes.ts'
import { AXES } from '../../bench/curves/axes.ts'
import { measureCurves } from '../../bench/curves/measure-curves.ts'
import { formatBytes, formatCold } from '../../bench/report/cold-table.ts'
import { formatCurves } from '../../bench/report/curve-table.ts'
import { apart } from '../../bench/report/drawing.ts'
import { betweenMarkers } from '../../bench/report/markers.ts'

describe('markers', () => {
  it('keep what is around them', () => {
    const text = 'a\n<!-- x:begin -->\nold\n<!-- x:end -->\nb'
    expect(betweenMarkers(text, 'x', 'new')).toBe('a\n<!-- x:begin -->\nnew\n<!-- x:end -->\nb')
  })

  it.each(['nothing', '<!-- x:begin -->', '<!-- x:end --><!-- x:begin -->', '<!-- x:begin --><!-- x:begin --><!-- x:end -->'])('must be there: %s', (text) => {
    expect(() => betweenMarkers(text, 'x', '')).toThrow('expected <!-- x:begin --> and <!-- x:end --> once each')
  })
})

describe('cold starts', () => {
  beforeAll(compileBench)

  it('are measured in new processes, of an engine and of none', async () => {
    const engine = await runProcess('plain-js', [1, 2, 3, 5])
    const none = await runProcess('none', [1, 2, 3, 5])
    expect(engine.milliseconds).toBeGreaterThan(0)
    expect(none.milliseconds).toBe(0)
    for (const { rssBytes, peakBytes } of [engine, none]) {
      expect(rssBytes).toBeGreaterThan(10e6)
      expect(peakBytes).toBeGreaterThanOrEqual(rssBytes * 0.9)
      expect(peakBytes).toBeLessThan(1e9)
    }
  })

  it('know which files were loaded', async () => {
    const files = await filesLoaded('lstm-wasm', [1, 2, 3, 5])
    expect(files.some((path) => path.endsWith('dist/index.js') || path.endsWith('dist\\index.js'))).toBe(true)
    expect(files.filter((path) => /onnx\.js|keras\.js|cli\.js/.test(path))).toEqual([])
  })

  it('say what failed', async () => {
    await expect(runProcess('no-such-engine', [1, 2, 3, 5])).rejects.toThrow('no-such-engine')
  })

  it('are a table', () => {
    const size = { bytes: 3000, gzip: 2000, brotli: 1500 }
    const rows = [
      { engine: 'lstm-wasm', firstResultMs: 12.34, fastestMs: 11, slowestMs: 20, memoryBytes: 5.5e6, download: { js: size, wasm: { bytes: 0, gzip: 0, brotli: 0 } } },
      { engine: 'onnxruntime-node', firstResultMs: 50, fastestMs: 40, slowestMs: 60, memoryBytes: -1, download: null },
    ]
    const text = formatCold({ bareBytes: 42e6, rows, skipped: [{ engine: 'tfjs-cpu', reason: 'not installed' }] }, 'markdown')
    expect(text).toContain('| lstm-wasm | 12.3 ms | 11.0 .. 20.0 | 5.50 MB | 2.00 kB |  | 2.00 kB | 1.50 kB |')
    expect(text).toContain('| onnxruntime-node | 50.0 ms | 40.0 .. 60.0 | 0 B | - | - | - | - |')
    expect(text).toContain('beyond the 42.0 MB of the runtime alone')
    expect(text).toContain('not run: tfjs-cpu: not installed')
    expect([999, 12_345, 3.66e6, 1e9].map(formatBytes)).toEqual(['999 B', '12.3 kB', '3.66 MB', '1.00 GB'])
  })
})

describe('curves', () => {
  it('span the sizes they promise', () => {
    expect(AXES.map(({ name, values }) => [name, values[0], values.at(-1)])).toEqual([['units', 8, 2048], ['timesteps', 1, 10_000], ['batch', 1, 512]])
    expect(AXES.filter(({ values, memoryValues }) => memoryValues.some((value) => !values.includes(value)))).toEqual([])
  })

  it('measure time and memory, size by size', async () => {
    const axes = AXES.map((axis) => ({ ...axis, values: [1, 2], memoryValues: axis.name === 'batch' ? [2] : [] })).slice(2)
    const curves = await measureCurves({ signal: new AbortController().signal, onProgress: () => undefined, axes, engines: ['lstm-wasm', 'plain-js'] })
    expect(curves.skipped).toEqual([])
    expect(curves.times.map(({ axis, engine, value }) => [axis, engine, value])).toEqual([
      ['batch', 'lstm-wasm', 1], ['batch', 'plain-js', 1], ['batch', 'lstm-wasm', 2], ['batch', 'plain-js', 2],
    ])
    expect(curves.times.filter(({ medianUs }) => !(medianUs > 0))).toEqual([])
    expect(curves.memory.map(({ engine, value }) => [engine, value])).toEqual([['lstm-wasm', 2], ['plain-js', 2]])
    expect(formatCurves(curves, 'batch', 'markdown')).toMatch(/\| 2 \| [\d.]+ [um]s, [\d.]+ (k|M)?B \| [\d.]+ [um]s, /)
  })

  it('have names at their ends that do not lie over each other', () => {
    expect(apart([10, 100, 12], 16, 200)).toEqual([10, 100, 26])
    expect(apart([195, 198, 50], 16, 200)).toEqual([184, 200, 50])
    expect(apart([], 16, 200)).toEqual([])
  })
})
