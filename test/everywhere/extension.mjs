// A browser extension (MV3): its service worker, in Chromium with a profile of its own.
import { cp } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { executableOf } from '../runtimes/cell.mjs'
import { RUNTIMES } from '../runtimes/matrix.mjs'
import { MODEL } from './packed.mjs'

const require = createRequire(new URL('../runtimes/package.json', import.meta.url))
const EXTENSION = fileURLToPath(new URL('extension/', import.meta.url))

export async function answerOfExtension(folder) {
  const { chromium } = require('playwright-core')
  const extension = join(folder, 'extension')
  await cp(EXTENSION, extension, { recursive: true })
  await cp(join(folder, 'commonjs/lstm-wasm.js'), join(extension, 'lstm-wasm.js'))
  await cp(MODEL, join(extension, 'model.safetensors'))
  const context = await chromium.launchPersistentContext(join(folder, 'profile'), {
    executablePath: executableOf(RUNTIMES.find(({ name }) => name === 'chromium')),
    headless: false,
    ignoreDefaultArgs: ['--disable-extensions'],
    args: [
      '--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-features=DisableLoadExtensionCommandLineSwitch',
      `--disable-extensions-except=${extension}`, `--load-extension=${extension}`,
    ],
  })
  try {
    const worker = context.serviceWorkers()[0] ?? await context.waitForEvent('serviceworker', { timeout: 30_000 })
    return await worker.evaluate(() => globalThis.answer())
  } finally {
    await context.close()
  }
}
