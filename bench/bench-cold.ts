// npm run bench:cold
import { writeFile } from 'node:fs/promises'
import { measureCold } from './cold/measure-cold.ts'
import { INTERRUPTED, runCommand, UsageError } from './command.ts'
import { parseFlags } from './flags.ts'
import { describeMachine, describeRuntime, readVersions } from './machine.ts'
import { ENGINES, findEngines } from './engines/index.ts'
import { formatCold } from './report/cold-table.ts'
import { describe } from './report/table.ts'

const OPTIONS = {
  engine: { type: 'string' }, repetitions: { type: 'string' }, json: { type: 'string' }, markdown: { type: 'boolean' }, help: { type: 'boolean', short: 'h' },
} as const
const HELP = `Starts every engine in new processes: time from import to the first result (one LSTM of 128 units), resident memory,
and what a page downloads.

  npm run bench:cold -- [--engine LIST] [--repetitions N] [--json FILE] [--markdown]`

await runCommand('bench:cold', async (args, { signal, progress, onProgress }) => {
  const { engine, repetitions = '9', json, markdown = false, help } = parseFlags(args, OPTIONS)
  if (help) {
    console.log(HELP)
    return 0
  }
  if (!/^[1-9]\d*$/.test(repetitions)) throw new UsageError(`--repetitions: expected a whole number >= 1, got '${repetitions}'`)
  const engines = engine === undefined ? ENGINES : findEngines(engine).map((entry) => entry.engine)
  const cold = await measureCold({ repetitions: Number(repetitions), signal, onProgress, engines: engines.map(({ name }) => name) })
  progress.clear()
  if (signal.aborted) return INTERRUPTED
  const where = {
    machine: await describeMachine(), runtime: describeRuntime(), versions: await readVersions(engines.flatMap(({ packages }) => packages)),
    date: new Date().toISOString(), command: ['npm run bench:cold --', ...args].join(' '),
  }
  console.log(`${describe(where, 'one thread, float32')}\n\n${formatCold(cold, markdown ? 'markdown' : 'text')}`)
  if (json !== undefined) await writeFile(json, `${JSON.stringify({ ...where, ...cold }, null, 2)}\n`)
  return 0
})
