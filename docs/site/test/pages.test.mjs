// Every page in Chromium and Firefox: no error, no page wider than its window, nothing that axe objects to, light and dark.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { BROWSERS, launch } from './browsers.mjs'
import { pagesOfSite, serveSite } from './built.mjs'
import { AXE, measure, WEIGHTY } from './figures.mjs'

const VIEWS = [
  { width: 1280, height: 900, colorScheme: 'light' },
  { width: 390, height: 844, colorScheme: 'dark' },
]
const pages = await pagesOfSite()
const site = await serveSite()
after(() => site.close())

/** Opens a page; `errors` gets what goes wrong on it. */
async function open(browser, path, { width, height, colorScheme }) {
  const context = await browser.newContext({ viewport: { width, height }, ...(colorScheme && { colorScheme }) })
  const page = await context.newPage()
  const errors = []
  page.on('pageerror', ({ message }) => errors.push(message))
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
  page.on('response', (response) => response.status() >= 400 && errors.push(`${response.status()} ${response.url()}`))
  await page.goto(`${site.origin}/${path}`, { waitUntil: 'load' })
  return { page, errors, close: () => context.close() }
}

for (const name of BROWSERS) {
  describe(name, () => {
    let browser
    before(async () => {
      browser = await launch(name)
    })
    after(() => browser.close())

    for (const view of VIEWS) {
      test(`all ${pages.length} pages at ${view.width} pixels, ${view.colorScheme}`, async () => {
        const wrong = []
        const { page, errors, close } = await open(browser, pages[0], view)
        for (const path of pages) {
          await page.goto(`${site.origin}/${path}`, { waitUntil: 'load' })
          for (const width of view.width < 1000 ? [view.width] : [2560, 3840, view.width]) {
            await page.setViewportSize({ ...view, width })
            const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
            if (wider > 0) wrong.push(`${path}: ${wider} pixels wider than its window of ${width}`)
          }
          await page.evaluate(AXE)
          const { violations } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ['violations'] }))
          wrong.push(...violations.map(({ id, nodes }) => `${path}: ${id}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(' | ')}`))
          wrong.push(...errors.splice(0).map((error) => `${path}: ${error}`))
        }
        await close()
        assert.deepEqual(wrong, [])
      })
    }

    // The clock of Firefox is coarse on a page that is not isolated: it would take minutes there.
    test('the benchmark measures', { skip: name === 'firefox' }, async () => {
      const { page, errors, close } = await open(browser, 'examples/benchmark/index.html?rounds=1&case=B1+T1+F1+H32', VIEWS[0])
      await page.click('#run')
      await page.waitForFunction(() => /^done: \d+ figures|404/.test(document.getElementById('message').textContent))
      assert.match(await page.textContent('#results'), /lstm-wasm/)
      await close()
      assert.deepEqual(errors, [])
    })

    test('the search finds words, parts of names and misspelt ones, by keys', async () => {
      const { page, close } = await open(browser, 'api/index.html', VIEWS[0])
      await page.keyboard.press('/')
      for (const [words, path] of [['forget bias', 'words.html'], ['relaxed-simd', 'start.html'], ['quantiz', 'quantization.html'], ['strems', 'streams.html']]) {
        await page.fill('#search', words)
        await page.waitForFunction((path) => [...document.querySelectorAll('#found a')].some(({ href }) => href.includes(path)), path)
      }
      await page.fill('#search', 'Thousands of sessions')
      await page.waitForFunction(() => document.querySelector('#found a')?.textContent.startsWith('Thousands'))
      await page.keyboard.press('Enter')
      await page.waitForURL(/streams\.html#thousands/)
      await close()
    })

    test('light and dark are chosen, and remembered', async () => {
      const { page, close } = await open(browser, 'index.html', { width: 1280, height: 900, colorScheme: 'light' })
      const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
      const light = await ground()
      await page.click('#theme')
      assert.notEqual(await ground(), light)
      await page.goto(`${site.origin}/streams.html`)
      assert.notEqual(await ground(), light)
      await close()
    })

    test('the example of the home page runs, and so does what is written over it', async () => {
      const { page, errors, close } = await open(browser, 'index.html', VIEWS[0])
      await page.waitForFunction(() => /a 7 .*\na 2 .*\na 1 /.test(document.getElementById('printed').textContent))
      await page.fill('#code', "import { load } from 'lstm-wasm'\nconst model = await load('examples/digits.safetensors')\nconsole.log(model.inputs[0].name)\nmodel.run({ rows: [1] })")
      await page.click('#run')
      await page.waitForFunction(() => /^rows\nLstmError SHAPE: /.test(document.getElementById('printed').textContent))
      await page.click('#again')
      await page.waitForFunction(() => /^a 7 /.test(document.getElementById('printed').textContent))
      assert.deepEqual(errors, [])
      await close()
    })
  })
}

describe('what a visitor waits for', () => {
  test('nothing moves after it has been drawn', async (context) => {
    const browser = await launch('chromium')
    try {
      for (const path of pages) {
        const { painted, shifted, objections } = await measure(browser, `${site.origin}/${path}`)
        if (WEIGHTY.includes(path)) context.diagnostic(`${path}: first paint after ${Math.round(painted)} ms, layout shift ${shifted.toFixed(4)}`)
        assert.ok(painted > 0 && shifted < 0.001, `${path}: layout shift ${shifted}`)
        assert.deepEqual(objections, [])
      }
    } finally {
      await browser.close()
    }
  })
})
