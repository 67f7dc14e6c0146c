// Every place that the package is tried in: how it is built there, and what gives its answer.
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { executableOf } from '../runtimes/cell.mjs'
import { RUNTIMES } from '../runtimes/matrix.mjs'
import { CREATED, prepareCreate } from './created.mjs'
import { answerOfExtension } from './extension.mjs'
import { ANSWER, build, MODEL, project, PROJECTS, run, start } from './packed.mjs'
import { answerFrom, answerOf, answerOfWebKit, downloadOf } from './pages.mjs'
import { answerOfExample, answerOfWorker } from './workers.mjs'

const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url))
const PAGES = fileURLToPath(new URL('pages/', import.meta.url))

/** What a program printed last. */
const lastLine = (printed) => printed.trim().split('\n').pop()

const executable = (name) => {
  const path = executableOf(RUNTIMES.find((runtime) => runtime.name === name))
  if (path === undefined) throw new Error(`${name} is not installed`)
  return path
}

/** A program of the folder `plain`, where the package is installed and nothing else. */
const inNode = (version, ...args) => async (folder) => lastLine(await run(executable(`node${version}`), [...args, 'model.safetensors'], { cwd: folder }))

const page = (path, options) => (folder) => answerFrom(folder, path, options)

/** Asks a server that a command starts, on a port of its own. */
const fromServer = (command, path) => async (folder) => {
  const port = 20_000 + Math.floor(Math.random() * 20_000)
  const stop = await start(...command(port), { cwd: folder, ready: /ready|listening|started|local:/i })
  try {
    return path === undefined ? await answerOf(`http://127.0.0.1:${port}/`) : await (await fetch(`http://127.0.0.1:${port}${path}`)).text()
  } finally {
    stop()
  }
}

const bundled = (file) => async (folder) => lastLine(await run(process.execPath, [file, join(folder, 'model.safetensors')], { cwd: folder }))

const next = (port) => ['npx', ['next', 'start', '-p', String(port), '-H', '127.0.0.1']]

const nextPlaces = (bundler) => ({
  [`Next.js (${bundler}), client component`]: fromServer(next),
  [`Next.js (${bundler}), server route`]: fromServer(next, '/api/node'),
  [`Next.js (${bundler}), edge route`]: fromServer(next, '/api/edge'),
  [`Next.js (${bundler}), edge route with a module`]: fromServer(next, '/api/module'),
})

const esbuild = (...args) => ['npx', 'esbuild', '--bundle', '--log-level=warning', ...args]

/** The example Worker and its model, where it finds the package. */
async function exampleFolder(folder) {
  for (const part of ['worker', 'digits/models']) await cp(join(EXAMPLES, part), join(folder, 'examples', part), { recursive: true })
  return join(folder, 'examples/worker')
}

/** What a page downloads that loads a safetensors file and streams: README says so, and `--write` makes it say so. */
async function checkDownload(folder) {
  const kilobytes = Math.round(await downloadOf(folder) / 1000)
  const readme = fileURLToPath(new URL('../../README.md', import.meta.url))
  const text = await readFile(readme, 'utf8')
  const [, said] = /<!-- download:begin -->(\d+) kB<!-- download:end -->/.exec(text) ?? []
  if (process.argv.includes('--write')) {
    await writeFile(readme, text.replace(/(<!-- download:begin -->)\d+( kB<!-- download:end -->)/, `$1${kilobytes}$2`))
    return 'as README says'
  }
  return Math.abs(Number(said) - kilobytes) <= 1 ? 'as README says' : `README says ${said} kB, it is ${kilobytes} kB: run.mjs --only vite --write`
}

/** Folders, what is built in them, and the places that come of it. `group` is what `--only` takes. */
export const GROUPS = [
  {
    group: 'node',
    prepare: () => project('plain'),
    places: {
      'Node 20': inNode(20, 'node.js'),
      'Node 22': inNode(22, 'node.js'),
      'Node 24': inNode(24, 'node.js'),
      'Node 26': inNode(26, 'node.js'),
      'Node 26, import source of the .wasm': inNode(26, '--no-warnings', 'source.js'),
      'Node 20, require': inNode(20, 'require.cjs'),
      'Node 22 without require of ES modules': inNode(22, '--no-experimental-require-module', 'require.cjs'),
      'Node 24, worker thread': inNode(24, 'thread.js'),
      'Node 24, permission model': inNode(24, '--permission', '--allow-fs-read=*', 'node.js'),
      'Deno': async (folder) => lastLine(await run(executable('deno'), ['run', '--no-lock', '--allow-read', 'node.js', 'model.safetensors'], { cwd: folder })),
      'Bun': async (folder) => lastLine(await run(executable('bun'), ['node.js', 'model.safetensors'], { cwd: folder })),
    },
  },
  {
    group: 'pages',
    async prepare() {
      const folder = await project('pages')
      for (const file of ['lstm-wasm.js', 'commonjs/lstm-wasm.js']) {
        const target = join(folder, file)
        await mkdir(join(target, '..'), { recursive: true })
        await cp(join(folder, 'node_modules/lstm-wasm/dist', file), target)
      }
      await cp(PAGES, folder, { recursive: true })
      return folder
    },
    places: {
      'Page with one module, Chromium': page('/module.html'),
      'Page with one module, Firefox': page('/module.html', { browser: 'firefox' }),
      'Page with one module, WebKit': answerOfWebKit('/module.html'),
      'Page with an import map': page('/import-map.html'),
      'Page with a script': page('/script.html'),
      'Page with a strict Content-Security-Policy': page('/script.html', { headers: { 'content-security-policy': "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'" } }),
      'Module worker of a page': page('/worker.html'),
      'Service worker of a page': page('/service-worker.html'),
      'Service worker of modules, without import()': page('/module-service-worker.html'),
      'Service worker of a browser extension (MV3)': answerOfExtension,
      'Page without wasm-unsafe-eval: the error': {
        expected: 'ENVIRONMENT',
        run: async (folder) => {
          const headers = { 'content-security-policy': "default-src 'self'; script-src 'self'" }
          const said = await answerFrom(folder, '/forbidden.html', { headers })
          return /^ENVIRONMENT: this place forbids compiling WebAssembly from bytes.*'wasm-unsafe-eval'/.test(said) ? 'ENVIRONMENT' : said
        },
      },
    },
  },
  {
    group: 'vite',
    async prepare() {
      const folder = await project('vite')
      await build(folder, 'npx', 'vite', 'build', '--logLevel', 'warn')
      await build(folder, 'npx', 'vite', 'build', '--logLevel', 'warn', '--ssr', 'node.js', '--outDir', 'server')
      return folder
    },
    places: {
      'Vite, page': (folder) => answerFrom(join(folder, 'page')),
      'Vite, download of a page as README says': { expected: 'as README says', run: (folder) => checkDownload(join(folder, 'page')) },
      'Vite, web worker': (folder) => answerFrom(join(folder, 'page'), '/worker.html'),
      'Vite, audio worklet': { expected: 'heard', run: (folder) => answerFrom(join(folder, 'page'), '/worklet.html') },
      'Vite, development server': fromServer((port) => ['npx', ['vite', '--port', String(port), '--host', '127.0.0.1']]),
      'Vite, SSR': bundled('server/node.js'),
    },
  },
  {
    group: 'webpack',
    async prepare() {
      const folder = await project('webpack')
      await build(folder, process.execPath, 'build.js')
      return folder
    },
    places: { 'webpack, page': (folder) => answerFrom(join(folder, 'page')), 'webpack, Node': bundled('node/node.mjs') },
  },
  {
    group: 'rspack',
    async prepare() {
      const folder = await project('rspack')
      await build(folder, process.execPath, 'build.js')
      return folder
    },
    places: { 'Rspack, page': (folder) => answerFrom(join(folder, 'page')), 'Rspack, Node': bundled('node/node.mjs') },
  },
  {
    group: 'rollup',
    async prepare() {
      const folder = await project('rollup')
      await build(folder, 'npx', 'rollup', '--silent', '-c')
      return folder
    },
    places: { 'Rollup, page': (folder) => answerFrom(join(folder, 'page')), 'Rollup, Node': bundled('node/node.mjs') },
  },
  {
    group: 'esbuild',
    async prepare() {
      const folder = await project('esbuild')
      await build(folder, ...esbuild('--format=esm', '--splitting', '--minify', 'page.js', '--outdir=page'))
      await build(folder, ...esbuild('--format=esm', '--minify', 'page=worklet-page.js', 'processor=lstm-wasm/processor', '--outdir=worklet'))
      await build(folder, ...esbuild('--format=esm', '--platform=node', 'node.js', '--outfile=node/node.mjs'))
      await build(folder, ...esbuild('--format=cjs', '--platform=node', '--target=node20', 'lambda.js', '--outfile=lambda/index.js'))
      await build(folder, ...esbuild('--format=iife', 'page.js', '--outfile=script/page.js'))
      await build(folder, ...esbuild('--format=esm', '--conditions=workerd', '--loader:.wasm=copy', 'worker.js', '--outdir=worker'))
      await build(folder, ...esbuild(
        '--format=esm', '--conditions=workerd', '--external:cloudflare:*', '--loader:.wasm=copy', '--loader:.safetensors=copy',
        join(await exampleFolder(folder), 'worker.js'), '--outdir=worker-example',
      ))
      return folder
    },
    places: {
      'esbuild, page': (folder) => answerFrom(join(folder, 'page')),
      'esbuild, script without splitting': (folder) => answerFrom(join(folder, 'script')),
      'esbuild, audio worklet': { expected: 'heard', run: (folder) => answerFrom(join(folder, 'worklet')) },
      'esbuild, Node': bundled('node/node.mjs'),
      'AWS Lambda: CommonJS handler of one file': async (folder) => {
        await writeFile(join(folder, 'lambda/package.json'), '{ "type": "commonjs" }')
        const call = "require('./index.js').handler({ path: process.argv[1] }).then(({ body }) => console.log(body))"
        return lastLine(await run(process.execPath, ['-e', call, MODEL], { cwd: join(folder, 'lambda') }))
      },
      'Cloudflare Worker (workerd)': (folder) => answerOfWorker(join(folder, 'worker')),
      'Cloudflare Worker with sessions: examples/worker': (folder) => answerOfExample(join(folder, 'worker-example')),
    },
  },
  {
    group: 'parcel',
    async prepare() {
      const folder = await project('parcel')
      await build(folder, 'npx', 'parcel', 'build', 'index.html', '--no-cache', '--dist-dir', 'page')
      return folder
    },
    places: { 'Parcel, page': (folder) => answerFrom(join(folder, 'page')) },
  },
  {
    group: 'next',
    async prepare() {
      const folder = await project('next')
      await build(folder, 'npx', 'next', 'build')
      return folder
    },
    places: nextPlaces('Turbopack'),
  },
  {
    group: 'next-webpack',
    async prepare() {
      const folder = await project('next-webpack')
      await cp(join(PROJECTS, 'next/app'), join(folder, 'app'), { recursive: true })
      await build(folder, 'npx', 'next', 'build')
      return folder
    },
    places: nextPlaces('webpack'),
  },
  { group: 'create', prepare: prepareCreate, places: CREATED },
  {
    group: 'jest',
    prepare: () => project('jest'),
    places: Object.fromEntries(['node', 'jsdom'].map((environment) => [`Jest, ${environment}`, async (folder) => {
      await run('npx', ['jest', '--selectProjects', environment], { cwd: folder })
      return ANSWER
    }])),
  },
  {
    group: 'vitest',
    prepare: () => project('vitest'),
    places: Object.fromEntries(['node', 'jsdom', 'happy-dom'].map((environment) => [`Vitest, ${environment}`, async (folder) => {
      await run('npx', ['vitest', 'run', '--project', environment], { cwd: folder })
      return ANSWER
    }])),
  },
]
