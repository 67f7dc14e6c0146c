// Runs the suite in workerd, where every module is listed, and .wasm can only be imported, not compiled from bytes.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DIST, GOLDEN, HERE } from './paths.mjs'

const COMPATIBILITY_DATE = '2026-04-01'

export async function inWorkerd({ variant, signal }) {
  const { Miniflare } = await import('miniflare')
  const file = (type, name, from) => ({ type, path: join('/', name), contents: readFileSync(from) })
  const worker = new Miniflare({
    modulesRoot: '/',
    modules: [
      file('ESModule', 'worker-cell.mjs', join(HERE, 'worker-cell.mjs')),
      file('ESModule', 'suite.mjs', join(HERE, 'suite.mjs')),
      ...readdirSync(DIST).filter((name) => name.endsWith('.js') && name !== 'cli.js')
        .map((name) => file('ESModule', name, join(DIST, name))),
      file('CompiledWasm', 'kernels.wasm', join(DIST, `${variant}.wasm`)),
      file('Data', 'golden.safetensors', GOLDEN),
    ],
    compatibilityDate: COMPATIBILITY_DATE,
    host: '127.0.0.1',
    port: 0,
    cf: false,
  })
  // Once only: the second call would fail.
  let disposed
  const dispose = () => (disposed ??= worker.dispose())
  signal.addEventListener('abort', dispose)
  try {
    const response = await worker.dispatchFetch('http://localhost/')
    if (!response.ok) throw new Error(await response.text())
    return { report: await response.json() }
  } finally {
    await dispose()
  }
}
