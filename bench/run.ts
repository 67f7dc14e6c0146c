// npm run bench
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { INTERRUPTED, runCommand } from './command.ts'
import { ROOT } from './places.ts'

if (!existsSync(new URL('dist/index.js', ROOT))) {
  console.error('bench: there is no dist/ yet: run `npm run build` first, or `npm run bench`')
  process.exit(2)
}
// Imported late: without dist/, the engines could not even be listed.
const { TOLERANCE } = await import('./cases.ts')
const { HELP, listing, readFlags } = await import('./flags.ts')
const { describeMachine, describeRuntime, l2BytesOf, readVersions } = await import('./machine.ts')
const { openDrawing } = await import('./report/drawing.ts')
const { whereText } = await import('./report/page.ts')
const { drawSpeed } = await import('./report/speed-chart.ts')
const { toJson } = await import('./report/results.ts')
const { formatResults, formatVerdicts, markdownResults } = await import('./report/table.ts')
const { compileRoofline } = await import('./roofline/compile.ts')
const { runSuite, SETTINGS } = await import('./suite.ts')
const { judge, targetsFor } = await import('./targets.ts')
const { mayUseVnni, measureWithoutVnni } = await import('./without-vnni.ts')

await runCommand('bench', async (args, { signal, progress, onProgress }) => {
  const flags = readFlags(args)
  if (flags.help || flags.list) {
    console.log(flags.help ? HELP : listing())
    return 0
  }
  const drawing = flags.svg === undefined ? undefined : await openDrawing('--svg: ')
  await compileRoofline()
  const machine = await describeMachine()
  const runtime = describeRuntime()
  const settings = { ...SETTINGS[flags.quick ? 'quick' : 'full'], l2Bytes: l2BytesOf(machine), signal }
  const measured = await runSuite({ cases: flags.cases, engines: flags.engines, settings, onProgress })
  if (flags.int8 && measured.complete && mayUseVnni()) {
    await onProgress(1, 'without VNNI', 'all cases, in a process of its own')
    const { rows, skipped, warnings } = await measureWithoutVnni(flags.cases.map(({ name }) => name), flags.quick, signal)
    measured.rows.push(...rows)
    measured.skipped.push(...skipped)
    measured.warnings.push(...warnings)
  }
  progress.clear()
  const versions = await readVersions(flags.engines.flatMap(({ engine }) => engine.packages))
  const command = ['npm run bench --', ...args].join(' ')
  const results = { machine, runtime, versions, date: new Date().toISOString(), command, tolerance: TOLERANCE, ...measured }
  console.log(flags.markdown ? markdownResults(results) : formatResults(results))
  if (flags.json !== undefined) await writeFile(flags.json, toJson(results))
  if (flags.svg !== undefined && drawing !== undefined) await writeFile(flags.svg, drawSpeed(drawing, results.rows, whereText(results)))
  if (!measured.complete) return INTERRUPTED
  const verdicts = judge(targetsFor(runtime), results.rows)
  if (flags.check) console.log(`\n${formatVerdicts(verdicts)}`)
  const wrong = measured.rows.some(({ checked }) => !checked)
  return wrong || (flags.check && verdicts.some(({ pass }) => pass === false)) ? 1 : 0
})
