// The examples that are pages, and the audio worklet, in Chromium and Firefox: node test/runtimes/examples.mjs [chromium] [firefox]
import { serve } from '../../examples/serve.mjs'
import { launchBrowser } from './in-browser.mjs'
import { RUNTIMES } from './matrix.mjs'
import { executableOf } from './cell.mjs'
import { PAGE_CHECKS } from './examples-pages.mjs'
import { WORKLET_CHECKS } from './examples-worklet.mjs'

const PATIENCE_MILLISECONDS = 60_000

const names = process.argv.length > 2 ? process.argv.slice(2) : ['chromium', 'firefox']
const server = await serve(0)
const origin = `http://127.0.0.1:${server.address().port}`
let passed = 0
let failed = 0
for (const name of names) {
  const path = executableOf(RUNTIMES.find((runtime) => runtime.name === name))
  if (path === undefined) {
    console.log(`${name}: FAILED: it is not installed`)
    failed++
    continue
  }
  const browser = await launchBrowser(name, path)
  try {
    for (const [title, check] of [...WORKLET_CHECKS, ...PAGE_CHECKS]) await attempt(name, browser, title, check)
  } finally {
    await browser.close()
  }
}
server.close()
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)

/** A check has a page of its own; an error in it that nobody caught is a failure too. */
async function attempt(name, browser, title, check) {
  const page = await browser.newPage({ viewport: { width: 800, height: 900 } })
  page.setDefaultTimeout(PATIENCE_MILLISECONDS)
  const errors = []
  page.on('pageerror', (error) => errors.push(error.message))
  const begin = performance.now()
  try {
    await check({ page, origin, name })
    if (errors.length > 0) throw new Error(errors.join('; '))
    passed++
    console.log(`${name}: ${title} (${((performance.now() - begin) / 1000).toFixed(1)} s)`)
  } catch (error) {
    failed++
    const said = await page.textContent('#message', { timeout: 1000 }).catch(() => undefined)
    console.log(`${name}: FAILED: ${title}: ${error.message}${said ? `; the page says: ${said}` : ''}${errors.length > 0 ? `; on the page: ${errors.join('; ')}` : ''}`)
  } finally {
    await page.close()
  }
}
