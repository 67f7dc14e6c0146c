// npm run bench:curves
import { writeFile } from 'node:fs/promises'
import { INTERRUPTED, runCommand } from './command.mjs'
import { AXES } from './curves/axes.mjs'
import { measureCurves } from './curves/measure-curves.mjs'
import { parseFlags } from './flags.mjs'
import { describeMachine, describeRuntime, readVersions } from './machine.mjs'
import { ENGINES } from './engines/index.mjs'
import { formatCurves } from './report/curve-table.mjs'
import { describe } from './report/table.mjs'

const OPTIONS = /** @type {const} */ ({ json: { type: 'string' }, markdown: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } })
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
  console.log([describe(where), ...AXES.map(({ name }) => formatCurves(curves, name, markdown ? 'markdown' : 'text'))].join('\n\n'))
  if (json !== undefined) await writeFile(json, `${JSON.stringify({ ...where, ...curves }, null, 2)}\n`)
  return curves.complete ? 0 : INTERRUPTED
})
