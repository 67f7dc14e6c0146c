// npm run bench:score
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkCounts, INTERRUPTED, runCommand } from './command.ts'
import { parseFlags } from './flags.ts'
import { describeMachine, describeRuntime, readVersions } from './machine.ts'
import { digits } from './report/format.ts'
import { describe, textTable } from './report/table.ts'
import { measureScore, type ScoreRun, TIMESTEPS, writeModel, writeTable } from './score.ts'

const OPTIONS = { windows: { type: 'string' }, units: { type: 'string' }, workers: { type: 'string' }, json: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const
const HELP = `How fast lstm-wasm score goes through a Parquet file, and what memory it takes: windows of ${TIMESTEPS} rows of 8 columns, an LSTM, three classes.

  npm run bench:score -- [--windows N] [--units N] [--workers N,N] [--json FILE]      10000000 windows, 32 units, 1,2 workers unless given`

await runCommand('bench:score', async (args, { signal, onProgress, progress }) => {
  const { windows = '10000000', units = '32', workers = '1,2', json, help } = parseFlags(args, OPTIONS)
  if (help) {
    console.log(HELP)
    return 0
  }
  checkCounts({ windows, units })
  for (const count of workers.split(',')) checkCounts({ workers: count })
  const folder = await mkdtemp(join(tmpdir(), 'lstm-wasm-bench-score-'))
  try {
    await writeModel(join(folder, 'model.safetensors'), Number(units))
    await writeTable(join(folder, 'table.parquet'), Number(windows), (share) => onProgress(share, 'table', 'rows'))
    const runs: ScoreRun[] = []
    for (const count of workers.split(',').map(Number)) {
      await onProgress(0, `${count} workers`, 'windows')
      runs.push(await measureScore(folder, count, Number(windows), signal))
      if (signal.aborted) return INTERRUPTED
    }
    progress.clear()
    const where = {
      machine: await describeMachine(), runtime: describeRuntime(), versions: await readVersions([]), date: new Date().toISOString(),
      command: ['npm run bench:score --', ...args].join(' '),
    }
    console.log(describe(where, 'float32'))
    const rows = runs.map(({ workers: count, seconds, windowsASecond, peakBytes }) => [
      `${count}`, `${digits(seconds)} s`, Math.round(windowsASecond).toLocaleString('en'), `${digits((runs[0]?.seconds ?? 0) / seconds)}x`,
      peakBytes === undefined ? 'not told' : `${Math.round(peakBytes / 1e6)} MB`,
    ])
    console.log(`\n${textTable(['workers', 'time', 'windows/s', 'speed', 'largest memory'], rows, 1)}`)
    const isSame = new Set(runs.map(({ sha256 }) => sha256)).size === 1
    console.log(`the tables are ${isSame ? 'the same, byte for byte' : 'NOT the same'}`)
    if (json !== undefined) await writeFile(json, `${JSON.stringify({ ...where, runs }, null, 2)}\n`)
    return isSame ? 0 : 1
  } finally {
    await rm(folder, { recursive: true })
  }
})
