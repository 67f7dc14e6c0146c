// A bundled Cloudflare Worker in workerd: its .js file and the .wasm files beside it.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MODEL } from './packed.mjs'

const require = createRequire(new URL('../runtimes/package.json', import.meta.url))

/** Starts a folder's worker.js; `bindings` are further options of Miniflare. */
export async function startWorker(folder, bindings = {}) {
  const { Miniflare } = require('miniflare')
  const files = (await readdir(folder)).sort((a, b) => Number(b === 'worker.js') - Number(a === 'worker.js'))
  const modules = await Promise.all(files.filter((name) => /\.(js|wasm|safetensors)$/.test(name)).map(async (name) => ({
    type: { js: 'ESModule', wasm: 'CompiledWasm', safetensors: 'Data' }[name.split('.').pop()], path: join('/', name), contents: await readFile(join(folder, name)),
  })))
  return new Miniflare({ modulesRoot: '/', modules, compatibilityDate: '2026-04-01', host: '127.0.0.1', port: 0, cf: false, ...bindings })
}

export async function answerOfWorker(folder) {
  const worker = await startWorker(folder)
  try {
    return await (await worker.dispatchFetch('http://localhost/', { method: 'POST', body: await readFile(MODEL) })).text()
  } finally {
    await worker.dispose()
  }
}

/** The example: a whole image at once, then the same in two requests, with a Worker that has ended in between. */
export async function answerOfExample(folder) {
  const persist = await mkdtemp(join(tmpdir(), 'lstm-wasm-sessions-'))
  const bindings = { durableObjects: { SESSIONS: { className: 'Session', useSQLite: true } }, durableObjectsPersist: persist }
  const image = new Float32Array(28 * 28).fill(0.5)
  const ask = async (path, body) => {
    const worker = await startWorker(folder, bindings)
    try {
      return await (await worker.dispatchFetch(`http://localhost${path}`, { method: 'POST', body })).json()
    } finally {
      await worker.dispose()
    }
  }
  try {
    const { digit, probs } = await ask('/classify', image.buffer)
    await ask('/rows?session=a', image.slice(0, 10 * 28).buffer)
    const rows = await ask('/rows?session=a', image.slice(10 * 28).buffer)
    const wrong = await ask('/rows?session=a', new ArrayBuffer(7))
    if (JSON.stringify(rows) !== JSON.stringify({ digit, probs })) throw new Error(`at once ${JSON.stringify(probs)}, in two requests ${JSON.stringify(rows)}`)
    if (wrong.code !== 'SHAPE') throw new Error(`7 bytes are answered with ${JSON.stringify(wrong)}`)
    return probs.map((p) => p.toFixed(3)).join(' ')
  } finally {
    await rm(persist, { recursive: true, force: true })
  }
}
