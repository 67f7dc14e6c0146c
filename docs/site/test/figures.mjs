// What a visitor waits for, as Lighthouse measures it: when something is drawn, how much moves after that, what axe objects to.
// node docs/site/test/figures.mjs prints it of the built site.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { launch } from './browsers.mjs'
import { serveSite } from './built.mjs'

/** Pages that load something. */
export const WEIGHTY = ['index.html', 'streams.html', 'benchmark.html', 'playground/index.html', 'examples/amp/index.html']
export const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const MILLISECONDS = 1000

/** Opens a page in a fresh tab. @returns `painted`: milliseconds to the first paint; `shifted`: the layout shift, 0 being none; `objections` of axe */
export async function measure(browser, address) {
  const tab = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  await tab.addInitScript(() => {
    globalThis.shifted = 0
    new PerformanceObserver((list) => {
      for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) globalThis.shifted += value
    }).observe({ type: 'layout-shift', buffered: true })
  })
  await tab.goto(address)
  await tab.waitForTimeout(MILLISECONDS)
  const figures = await tab.evaluate(() => ({ shifted: globalThis.shifted, painted: performance.getEntriesByName('first-contentful-paint')[0]?.startTime }))
  await tab.evaluate(AXE)
  const { violations } = await tab.evaluate(() => globalThis.axe.run({ resultTypes: ['violations'] }))
  await tab.close()
  return { ...figures, objections: violations.map(({ id }) => id) }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [browser, site] = [await launch('chromium'), await serveSite()]
  for (const path of [...WEIGHTY, 'training.html', 'api/lstm-wasm/training.html']) {
    const { painted, shifted, objections } = await measure(browser, `${site.origin}/${path}`)
    console.log(`${path}: first paint after ${Math.round(painted)} ms, layout shift ${shifted.toFixed(4)}, axe: ${objections.join(', ') || 'no objection'}`)
  }
  await browser.close()
  site.close()
}
