// The pages of the API: every option says its default, every module says what it throws, and people find what they look for by their own words.
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import MiniSearch from 'minisearch'
import { SEARCH_OPTIONS, unpacked } from '../assets/search-options.mjs'
import { ROOT } from '../paths.mjs'
import { FOLDER } from './built.mjs'

const MODULES = join(ROOT, 'build', 'api')
const modules = await Promise.all((await readdir(MODULES, { recursive: true })).filter((name) => name.endsWith('.md')).map(async (name) => (
  { name: name.slice(0, -3), markdown: await readFile(join(MODULES, name), 'utf8') }
)))

/** Properties that may be left out, as the tables of a module have them: `{ name, row }`. */
const optionsIn = (markdown) => markdown.split(/\n### /).slice(1).flatMap((section) => (
  [...section.matchAll(/^\| <a id=.*`(\w+)\?`.*$/gm)].map(([row, name]) => ({ name: `${section.split('\n')[0]}: ${name}`, row }))
))
/** Functions of a module: `{ name, text }`. */
const functionsIn = (markdown) => (markdown.split('\n## Functions\n')[1]?.split(/\n## /)[0] ?? '').split(/\n### /).slice(1).map((text) => ({ name: text.split('\n')[0], text }))
/** It has no argument. */
const THROWS_NOTHING = ['operators()']

test('each option of each module says its default, and each function what it throws', () => {
  const options = modules.flatMap(({ name, markdown }) => optionsIn(markdown).map((option) => ({ ...option, name: `${name} ${option.name}` })))
  assert.ok(options.length > 400, `${options.length} options`)
  assert.deepEqual(options.filter(({ row }) => !/\bdefault/i.test(row)).map(({ name }) => name), [])
  const functions = modules.flatMap(({ markdown }) => functionsIn(markdown))
  assert.ok(functions.length > 60, `${functions.length} functions`)
  const silent = functions.filter(({ text }) => !/#### Throws|\nThrows\n\nLstmError `/.test(text)).map(({ name }) => name)
  assert.deepEqual(silent, THROWS_NOTHING)
})

describe('the search', async () => {
  const search = MiniSearch.loadJS(unpacked(await readFile(join(FOLDER, 'search.json'), 'utf8')), SEARCH_OPTIONS)
  for (const [words, path] of [
    ['how many units', 'words.html#how-many-units-do-i-need'], ['dropout', /^api\/lstm-wasm\/layers\.html#dropout/], ['early stopping', /^(training|api\/lstm-wasm\/training)\.html/],
    ['num_units', /^words\.html/], ['n_hidden', /^words\.html/], ['projection', /\.html/], ['earlyStopping', /training\.html/], ['learning rate', /training\.html/],
    ['toOnnx', /export\.html/], ['threads', 'threads.html'], ['has no gradient', /^troubleshooting\.html/], ['onnxruntime', /^guides\/from-onnxruntime-web\.html/],
  ]) {
    test(`finds "${words}" among the first five`, () => {
      const found = search.search(words).slice(0, 5).map((result) => result.path)
      assert.ok(found.some((other) => (typeof path === 'string' ? other === path : path.test(other))), found.join(', '))
    })
  }
})
