// The pages of the API: every option says its default, every module says what it throws, and people find what they look for by their own words.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import MiniSearch from 'minisearch'
import { SEARCH_OPTIONS, unpacked } from '../assets/search-options.mjs'
import { ROOT } from '../paths.mjs'
import { FOLDER } from './built.mjs'

const page = (module) => readFile(join(ROOT, 'build', 'api', 'lstm-wasm', `${module}.md`), 'utf8')

/** Options that may be left out, as the tables of a module have them: `{ of, name, row }`. */
function optionsIn(markdown) {
  return markdown.split(/\n### /).slice(1).filter((section) => /^\w*Options\n|^\w*Options\\/.test(section)).flatMap((section) => (
    [...section.matchAll(/^\| <a id=.*`(\w+)\?`.*$/gm)].map(([row, name]) => ({ of: section.split('\n')[0], name, row }))
  ))
}

for (const [module, least] of [['training', 60], ['export', 2], ['layers', 100], ['quantization', 5]]) {
  test(`each option of lstm-wasm/${module} says its default`, async () => {
    const options = optionsIn(await page(module))
    assert.ok(options.length >= least, `${options.length} options`)
    assert.deepEqual(options.filter(({ row }) => !/\bdefault/i.test(row)).map(({ of, name }) => `${of}: ${name}`), [])
  })
}

test('functions of lstm-wasm/training and lstm-wasm/export say what they throw', async () => {
  for (const module of ['training', 'export']) assert.match(await page(module), /Throws\n\nLstmError `/)
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
