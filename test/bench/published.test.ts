// What is published of the benchmark: pages and charts are those of the figures that lie beside them.
import { readdir, readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { CURVE_ENGINES } from '../../bench/curves/axes.ts'
import { ENGINES } from '../../bench/engines/index.ts'
import { betweenMarkers } from '../../bench/report/markers.ts'
import { CHARTS, readmeTable, resultsPage, whereText, type Published } from '../../bench/report/page.ts'

const read = (path: string): Promise<string> => readFile(new URL(`../../${path}`, import.meta.url), 'utf8')
const readJson = async (name: string): Promise<unknown> => JSON.parse(await read(`docs/benchmark/${name}.json`)) as unknown

describe('what is published', async () => {
  const published = {
    results: await readJson('results'), cold: await readJson('cold'), curves: await readJson('curves'),
  } as Published

  it('is made of the figures beside it', async () => {
    expect(await read('docs/benchmark.md')).toBe(resultsPage(published))
    expect(await read('docs/benchmark/speed.svg')).toContain(whereText(published.results))
    const readme = await read('README.md')
    expect(readme).toBe(betweenMarkers(readme, 'benchmark', readmeTable(published.results)))
  })

  it('has every case of every engine, right or wrong, and says where it comes from', () => {
    const { results } = published
    expect(new Set(results.rows.map(({ engine }) => engine))).toEqual(new Set(ENGINES.map(({ name }) => name)))
    expect(results.rows.filter((row) => (row.checked ? !(row.medianUs > 0) : row.error === ''))).toEqual([])
    expect(results).toMatchObject({ complete: true, tolerance: 2e-5, command: 'npm run bench:publish' })
    expect(Object.keys(results.versions)).toEqual(expect.arrayContaining(['lstm-wasm', 'onnxruntime-web', '@tensorflow/tfjs']))
    expect(published.curves.times.filter(({ engine }) => !CURVE_ENGINES.includes(engine))).toEqual([])
  })

  it('has all its charts, for light and dark backgrounds, with words for those who do not see them', async () => {
    const files = await readdir(new URL('../../docs/benchmark/', import.meta.url))
    expect(files.filter((name) => name.endsWith('.svg')).sort()).toEqual([...CHARTS, 'quantization', 'threads', 'training-loss'].map((name) => `${name}.svg`).sort())
    for (const name of [...CHARTS, 'threads', 'training-loss']) {
      const svg = await read(`docs/benchmark/${name}.svg`)
      expect(svg).toMatch(/^<svg [^>]*aria-label="[^"]{20,}"/)
      expect(svg).toContain('prefers-color-scheme: dark')
      expect(svg).toMatch(/>lstm-wasm( relaxed-simd)?<\/text>/)
      expect(svg).not.toMatch(/NaN|undefined|<script/)
    }
  })
})
