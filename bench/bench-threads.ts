// npm run bench:threads
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { findCases, TOLERANCE } from './cases.ts'
import { checkCounts, INTERRUPTED, runCommand } from './command.ts'
import { contendersUpTo, THREAD_CASES } from './engines/threads.ts'
import { parseFlags } from './flags.ts'
import { describeMachine, describeRuntime, l2BytesOf, readVersions } from './machine.ts'
import { ROOT } from './places.ts'
import { openDrawing } from './report/drawing.ts'
import { whereText } from './report/page.ts'
import { toJson, type Results } from './report/results.ts'
import { formatResults } from './report/table.ts'
import { drawThreads, threadPoints } from './report/thread-chart.ts'
import { compileRoofline } from './roofline/compile.ts'
import { runSuite, SETTINGS } from './suite.ts'

const FOLDER = new URL('docs/benchmark/', ROOT)
const OPTIONS = {
  most: { type: 'string' }, case: { type: 'string' }, quick: { type: 'boolean' }, render: { type: 'boolean' }, help: { type: 'boolean', short: 'h' },
} as const
const HELP = `Speed over the number of threads: sequences, batches and both directions, of this library, onnxruntime-node and onnxruntime-web
(npm run bench:setup). Writes docs/benchmark/threads.json and the chart of docs/threads.md, docs/benchmark/threads.svg.

  npm run bench:threads                     from one thread to as many as there are processors, 8 at most
  npm run bench:threads -- --most N         up to N threads
  npm run bench:threads -- --case NAME,...  other cases than those that threads are for
  npm run bench:threads -- --quick          shorter rounds
  npm run bench:threads -- --render         only draws the chart again`

await runCommand('bench:threads', async (args, { signal, progress, onProgress }) => {
  const { most = String(Math.min(8, availableParallelism())), case: cases = THREAD_CASES.join(','), quick = false, render = false, help } = parseFlags(args, OPTIONS)
  if (help) {
    console.log(HELP)
    return 0
  }
  checkCounts({ most })
  const drawing = await openDrawing()
  await mkdir(FOLDER, { recursive: true })
  const file = new URL('threads.json', FOLDER)
  if (!render) {
    await compileRoofline()
    const machine = await describeMachine()
    const engines = contendersUpTo(Number(most))
    const measured = await runSuite({
      cases: findCases(cases), engines: engines.map((engine) => ({ engine, variants: engine.variants })), onProgress,
      settings: { ...SETTINGS[quick ? 'quick' : 'full'], l2Bytes: l2BytesOf(machine), signal },
    })
    progress.clear()
    if (!measured.complete) return INTERRUPTED
    const results = {
      machine, runtime: describeRuntime(), versions: await readVersions(engines.flatMap(({ packages }) => packages)), date: new Date().toISOString(),
      command: ['npm run bench:threads --', ...args].join(' '), tolerance: TOLERANCE, ...measured,
    }
    console.log(formatResults(results))
    await writeFile(file, toJson(results))
  }
  const results = JSON.parse(await readFile(file, 'utf8')) as Results
  await writeFile(new URL('threads.svg', FOLDER), drawThreads(drawing, threadPoints(results.rows), whereText(results)))
  console.log('wrote docs/benchmark/threads.json and docs/benchmark/threads.svg')
  return results.rows.some(({ checked }) => !checked) ? 1 : 0
})
