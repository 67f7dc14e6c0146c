// The playground in a browser, as tests use it.
import { mkdir, mkdtemp, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from '../paths.mjs'
import { launch } from './browsers.mjs'

/** Milliseconds that anything may take on a busy machine. */
export const PATIENCE = 60_000

/** Opens the playground of a site, with the model that comes first. `errors` gets what goes wrong behind the page. */
export async function openPlayground(browserName, origin) {
  const browser = await launch(browserName)
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, acceptDownloads: true })
  const errors = []
  page.setDefaultTimeout(PATIENCE)
  page.on('pageerror', ({ message }) => errors.push(message))
  await page.goto(`${origin}/playground/`)
  await page.waitForSelector('.map canvas')
  const hasText = (selector, pattern) => page.waitForFunction(
    ({ selector, source }) => new RegExp(source).test(document.querySelector(selector)?.textContent), { selector, source: pattern.source },
  )
  return {
    browser, page, errors, hasText,
    /** Chooses files, and waits for what the page says of them. */
    open: async (files, pattern) => {
      await page.setInputFiles('#files', files)
      await hasText('#message', pattern)
    },
    /** Waits until a run is shown whole. */
    watched: () => hasText('#watch-message', /Computed once more|cannot be watched|no gates to watch/),
  }
}

/** What a button hands over as a file. Firefox tells nobody of downloads here: the page is asked what it made. */
export async function downloaded(page, label) {
  const content = await page.evaluate(async (text) => {
    const { createObjectURL } = URL
    const made = new Promise((resolve) => {
      URL.createObjectURL = (blob) => {
        resolve(blob)
        return createObjectURL.call(URL, blob)
      }
    })
    try {
      [...document.querySelectorAll('main button')].find(({ textContent }) => textContent === text).click()
      return [...new Uint8Array(await (await made).arrayBuffer())]
    } finally {
      URL.createObjectURL = createObjectURL
    }
  }, label)
  return Uint8Array.from(content)
}

/** A folder in which `lstm-wasm` is installed. */
export async function folderWithPackage() {
  const folder = await mkdtemp(join(tmpdir(), 'lstm-wasm-site-'))
  await mkdir(join(folder, 'node_modules'))
  await symlink(ROOT, join(folder, 'node_modules', 'lstm-wasm'))
  return folder
}
