// npm run bench:publish: measures everything, and writes docs/benchmark.md, its charts, and the table of the README.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { TOLERANCE, CASES } from './cases.ts'
import { measureCold } from './cold/measure-cold.ts'
import { INTERRUPTED, runCommand, UsageError, type Tools } from './command.ts'
import { measureCurves } from './curves/measure-curves.ts'
import { ENGINES } from './engines/index.ts'
import { parseFlags } from './flags.ts'
import { describeMachine, describeRuntime, l2BytesOf, readVersions } from './machine.ts'
import { drawCurves } from './report/curve-chart.ts'
import { ROOT } from './places.ts'
import { openDrawing } from './report/drawing.ts'
import { CHARTS, readmeTable, resultsPage, whereText } from './report/page.ts'
import { betweenMarkers } from './report/markers.ts'
import { drawSpeed } from './report/speed-chart.ts'
import { compileRoofline } from './roofline/compile.ts'
import { runSuite, SETTINGS } from './suite.ts'

const FOLDER = new URL('docs/benchmark/', ROOT)
const OPTIONS = { render: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const
const HELP = `Measures all cases, cold starts and curves with all engines (about ten minutes on a quiet machine), and writes
docs/benchmark.md, docs/benchmark/*.json and *.svg, and the table of README.md.

  npm run bench:publish              needs npm run bench:setup; run it with the runtime whose figures are to be published
  npm run bench:publish -- --render  only writes pages and charts again, from docs/benchmark/*.json`

/** Shares of the progress line: all cases, cold starts, curves. */
const SHARES = { cases: 0.55, cold: 0.08, curves: 0.37 }

await runCommand('bench:publish', async (args, tools) => {
  const { render = false, help } = parseFlags(args, OPTIONS)
  if (help) {
    console.log(HELP)
    return 0
  }
  const drawing = await openDrawing()
  if (!render && !await measureAll(tools)) return INTERRUPTED
  await renderAll(drawing)
  return 0
})

/** @returns false where it was stopped */
async function measureAll({ signal, progress, onProgress }: Tools): Promise<boolean> {
  await compileRoofline()
  const machine = await describeMachine()
  const settings = { ...SETTINGS.full, l2Bytes: l2BytesOf(machine), signal }
  const engines = ENGINES.map((engine) => ({ engine, variants: engine.variants }))
  let before = 0
  const within = (share: number) => (part: number, title: string, what: string) => (
    onProgress(before + part * share, title, what)
  )
  const measured = await runSuite({ cases: CASES, engines, settings, onProgress: within(SHARES.cases) })
  before += SHARES.cases
  const missing = measured.skipped.filter(({ engine }) => engine !== 'lstm-wasm')
  if (missing.length > 0) throw new UsageError(missing.map(({ engine, reason }) => `${engine}: ${reason}`).join('; '))
  const cold = await measureCold({ repetitions: 11, signal, onProgress: within(SHARES.cold) })
  before += SHARES.cold
  const curves = await measureCurves({ signal, onProgress: within(SHARES.curves) })
  progress.clear()
  if (signal.aborted) return false
  const results = {
    machine, runtime: describeRuntime(), versions: await readVersions(ENGINES.flatMap(({ packages }) => packages)),
    date: new Date().toISOString(), command: 'npm run bench:publish', tolerance: TOLERANCE, ...measured,
  }
  await mkdir(FOLDER, { recursive: true })
  for (const [name, data] of Object.entries({ results, cold, curves })) await writeFile(new URL(`${name}.json`, FOLDER), `${JSON.stringify(data, null, 1)}\n`)
  return true
}

async function renderAll(drawing: Awaited<ReturnType<typeof openDrawing>>) {
  const read = async (name: string) => JSON.parse(await readFile(new URL(`${name}.json`, FOLDER), 'utf8'))
  const [results, cold, curves] = await Promise.all(['results', 'cold', 'curves'].map(read))
  for (const chart of CHARTS) {
    const [axis = '', kind] = chart.split('-')
    const svg = chart === 'speed' ? drawSpeed(drawing, results.rows, whereText(results)) : drawCurves(drawing, axis, kind === 'time' ? 'time' : 'memory', curves)
    await writeFile(new URL(`${chart}.svg`, FOLDER), svg)
  }
  await writeFile(new URL('docs/benchmark.md', ROOT), resultsPage({ results, cold, curves }))
  const readme = new URL('README.md', ROOT)
  await writeFile(readme, betweenMarkers(await readFile(readme, 'utf8'), 'benchmark', readmeTable(results)))
  console.log('wrote docs/benchmark.md, docs/benchmark/*.svg and the table of README.md')
}
