// Mutation testing: npm run test:mutants -- [--only src/streams,assembly/cell] [--sample 50] [--key 1a2b3c4d] [--shard 1/4] [--again]
//   [--quick] [--equivalent] [--fresh] [--list] [--extend] [--seed 1]. See README.md beside this file.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { parseArgs } from 'node:util'
import { extend, readMutants, staleOf } from './list.mjs'
import { formatDiff, formatReport, shareKilled } from './report.mjs'
import { LEFT_OUT, ROOMS, WANTS_DIST } from './rooms.mjs'
import { AppliedMutant, Tree } from './tree.mjs'

const LEAST_KILLED = 0.95
/** Test files that take longer, in milliseconds, are left for the second round. */
const QUICK = 20_000
const root = new URL('../../', import.meta.url)
const results = new URL('build/mutants/results.json', root)

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' }, sample: { type: 'string' }, key: { type: 'string' }, shard: { type: 'string' }, again: { type: 'boolean' }, quick: { type: 'boolean' },
    equivalent: { type: 'boolean' }, fresh: { type: 'boolean' }, list: { type: 'boolean' }, extend: { type: 'boolean' }, seed: { type: 'string', default: '1' },
  },
})
if (options.extend) {
  for (const line of extend(root, options.seed)) console.log(line)
  process.exit()
}

const all = readMutants()
const textOf = (file) => (existsSync(new URL(file, root)) ? readFileSync(new URL(file, root), 'utf8') : undefined)
const stale = staleOf(all, textOf)
if (stale.length > 0) {
  console.error(`${stale.map((mutant) => `${mutant.key} ${mutant.kind}\n${formatDiff(mutant)}`).join('\n\n')}\n\n${stale.length} mutants no longer apply: `
    + 'their text does not stand once in the file. `npm run test:mutants -- --extend` draws others for those that were drawn; mend those made by hand.')
  process.exit(2)
}

const mutants = chosen(all)
if (options.list) {
  for (const mutant of mutants) console.log(`${mutant.key} ${mutant.room}, ${mutant.kind}\n${formatDiff(mutant)}`)
  process.exit()
}
if (mutants.length === 0) {
  console.error('no mutant is chosen')
  process.exit(2)
}

mkdirSync(new URL('build/mutants/', root), { recursive: true })
const fingerprint = fingerprintOf()
const before = existsSync(results) && !options.fresh ? JSON.parse(readFileSync(results, 'utf8')) : {}
const tree = new Tree(root)
process.on('exit', () => tree.dispose())
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130))
const durations = new Map()
const verdicts = []
for (const [n, mutant] of mutants.entries()) {
  const known = knownVerdict(mutant)
  const verdict = known ?? await judge(mutant)
  verdicts.push({ key: mutant.key, room: mutant.room, verdict: verdict.verdict })
  if (known === undefined) {
    // What quick tests do not see, others may.
    if (!options.quick || verdict.verdict === 'killed') before[mutant.key] = { ...verdict, fingerprint }
    writeFileSync(results, JSON.stringify(before, null, 1))
    console.log(`${n + 1}/${mutants.length} ${mutant.key} ${verdict.verdict}: ${mutant.file}, ${mutant.kind}${verdict.by === undefined ? '' : `; ${verdict.by}`}`)
  }
}
console.log(`\n${formatReport(mutants, verdicts)}`)
process.exit(shareKilled(verdicts) >= LEAST_KILLED ? 0 : 1)

/** Those that the options ask for. */
function chosen(from) {
  const starts = options.only?.split(',')
  const keys = options.key?.split(',')
  const [shard, shards] = options.shard?.split('/').map(Number) ?? [1, 1]
  const isAsked = ({ file, room, key }) => (starts?.some((start) => file.startsWith(start) || room === start) ?? true) && (keys?.includes(key) ?? true)
  const asked = from.filter(isAsked).filter((_, n) => n % shards === shard - 1)
  if (options.sample === undefined) return asked
  return [...asked].sort((a, b) => (a.key < b.key ? -1 : 1)).slice(0, Number(options.sample))
}

/** A verdict that stands: of a run with the same sources and tests; with --again, whatever was killed before stays so. */
function knownVerdict({ key, equivalent }) {
  if (equivalent !== undefined && !options.equivalent) return { verdict: 'equivalent' }
  const known = before[key]
  if (options.again) return known?.verdict === 'killed' ? known : undefined
  return known?.fingerprint === fingerprint ? known : undefined
}

function fingerprintOf() {
  const hash = createHash('sha256').update(process.version)
  for (const folder of ['src/', 'assembly/', 'test/']) {
    for (const file of readdirSync(new URL(folder, root), { recursive: true }).filter((name) => name.endsWith('.ts')).sort()) {
      hash.update(file).update(readFileSync(new URL(`${folder}${file}`, root)))
    }
  }
  return hash.digest('hex').slice(0, 16)
}

/** Test files whose paths begin with one of these. */
function testsOf(starts, dist) {
  const files = tree.tests
  const passedOver = dist ? LEFT_OUT : [...LEFT_OUT, ...WANTS_DIST]
  const wanted = starts.flatMap((start) => files.filter((file) => file.startsWith(start) && !passedOver.some((one) => file.startsWith(one))))
  return [...new Set(wanted)]
}

/** Whether a test sees a mutant: the quick tests of its room are asked first, the others when they have seen nothing. */
async function judge(mutant) {
  const room = ROOMS.find(({ name }) => name === mutant.room)
  const { near, far = [], dist = false } = room
  const known = testsOf(near, dist)
  await prove(known, dist)
  const quick = known.filter((file) => durations.get(file) < QUICK)
  const others = [...new Set([...known, ...testsOf(far, dist)])].filter((file) => !quick.includes(file))
  const applied = new AppliedMutant(tree, mutant, room)
  try {
    for (const files of options.quick ? [quick] : [quick, others]) {
      if (files.some((file) => !durations.has(file))) await applied.undo()
      await prove(files, dist)
      const time = files.reduce((sum, file) => sum + durations.get(file), 0)
      applied.apply()
      const { passed, failure } = await tree.test(likeliestFirst(files, mutant.room), applied.changed, 30_000 + 5 * time)
      if (!passed) return { verdict: 'killed', by: failure }
    }
    return { verdict: 'survived' }
  } catch (error) {
    return { verdict: 'killed', by: `it does not build: ${String(error.stderr ?? error).trim().split('\n')[0]}` }
  } finally {
    await applied.undo()
  }
}

/** In the order of how many of the room's mutants a file has killed by now, for the time it takes. */
function likeliestFirst(files, room) {
  const killers = all.filter((mutant) => mutant.room === room).map(({ key }) => before[key]?.by?.split(/ > |: /)[0])
  const worth = new Map(files.map((file) => [file, (killers.filter((one) => one === file).length + 0.5) / durations.get(file)]))
  return [...files].sort((a, b) => worth.get(b) - worth.get(a))
}

/** Test files pass without a mutation, each once; how long they take. */
async function prove(files, dist) {
  const unproved = files.filter((file) => !durations.has(file))
  if (unproved.length > 0 && dist) tree.buildPackage()
  for (const file of unproved) {
    const start = performance.now()
    const { passed, failure } = await tree.test([file], [], 300_000)
    if (!passed) {
      console.error(`without a mutation: ${failure}`)
      process.exit(2)
    }
    durations.set(file, performance.now() - start)
  }
}
