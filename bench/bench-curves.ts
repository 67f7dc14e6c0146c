// npm run bench:curves
import { writeFile } from 'node:fs/promises'
import { INTERRUPTED, runCommand } from './command.ts'
import { AXES } from './curves/axes.ts'
import { measureCurves } from './curves/measure-curves.ts'
import { parseFlags } from './flags.ts'
import { describeMachine, describeRuntime, readVersions } from './machine.ts'
import { ENGINES } from './engines/index.ts'
import { formatCurves } from './report/curve-table.ts'
import { describe } from './report/table.ts'

const OPTIONS = { json: { type: 'string' }, markdown: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const
const HELP = `How time and memory grow with units, timesteps and batch, of every engine.

  npm run bench:curves -- [--json FILE] [--markdown]

The charts in docs/ are drawn by npm run bench:publish.`

await runCommand('bench:curves', async (args, { signal, progress, onProgress }) => {
  const { json, markdown = false, help } = parseFlags(args, OPTIONS)
  if (help) {
    console.log(HELP)
    return 0
  }
  const curves = await measureCurves({ signal, onProgress })
  progress.clear()
  const where = {
    machine: await describeMachine(), runtime: describeRuntime(), versions: await readVersions(ENGINES.flatMap(({ packages }) => packages)),
    date: new Date().toISOString(), command: ['npm run bench:curves --', ...args].join(' '),
  }
  console.log([describe(where, 'one thread, float32'), ...AXES.map(({ name }) => formatCurves(curves, name, markdown ? 'markdown' : 'text'))].join('\n\n'))
  if (json !== undefined) await writeFile(json, `${JSON.stringify({ ...where, ...curves }, null, 2)}\n`)
  return curves.complete ? 0 : INTERRUPTED
})
