// npm run bench
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'

if (!existsSync(new URL('../dist/index.js', import.meta.url))) {
  console.error('bench: there is no dist/ yet: run `npm run build` first, or `npm run bench`')
  process.exit(2)
}
// Imported late: without dist/, the engines could not even be listed.
const { TOLERANCE } = await import('./cases.mjs')
const { HELP, listing, readFlags, UsageError } = await import('./flags.mjs')
const { describeMachine, describeRuntime, l2BytesOf, readVersions } = await import('./machine.mjs')
const { progressLine } = await import('./progress.mjs')
const { toJson } = await import('./report/results.mjs')
const { formatResults, formatVerdicts, markdownResults } = await import('./report/table.mjs')
const { compileRoofline } = await import('./roofline/compile.mjs')
const { runSuite, SETTINGS } = await import('./suite.mjs')
const { judge, targetsFor } = await import('./targets.mjs')

const INTERRUPTED = 130

process.exit(await main(process.argv.slice(2)).catch((error) => {
  if (!(error instanceof UsageError)) throw error
  console.error(`bench: ${error.message}`)
  return 2
}))

/**
 * @param {readonly string[]} args
 * @returns {Promise<number>} exit code
 */
async function main(args) {
  const flags = readFlags(args)
  if (flags.help || flags.list) {
    console.log(flags.help ? HELP : listing())
    return 0
  }
  await compileRoofline()
  const machine = await describeMachine()
  const runtime = describeRuntime()
  const progress = progressLine(process.stderr)
  const controller = new AbortController()
  process.on('SIGINT', () => {
    if (controller.signal.aborted) process.exit(INTERRUPTED)
    controller.abort()
    progress.clear()
    console.error('stopping after this turn; once more stops at once')
  })
  const settings = { ...SETTINGS[flags.quick ? 'quick' : 'full'], l2Bytes: l2BytesOf(machine), signal: controller.signal }
  const measured = await runSuite({
    cases: flags.cases, engines: flags.engines, settings,
    async onProgress(share, title, what) {
      progress.show(share, title, what)
      await new Promise((resolve) => setImmediate(resolve)) // so that Ctrl-C is heard
    },
  })
  progress.clear()
  const versions = await readVersions(flags.engines.flatMap(({ engine }) => engine.packages))
  const command = ['npm run bench --', ...args].join(' ')
  const results = { machine, runtime, versions, date: new Date().toISOString(), command, tolerance: TOLERANCE, ...measured }
  console.log(flags.markdown ? markdownResults(results) : formatResults(results))
  if (flags.json !== undefined) await writeFile(flags.json, toJson(results))
  if (!measured.complete) return INTERRUPTED
  const verdicts = judge(targetsFor(runtime), results.rows)
  if (flags.check) console.log(`\n${formatVerdicts(verdicts)}`)
  const wrong = results.rows.some(({ checked }) => !checked)
  return wrong || (flags.check && verdicts.some(({ pass }) => pass === false)) ? 1 : 0
}
