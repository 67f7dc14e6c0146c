// The package, as npm packs it, in every place: node test/everywhere/run.mjs [--only node,pages] [--list] [--write]
// --write puts the table into docs/places.md.
import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { ANSWER, clear } from './packed.mjs'
import { closeBrowsers } from './pages.mjs'
import { GROUPS } from './places.mjs'

const { values: options } = parseArgs({ options: { only: { type: 'string' }, list: { type: 'boolean' }, write: { type: 'boolean' } } })
const only = options.only?.split(',')
const unknown = only?.find((name) => !GROUPS.some(({ group }) => group === name))
if (unknown !== undefined) {
  console.error(`--only: expected ${GROUPS.map(({ group }) => group).join(', ')}, got '${unknown}'`)
  process.exit(1)
}

const rows = []
for (const { group, prepare, places } of GROUPS.filter(({ group }) => only?.includes(group) ?? true)) {
  if (options.list) {
    for (const name of Object.keys(places)) console.log(`${group.padEnd(13)} ${name}`)
    continue
  }
  const begin = performance.now()
  let folder
  let broken
  try {
    folder = await prepare()
  } catch (error) {
    broken = error
  }
  const prepared = performance.now() - begin
  for (const [name, place] of Object.entries(places)) {
    const { run, expected = ANSWER } = typeof place === 'function' ? { run: place } : place
    const start = performance.now()
    let result
    try {
      if (broken !== undefined) throw broken
      result = await run(folder)
    } catch (error) {
      result = error.message
    }
    const row = { group, name, ok: result === expected, result, seconds: (performance.now() - start) / 1000, prepared: prepared / 1000 }
    rows.push(row)
    console.log(`${row.ok ? 'ok    ' : 'FAILED'} ${name} (${row.seconds.toFixed(1)} s${prepared > 0 ? `, built in ${(prepared / 1000).toFixed(1)} s` : ''})${row.ok ? '' : `: ${result}`}`)
  }
}
await closeBrowsers()
await clear()
if (options.list) process.exit()

const passed = rows.filter(({ ok }) => ok).length
if (options.write && passed === rows.length && only === undefined) await publish(rows)
console.log(`${passed} passed, ${rows.length - passed} failed`)
process.exit(passed === rows.length && passed > 0 ? 0 : 1)

/** The table of docs/places.md: every place that gave the answer, and the seconds from an empty folder to there. */
async function publish(found) {
  const page = new URL('../../docs/places.md', import.meta.url)
  const table = [
    '| place | installed, built and answered in |', '| --- | ---: |', ...found.map(({ name, prepared, seconds }) => `| ${name} | ${Math.ceil(prepared + seconds)} s |`),
  ].join('\n')
  const text = await readFile(page, 'utf8')
  await writeFile(page, text.replace(/(<!-- places:begin -->\n)[\s\S]*(<!-- places:end -->)/, `$1${table}\n$2`))
}
