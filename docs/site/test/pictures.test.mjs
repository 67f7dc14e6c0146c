// Pages as they look in Debian's Chromium with its fonts, at 390 and 1280 pixels, light and dark, beside pictures/: a sixth of the size, averaged.
// UPDATE_PICTURES=1 writes them anew: look at what is in build/site-pictures/, in full size, before they are committed.
import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { PNG } from 'pngjs'
import { PAGES as LISTED } from '../pages.mjs'
import { ROOT } from '../paths.mjs'
import { launch } from './browsers.mjs'
import { serveSite } from './built.mjs'

const PICTURES = new URL('pictures/', import.meta.url)
const FULL = join(ROOT, 'build', 'site-pictures')
const SMALLER = 6
/** A pixel differs where a colour is so far off; figures that are measured are other ones each time. */
const FAR = 32
const MOST_DIFFERENT = 0.02

/** What is waited for besides the page itself. */
const READY = {
  'index.html': () => /a 1 /.test(document.getElementById('printed').textContent),
  'playground/index.html': () => document.querySelector('.map canvas') !== null && /Computed/.test(document.getElementById('watch-message').textContent),
  'examples/amp/index.html': () => document.getElementById('about').textContent !== '',
  'examples/vad/index.html': () => !document.getElementById('example').disabled,
  'examples/charrnn/index.html': () => !document.getElementById('go').disabled,
  'examples/forecast/index.html': () => document.getElementById('about').textContent !== '',
  'examples/capture/index.html': () => /12\.8 s/.test(document.getElementById('about').textContent),
  'examples/benchmark/index.html': () => document.querySelectorAll('#engines label').length > 1,
}
/** All of the menu; modules of the API look like one another. */
const PAGES = [...LISTED.map(({ path }) => path), 'api/lstm-wasm.html']
/** It grows at the top: the first of its lines will do. */
const CHANGES = '[id="content"] > h2 ~ * { visibility: hidden }'
const VIEWS = [390, 1280].flatMap((width) => ['light', 'dark'].map((colorScheme) => ({ width, height: width === 390 ? 844 : 900, colorScheme })))

/** Averages of squares of pixels, without what is transparent: `{ width, height, data }`, three bytes a pixel. */
function smaller({ width, height, data }) {
  const [across, down] = [Math.floor(width / SMALLER), Math.floor(height / SMALLER)]
  const result = new Uint8Array(3 * across * down)
  for (let y = 0; y < down; y++) {
    for (let x = 0; x < across; x++) {
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0
        for (let n = 0; n < SMALLER * SMALLER; n++) sum += data[4 * ((y * SMALLER + Math.floor(n / SMALLER)) * width + x * SMALLER + n % SMALLER) + channel]
        result[3 * (y * across + x) + channel] = Math.round(sum / SMALLER / SMALLER)
      }
    }
  }
  return { width: across, height: down, data: result }
}

/** Share of pixels that are of another colour. */
function difference(a, b) {
  if (a.width !== b.width || a.height !== b.height) return 1
  let count = 0
  for (let n = 0; n < a.data.length; n += 3) if ([0, 1, 2].some((channel) => Math.abs(a.data[n + channel] - b.data[n + channel]) > FAR)) count++
  return count / (a.width * a.height)
}

function encode({ width, height, data }) {
  const png = new PNG({ width, height, colorType: 2, inputColorType: 2, inputHasAlpha: false })
  png.data = Buffer.from(data)
  return PNG.sync.write(png, { width, height, colorType: 2, inputColorType: 2, inputHasAlpha: false, deflateLevel: 9 })
}

/** Decoded pictures have four bytes a pixel. */
function decode(bytes) {
  const { width, height, data } = PNG.sync.read(bytes)
  return { width, height, data: data.filter((_, n) => n % 4 !== 3) }
}

describe('pictures', () => {
  let browser
  let site
  before(async () => {
    browser = await launch('chromium')
    site = await serveSite()
  })
  after(async () => {
    await browser.close()
    site.close()
  })

  async function take(path, { width, height, colorScheme }, scrolled = 0) {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme, reducedMotion: 'reduce' })
    const page = await context.newPage()
    await page.goto(`${site.origin}/${path}`)
    if (READY[path] !== undefined) await page.waitForFunction(READY[path], undefined, { timeout: 60_000 })
    // The menu grows with every new page: one picture of it will do.
    if (path === 'changelog.html') await page.addStyleTag({ content: CHANGES })
    if (path !== 'start.html') await page.addStyleTag({ content: '.side, .contents { visibility: hidden }' })
    await page.evaluate((y) => scrollTo(0, y), scrolled)
    await page.waitForTimeout(150)
    const bytes = await page.screenshot({ animations: 'disabled', caret: 'hide' })
    await context.close()
    return bytes
  }

  for (const path of PAGES) {
    for (const view of VIEWS) {
      // api.html is another page than api/index.html.
      const name = `${path.replace(path === 'api/index.html' ? '.html' : /\/index\.html$|\.html$/, '').replaceAll('/', '-')}-${view.width}-${view.colorScheme}.png`
      test(name, async () => {
        const bytes = await take(path, view)
        const picture = smaller(PNG.sync.read(bytes))
        const file = new URL(name, PICTURES)
        const full = join(FULL, name)
        await mkdir(dirname(full), { recursive: true })
        await writeFile(full, bytes)
        if (process.env.UPDATE_PICTURES === '1') {
          await mkdir(PICTURES, { recursive: true })
          await writeFile(file, encode(picture))
        }
        const share = difference(picture, decode(await readFile(file)))
        assert.ok(share <= MOST_DIFFERENT, `${(100 * share).toFixed(1)} % of it look otherwise: ${full}`)
      })
    }
  }

  test('what has moved, or turned dark, would be seen', async () => {
    const [light, dark] = VIEWS.filter(({ width }) => width === 1280)
    const [usual, moved, turned] = await Promise.all([[light, 0], [light, 60], [dark, 0]].map(async ([view, scrolled]) => smaller(PNG.sync.read(await take('words.html', view, scrolled)))))
    assert.ok(difference(usual, moved) > 2 * MOST_DIFFERENT)
    assert.ok(difference(usual, turned) > 0.5)
  })
})
