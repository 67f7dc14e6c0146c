// The built site as files: links, sizes.
import assert from 'node:assert/strict'
import { readFile, stat } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { FOLDER, filesOfSite, pagesOfSite } from './built.mjs'

const MOST_BYTES = 6 * 1024 * 1024
const MOST_BYTES_A_PAGE = 200 * 1024

const read = (name) => readFile(join(FOLDER, name), 'utf8')
const LINK = /\s(?:href|src)="([^"]*)"/g

test('every link leads to a file of the site, and to an anchor in it', async () => {
  const files = new Set(await filesOfSite())
  const texts = new Map(await Promise.all((await pagesOfSite()).map(async (name) => [name, await read(name)])))
  const broken = []
  let checked = 0
  for (const [page, text] of texts) {
    for (const [, link] of text.matchAll(LINK)) {
      if (/^(https?:|data:|mailto:)/.test(link)) continue
      checked++
      assert.ok(!link.startsWith('/'), `${page}: ${link} is not relative`)
      const [path, anchor] = link.replaceAll('&amp;', '&').split('#')
      const joined = path === '' ? page : posix.join(posix.dirname(page), path.split('?')[0])
      const target = joined.endsWith('/') || joined === '.' ? posix.join(joined, 'index.html') : joined
      if (!files.has(target)) broken.push(`${page}: ${link}`)
      else if (anchor && !texts.get(target)?.includes(`id="${anchor}"`)) broken.push(`${page}: ${link} (no such anchor)`)
    }
  }
  assert.deepEqual(broken, [])
  assert.ok(checked > 1000, `only ${checked} links were found`)
})

test('every drawing of the examples has a legend', async () => {
  const pages = (await pagesOfSite()).filter((name) => name.startsWith('examples/'))
  const drawings = (await Promise.all(pages.map(read))).join('').match(/<canvas[^>]*><\/canvas>\s*<\w+[^>]*>/g)
  assert.ok(drawings.length >= 6)
  assert.deepEqual(drawings.filter((drawing) => !/<ul class="legend">$/.test(drawing)), [])
})

test('the site takes at most 6 MB, with its models', async (context) => {
  const files = await filesOfSite()
  const sizes = await Promise.all(files.map(async (name) => (await stat(join(FOLDER, name))).size))
  const bytes = sizes.reduce((sum, size) => sum + size, 0)
  context.diagnostic(`${files.length} files, ${(bytes / 2 ** 20).toFixed(2)} MB`)
  assert.ok(bytes <= MOST_BYTES, `${bytes} bytes`)
})

test('each page takes at most 200 kB of text, styles and scripts, compressed as hosts do, without models', async (context) => {
  const imports = async (name, seen) => {
    if (seen.has(name)) return seen
    seen.add(name)
    const text = await read(name)
    // What is imported at once; readers and streams come when a model needs them, and count with the models' pages. Scripts have lost their white space:
    // with some, it is text of code that is shown.
    for (const [, path] of text.matchAll(/(?:\bfrom|\bimport)"([^"]+)"/g)) {
      const target = path.startsWith('.') ? posix.join(posix.dirname(name), path) : `dist/${path.replace(/^lstm-wasm\/?/, '') || 'index'}.js`
      await imports(target, seen).catch(() => undefined)
    }
    return seen
  }
  const heaviest = { bytes: 0 }
  for (const page of await pagesOfSite()) {
    const text = await read(page)
    const used = new Set([page])
    for (const [, link] of text.matchAll(/<(?:link|script|img)[^>]*\s(?:href|src)="([^"]*\.(?:css|mjs|js|svg))"/g)) {
      await imports(posix.join(posix.dirname(page), link), used)
    }
    const sizes = await Promise.all([...used].map(async (name) => gzipSync(await readFile(join(FOLDER, name)).catch(() => '')).length))
    const bytes = sizes.reduce((sum, size) => sum + size, 0)
    assert.ok(bytes <= MOST_BYTES_A_PAGE, `${page}: ${bytes} bytes`)
    if (bytes > heaviest.bytes) Object.assign(heaviest, { page, bytes })
  }
  context.diagnostic(`the heaviest is ${heaviest.page}: ${(heaviest.bytes / 1024).toFixed(0)} kB`)
  assert.ok(heaviest.bytes > 20_000)
})
