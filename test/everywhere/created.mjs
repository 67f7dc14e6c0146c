// npm create lstm-wasm: its package, packed; each template started by the two commands that it prints.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { start, run, tarball, workFolder } from './packed.mjs'
import { onPage } from './pages.mjs'

const NODE_24 = fileURLToPath(new URL('../runtimes/node_modules/node24/bin/', import.meta.url))
const CREATE = fileURLToPath(new URL('../../examples/create/', import.meta.url))

/** Where the creating package is installed. */
export async function prepareCreate() {
  const folder = join(workFolder, 'create')
  await run('mkdir', ['-p', folder])
  const packed = JSON.parse(await run('npm', ['pack', CREATE, '--json', '--pack-destination', folder], { cwd: folder }))
  await run('tar', ['xzf', packed[0].filename], { cwd: folder })
  return folder
}

/** Makes a project, and installs and starts it; `use` gets its address. */
const created = (template, use, { env = {} } = {}) => async (folder) => {
  await run(process.execPath, ['package/create.mjs', template, '--template', template], { cwd: folder })
  const project = join(folder, template)
  const manifest = JSON.parse(await readFile(join(project, 'package.json'), 'utf8'))
  manifest.dependencies['lstm-wasm'] = `file:${tarball}` // not published yet
  await writeFile(join(project, 'package.json'), JSON.stringify(manifest))
  await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: project })
  const port = String(20_000 + Math.floor(Math.random() * 20_000))
  const args = template === 'node' ? [] : ['--', '--port', port]
  const stop = await start('npm', ['start', ...args], { cwd: project, ready: /listening|local:|ready on/i, env: { PORT: port, ...env } })
  try {
    return await use(`http://localhost:${port}/`)
  } finally {
    stop()
  }
}

const digitOf = async (url) => {
  const image = new Float32Array(28 * 28).fill(0.5)
  const { digit, probs } = await (await fetch(url, { method: 'POST', body: image })).json()
  const wrong = await fetch(url, { method: 'POST', body: new Uint8Array(8) })
  return digit === probs.indexOf(Math.max(...probs)) && wrong.status === 400 ? 'answers' : JSON.stringify({ digit, probs, wrong: wrong.status })
}

export const CREATED = {
  'npm create lstm-wasm, Node service': { expected: 'answers', run: created('node', digitOf) },
  'npm create lstm-wasm, Cloudflare Worker': {
    expected: 'answers',
    // wrangler wants Node 22.12 or newer.
    run: created('worker', digitOf, { env: { PATH: `${NODE_24}:${process.env.PATH}`, WRANGLER_SEND_METRICS: 'false', CI: 'true' } }),
  },
  'npm create lstm-wasm, page': {
    expected: 'The images show 7, 2, 1.',
    run: created('page', (url) => onPage(url, async (page) => {
      await page.waitForFunction(() => globalThis.document.querySelector('#answer').textContent.includes('show'))
      return page.textContent('#answer')
    })),
  },
  'npm create lstm-wasm, audio worklet': {
    expected: 'playing',
    run: created('worklet', (url) => onPage(url, async (page) => {
      await page.click('#play')
      await page.waitForFunction(() => globalThis.document.querySelector('#state').textContent !== '')
      return page.textContent('#state')
    })),
  },
}
