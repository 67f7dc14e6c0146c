// Runs the matrix: node test/runtimes/run.mjs [--list] [--only node22,deno] [--allow-missing chromium,firefox]
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { executableOf, runCell } from './cell.mjs'
import { RUNTIMES, VARIANTS } from './matrix.mjs'
import { DIST } from './paths.mjs'
import { formatFailures, formatTable } from './table.mjs'

const { values: options } = parseArgs({
  options: { 'list': { type: 'boolean' }, 'only': { type: 'string' }, 'allow-missing': { type: 'string' } },
})
const only = runtimesOf('only')
const mayBeMissing = runtimesOf('allow-missing') ?? []
const runtimes = RUNTIMES.filter(({ name }) => only?.includes(name) ?? true)

if (options.list) {
  for (const runtime of runtimes) console.log(`${runtime.name.padEnd(9)} ${executableOf(runtime) ?? 'not installed'}`)
  process.exit()
}
if (!existsSync(DIST)) stop('there is no dist/: run `npm run build` first')

const rows = []
for (const runtime of runtimes) {
  for (const variant of VARIANTS) {
    process.stdout.write(`${runtime.name} ${variant} ... `)
    const row = await runCell(runtime, variant, mayBeMissing.includes(runtime.name))
    console.log(row.ok === false ? `FAILED: ${row.result.split('\n')[0]}` : row.result)
    rows.push(row)
  }
}

const simdHash = compareHashes(rows.filter(({ ok, variant, hash }) => ok && variant === 'simd' && hash !== undefined), ({ hash }) => hash)
// Products of 8 bits are whole numbers: the same in both binaries.
const int8Hash = compareHashes(rows.filter(({ ok, int8 }) => ok && int8 !== undefined), ({ int8 }) => int8.hash)
const passed = rows.filter(({ ok }) => ok === true).length
const failed = rows.filter(({ ok }) => ok === false).length
console.log(`\n${formatTable(rows)}\n`)
if (failed > 0) console.log(`${formatFailures(rows)}\n`)
if (simdHash !== undefined) console.log(`hash of all outputs of simd: ${simdHash}`)
if (int8Hash !== undefined) console.log(`hash of all products of 8 bits: ${int8Hash}`)
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 && passed > 0 ? 0 : 1)

/** What must be the same bits everywhere: a cell that differs from most has failed. @returns the usual hash */
function compareHashes(cells, hashOf) {
  const counts = new Map()
  for (const cell of cells) counts.set(hashOf(cell), (counts.get(hashOf(cell)) ?? 0) + 1)
  const [usual] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? []
  for (const cell of cells) {
    if (hashOf(cell) !== usual) Object.assign(cell, { ok: false, result: `its outputs have the hash ${hashOf(cell)}, those of other runtimes ${usual}` })
  }
  return usual
}

/** Names of runtimes given to an option, or undefined without it. */
function runtimesOf(option) {
  const names = options[option]?.split(',')
  for (const name of names ?? []) {
    if (!RUNTIMES.some((runtime) => runtime.name === name)) stop(`--${option}: expected ${RUNTIMES.map((runtime) => runtime.name).join(', ')}, got '${name}'`)
  }
  return names
}

function stop(message) {
  console.error(message)
  process.exit(1)
}
