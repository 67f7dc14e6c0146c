// npm run bench:latency
import { writeFile } from 'node:fs/promises'
import { INTERRUPTED, runCommand, UsageError } from './command.ts'
import { lstmWasm } from './engines/lstm-wasm.ts'
import { parseFlags } from './flags.ts'
import { measureEmptyCall, measureLatency } from './latency.ts'
import { describeMachine, describeRuntime, readVersions } from './machine.ts'
import { digits } from './report/format.ts'
import { describe, textTable } from './report/table.ts'

const OPTIONS = { steps: { type: 'string' }, json: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const
const HELP = `How even the steps of a stream are (64 units, 64 features, each timed by itself), and what a call costs before any arithmetic.

  npm run bench:latency -- [--steps N] [--json FILE]      N is 1000000 unless given`

await runCommand('bench:latency', async (args, { signal, progress, onProgress }) => {
  const { steps = '1000000', json, help } = parseFlags(args, OPTIONS)
  if (help) {
    console.log(HELP)
    return 0
  }
  if (!/^[1-9]\d*$/.test(steps)) throw new UsageError(`--steps: expected a whole number >= 1, got '${steps}'`)
  const latencies = []
  for (const [n, variant] of lstmWasm.variants.entries()) {
    if (!await lstmWasm.available(variant).then(() => true, () => false)) continue
    latencies.push(await measureLatency(variant, Number(steps), signal, (share) => onProgress((n + share) / lstmWasm.variants.length, variant, 'steps')))
    if (signal.aborted) return INTERRUPTED
  }
  const emptyCall = await measureEmptyCall()
  progress.clear()
  const where = {
    machine: await describeMachine(), runtime: describeRuntime(), versions: await readVersions([]), date: new Date().toISOString(),
    command: ['npm run bench:latency --', ...args].join(' '),
  }
  const us = (value: number) => `${digits(value)} us`
  const rows = latencies.map(({ variant, steps: count, medianUs, p99Us, p999Us, maxUs }) => (
    [variant, count.toLocaleString('en'), us(medianUs), us(p99Us), us(p999Us), us(maxUs), `${digits(p99Us / medianUs)}x`]
  ))
  console.log(`${describe(where, 'one thread, float32')}\n\n${textTable(['binary', 'steps', 'median', 'p99', 'p99.9', 'longest', 'p99 / median'], rows, 1)}\n`)
  console.log(`with ${us(latencies[0]?.clockUs ?? 0)} of the clock in each; a call of an empty model: run ${us(emptyCall.runUs)}, step ${us(emptyCall.stepUs)}`)
  if (json !== undefined) await writeFile(json, `${JSON.stringify({ ...where, latencies, emptyCall }, null, 2)}\n`)
  return 0
})
