// Serves the project's folder on this machine, for the examples that are web pages: node examples/serve.mjs amp
// PORT says where, 8080 unless set. Browsers allow microphones and AudioWorklets on localhost.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const ROOT = new URL('../', import.meta.url)
const CONTENT_TYPES = {
  '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript', '.mjs': 'text/javascript', '.json': 'application/json', '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
}
/** Pages that nothing from elsewhere can watch have finer clocks, which the benchmark wants. */
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }
/** What pages may ask for. */
const SERVED = /^\/(examples|dist|docs\/playground|node_modules|bench|build\/bench)\/[\w@./-]+$/

/** @returns the server, listening on 127.0.0.1; port 0 takes any that is free */
export function serve(port) {
  const server = createServer(async ({ url }, response) => {
    const { pathname } = new URL(url, 'http://localhost') // resolves ..
    const path = pathname.endsWith('/') ? `${pathname}index.html` : pathname
    const contents = SERVED.test(path) ? await readFile(new URL(`.${path}`, ROOT)).catch(() => undefined) : undefined
    if (contents === undefined) return response.writeHead(404).end('not found')
    response.writeHead(200, { ...ISOLATED, 'content-type': CONTENT_TYPES[extname(path)] ?? 'application/octet-stream', 'cache-control': 'no-store' }).end(contents)
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [, , example = ''] = process.argv
  const page = new URL(`${example}/index.html`, import.meta.url)
  if (!/^\w+$/.test(example) || !await readFile(page).catch(() => false)) {
    console.error(`expected the name of an example with a page, got '${example}': there is no ${fileURLToPath(page)}`)
    process.exit(1)
  }
  const port = Number(process.env.PORT ?? 8080)
  const server = await serve(port).catch(({ code, message }) => {
    console.error(code === 'EADDRINUSE' ? `port ${port} is in use: set PORT to another` : message)
    process.exit(1)
  })
  console.log(`open http://localhost:${server.address().port}/examples/${example}/   (Ctrl-C ends)`)
}
