// Pages in browsers, from a folder served on this machine.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { launchBrowser } from '../runtimes/in-browser.mjs'
import { inWebKit } from '../runtimes/in-webkit.mjs'
import { executableOf } from '../runtimes/cell.mjs'
import { RUNTIMES } from '../runtimes/matrix.mjs'
import { MODEL } from './packed.mjs'

const TYPES = {
  '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.wasm': 'application/wasm',
}
const PLAIN_PAGE = '<!doctype html><meta charset="utf-8"><title>lstm-wasm</title><link rel="icon" href="data:,"><script type="module" src="page.js"></script>'

const browsers = new Map()

async function browserOf(name) {
  if (!browsers.has(name)) {
    const path = executableOf(RUNTIMES.find((runtime) => runtime.name === name))
    if (path === undefined) throw new Error(`${name} is not installed`)
    browsers.set(name, launchBrowser(name, path))
  }
  return browsers.get(name)
}

export async function closeBrowsers() {
  for (const browser of browsers.values()) await (await browser).close()
}

/** Serves a folder; `headers` go with every answer. A folder without a page of its own has one that runs page.js. */
export async function serve(folder, headers = {}) {
  const server = createServer(async ({ url }, response) => {
    const { pathname } = new URL(url, 'http://localhost')
    const path = pathname === '/' ? '/index.html' : pathname
    if (path === '/favicon.ico') return response.writeHead(204).end()
    const contents = path === '/model.safetensors' ? await readFile(MODEL) : await readFile(join(folder, path)).catch(() => path === '/index.html' ? PLAIN_PAGE : undefined)
    if (contents === undefined) return response.writeHead(404).end()
    response.writeHead(200, { ...headers, 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(contents)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() }
}

/** What a page leaves in `globalThis.answer`. */
export const answerOf = (url, name) => onPage(url, async (page) => {
  await page.waitForFunction(() => globalThis.answer !== undefined)
  return page.evaluate(async () => {
    try {
      return await globalThis.answer
    } catch (error) {
      return `${error.name}: ${error.message}`
    }
  })
}, name)

/** What `use` finds on a page; errors and warnings on its console are failures. */
export async function onPage(url, use, name = 'chromium') {
  const browser = await browserOf(name)
  const page = await browser.newPage()
  page.setDefaultTimeout(30_000)
  const said = []
  page.on('pageerror', (error) => said.push(error.message))
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && !message.location().url.endsWith('/favicon.ico') && said.push(message.text()))
  try {
    await page.goto(url)
    const answer = await use(page)
    return said.length === 0 ? answer : `${answer}; the console says: ${said.join('; ')}`
  } catch (error) {
    throw new Error(`${error.message.split('\n')[0]}; the console says: ${said.join('; ')}`)
  } finally {
    await page.close()
  }
}

/** Bytes of JavaScript, each file compressed by gzip, that a page of a folder downloads until it has its answer. */
export async function downloadOf(folder) {
  const { origin, close } = await serve(folder)
  const files = new Set()
  try {
    await onPage(`${origin}/`, async (page) => {
      page.on('request', (request) => files.add(new URL(request.url()).pathname))
      await page.reload()
      await page.waitForFunction(() => globalThis.answer !== undefined)
      await page.evaluate(() => globalThis.answer)
    })
  } finally {
    close()
  }
  const scripts = await Promise.all([...files].filter((path) => path.endsWith('.js')).map((path) => readFile(join(folder, path))))
  return scripts.reduce((bytes, script) => bytes + gzipSync(script, { level: 9 }).length, 0)
}

/** Serves a folder for one page, and gives its answer. */
export async function answerFrom(folder, path = '/', { browser, headers } = {}) {
  const { origin, close } = await serve(folder, headers)
  try {
    return await answerOf(origin + path, browser)
  } finally {
    close()
  }
}

/** The same in WebKitGTK. */
export const answerOfWebKit = (path) => async (folder) => {
  const { origin, close } = await serve(folder)
  try {
    return (await inWebKit(origin + path, 'globalThis.answer')).value
  } finally {
    close()
  }
}
