// Runs the suite in a page of a browser that the system has installed.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'
import { inWebKit } from './in-webkit.mjs'
import { DIST, GOLDEN, HERE } from './paths.mjs'

const CHROMIUM_ARGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required',
]

const CONTENT_TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript' }

export const inChromium = (cell) => inBrowser(cell, 'chromium')

export const inFirefox = (cell) => inBrowser(cell, 'firefox')

/** Starts `chromium` or `firefox`, without a window. */
export async function launchBrowser(name, executablePath) {
  const playwright = await import('playwright-core')
  return name === 'chromium'
    ? playwright.chromium.launch({ executablePath, args: CHROMIUM_ARGS })
    : playwright.firefox.launch({ executablePath, channel: 'moz-firefox' })
}

/** WebKitGTK's MiniBrowser, which wants a display: Xvfb's. */
export async function inWebKitPage({ variant }) {
  const server = await serve()
  try {
    const { value: report, version } = await inWebKit(`http://127.0.0.1:${server.address().port}/page-cell.html?${variant}`, 'globalThis.report')
    if (typeof report === 'string') throw new Error(report)
    return { report, version }
  } finally {
    server.close()
  }
}

async function inBrowser({ path, variant, signal }, name) {
  const server = await serve()
  let browser
  signal.addEventListener('abort', () => browser?.close())
  try {
    browser = await launchBrowser(name, path)
    const page = await browser.newPage()
    const errors = []
    page.on('pageerror', (error) => errors.push(error.message))
    await page.goto(`http://127.0.0.1:${server.address().port}/page-cell.html?${variant}`)
    const report = await page.evaluate(() => globalThis.report)
    if (report === undefined) throw new Error(`the page did not start: ${errors.join('; ')}`)
    return { report, version: browser.version() }
  } finally {
    await browser?.close()
    server.close()
  }
}

async function serve() {
  const server = createServer(async ({ url }, response) => {
    const { pathname } = new URL(url, 'http://localhost')
    const path = fileOf(pathname)
    const contents = path === undefined ? undefined : await readFile(path).catch(() => undefined)
    if (contents === undefined) return response.writeHead(404).end()
    // Cross-origin isolated, for threads.
    response.writeHead(200, {
      'content-type': CONTENT_TYPES[extname(pathname)] ?? 'application/octet-stream',
      'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp',
    }).end(contents)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

/** The file behind a path of the server, which has no others. */
function fileOf(pathname) {
  if (['/page-cell.html', '/suite.mjs', '/trainers.mjs', '/callers.mjs', '/caller.mjs'].includes(pathname)) return join(HERE, pathname)
  if (pathname === '/golden.safetensors') return GOLDEN
  const [, name] = /^\/dist\/([\w.-]+\.js)$/.exec(pathname) ?? []
  return name === undefined ? undefined : join(DIST, name)
}
