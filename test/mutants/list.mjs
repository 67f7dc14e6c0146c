// The committed lists, one a room, and what is drawn for them. A mutation is known by its file and the text it replaces, not by
// a line's number: edits elsewhere leave it alone.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { applyTo, mutationsOf } from './mutators.mjs'
import { ROOMS, roomOf } from './rooms.mjs'

/**
 * @typedef {object} Mutant
 * @property {string} file
 * @property {string} find text that stands once in the file
 * @property {string} replace
 * @property {string} kind of the generator, or `by hand`
 * @property {string} [equivalent] why no test can tell
 */

const lists = new URL('lists/', import.meta.url)
const listOf = (room) => new URL(`${room}.json`, lists)

/** @returns {Mutant[]} */
function readList(room) {
  return existsSync(listOf(room)) ? JSON.parse(readFileSync(listOf(room), 'utf8')) : []
}

/** Every mutant of the lists, with its room and its key. */
export function readMutants() {
  return ROOMS.flatMap(({ name }) => readList(name).map((mutant) => ({ ...mutant, room: name, key: keyOf(mutant) })))
}

const digest = (...parts) => createHash('sha256').update(parts.join('\0')).digest('hex')

/** @param {Mutant} mutant */
export const keyOf = ({ file, find, replace }) => digest(file, find, replace).slice(0, 8)

/** Mutants whose text no longer stands in their file, once. `textOf` reads a file; undefined when there is none. */
export function staleOf(mutants, textOf) {
  return mutants.filter((mutant) => applyTo(textOf(mutant.file) ?? '', mutant) === undefined)
}

/** Files of src/ and assembly/, but for the binaries. */
function sourcesOf(root) {
  return ['assembly/', 'src/'].flatMap((folder) => readdirSync(new URL(folder, root), { recursive: true })
    .map((name) => `${folder}${name.replaceAll('\\', '/')}`)
    .filter((file) => file.endsWith('.ts') && !/^src\/(contract|runtime\/binaries)\//.test(file))).sort()
}

/**
 * Mutations for a room, in the order they are taken: by a hash with the seed, a kind after the other, and one a text, so
 * that what is drawn depends on nothing but the seed and the texts themselves.
 */
function drawn(candidates, seed) {
  const kinds = new Map()
  for (const one of candidates) kinds.set(one.kind, [...kinds.get(one.kind) ?? [], { ...one, order: digest(seed, keyOf(one)) }])
  const queues = [...kinds.values()].map((queue) => queue.sort((a, b) => (a.order < b.order ? -1 : 1)))
  const order = []
  for (let n = 0; queues.some((queue) => n < queue.length); n++) order.push(...queues.flatMap((queue) => queue.slice(n, n + 1)))
  return order
}

/**
 * Drops what no longer applies and draws anew until every room has its count, of files that have none first. Mutants by hand are
 * never dropped: their text is for a person to mend. @returns what was dropped and added, in words
 */
export function extend(root, seed) {
  const said = []
  const textOf = (file) => (existsSync(new URL(file, root)) ? readFileSync(new URL(file, root), 'utf8') : undefined)
  const candidates = sourcesOf(root).flatMap((file) => mutationsOf(file, textOf(file)))
  for (const { name, count } of ROOMS) {
    const before = readList(name)
    const stale = staleOf(before, textOf).filter(({ kind }) => kind !== 'by hand')
    const kept = before.filter((mutant) => !stale.includes(mutant))
    const taken = new Set(kept.map(({ file, find }) => `${file}\n${find}`))
    const generated = kept.filter(({ kind }) => kind !== 'by hand').length
    const known = new Set(kept.map(({ file }) => file))
    const added = []
    const order = drawn(candidates.filter((one) => roomOf(one.file)?.name === name), seed)
    for (const onlyNew of [true, false]) {
      for (const { file, find, replace, kind } of order) {
        if (generated + added.length >= count) break
        if (taken.has(`${file}\n${find}`) || (onlyNew && known.has(file))) continue
        taken.add(`${file}\n${find}`)
        known.add(file)
        added.push({ file, find, replace, kind })
      }
    }
    const all = [...kept, ...added].sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0))
    writeFileSync(listOf(name), `[\n${all.map((mutant) => `  ${JSON.stringify(mutant)}`).join(',\n')}\n]\n`)
    said.push(`${name}: ${stale.length} dropped, ${added.length} added, ${all.length} in all`)
  }
  return said
}
