// Serves the built site on this machine, and builds it anew when a source changes: node docs/site/serve.mjs
// PORT says where, 8080 unless set.
import { readFile, stat } from 'node:fs/promises'
import { watch } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { buildSite } from './build.mjs'
import { ROOT } from './paths.mjs'

const CONTENT_TYPES = {
  '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript', '.mjs': 'text/javascript', '.json': 'application/json', '.svg': 'image/svg+xml', '.txt': 'text/plain; charset=utf-8',
}
const MILLISECONDS_OF_QUIET = 300

/** @returns a server of the files in `folder`, as any host of static files would give them, on 127.0.0.1; port 0 takes any that is free */
export function serveFolder(folder, port) {
  const root = normalize(`${folder}${sep}`)
  const server = createServer(async ({ url }, response) => {
    const pathname = decodeURIComponent(new URL(url, 'http://localhost').pathname)
    const path = normalize(join(root, pathname.endsWith('/') ? `${pathname}index.html` : pathname))
    if (!path.startsWith(root)) return response.writeHead(404).end('not found')
    if (await stat(path).then((found) => found.isDirectory(), () => false)) return response.writeHead(301, { location: `${pathname}/` }).end()
    const contents = await readFile(path).catch(() => undefined)
    if (contents === undefined) return response.writeHead(404, { 'content-type': 'text/plain' }).end('not found')
    response.writeHead(200, { 'content-type': CONTENT_TYPES[extname(path)] ?? 'application/octet-stream', 'cache-control': 'no-store' }).end(contents)
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const folder = join(ROOT, 'build', 'site')
  await buildSite(folder)
  const server = await serveFolder(folder, Number(process.env.PORT ?? 8080))
  console.log(`open http://localhost:${server.address().port}/   (Ctrl-C ends)`)
  let timer
  const again = (_kind, name) => {
    if (name === null || name.includes('node_modules')) return
    clearTimeout(timer)
    timer = setTimeout(() => void buildSite(folder, { keepApi: true }).then(() => console.log('built anew'), (error) => console.error(error.message)), MILLISECONDS_OF_QUIET)
  }
  for (const source of ['docs', 'examples']) watch(join(ROOT, source), { recursive: true }, again)
}
