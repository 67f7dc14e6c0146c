// The package as npm packs it, installed in folders of their own.
import { execFile, spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify, stripVTControlCharacters } from 'node:util'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
export const PROJECTS = join(ROOT, 'test/bundlers')
export const MODEL = join(ROOT, 'examples/digits/models/digits-8.safetensors')
/** Files that every project shares, beside it. */
const SHARED = ['answer.js', 'page.js', 'node.js', 'worklet-page.js']
const TIMEOUT_MILLISECONDS = 600_000

/** What the answer of `answer.js` is, everywhere. */
export const ANSWER = '0.001 0.000 0.000 0.010 0.000 0.000 0.000 0.021 0.000 0.968'

const ENVIRONMENT = {
  ...process.env, NODE_OPTIONS: '', NODE_ENV: '', CI: '1', ANSWER, DENO_NO_UPDATE_CHECK: '1', DO_NOT_TRACK: '1', NEXT_TELEMETRY_DISABLED: '1', NO_COLOR: '1',
}
delete ENVIRONMENT.NODE_ENV

export const workFolder = await mkdtemp(join(tmpdir(), 'lstm-wasm-everywhere-'))
const { stdout } = await promisify(execFile)('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', workFolder], { cwd: ROOT })
export const tarball = join(workFolder, JSON.parse(stdout)[0].filename)

/** Deletes all folders made here. */
export const clear = () => rm(workFolder, { recursive: true, force: true, maxRetries: 3 })

/** Runs a command to its end; its output is what it printed on both streams. */
export async function run(command, args, { cwd, env = {}, timeout = TIMEOUT_MILLISECONDS } = {}) {
  try {
    const { stdout: out, stderr } = await promisify(execFile)(command, args, { cwd, env: { ...ENVIRONMENT, ...env }, timeout, killSignal: 'SIGKILL', maxBuffer: 2 ** 26 })
    return stripVTControlCharacters(out + stderr)
  } catch ({ message, stdout: out = '', stderr = '' }) {
    throw new Error(stripVTControlCharacters(`${message.split('\n')[0]}\n${out}${stderr}`).slice(-3000))
  }
}

/** Starts a server by its command, and waits for a line that `ready` matches. */
export async function start(command, args, { cwd, ready, env = {} }) {
  const child = spawn(command, args, { cwd, env: { ...ENVIRONMENT, ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  const stop = () => {
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It has ended already.
    }
  }
  await new Promise((resolve, reject) => {
    let printed = ''
    const timer = setTimeout(() => reject(new Error(`${command} did not start: ${printed}`)), 60_000)
    const hear = (data) => {
      printed += data
      if (ready.test(printed)) {
        clearTimeout(timer)
        resolve()
      }
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.once('exit', (code) => reject(new Error(`${command} ended with ${code}: ${printed}`)))
  }).catch((error) => {
    stop()
    throw error
  })
  return stop
}

/** The package, untarred where imports from `folder` find it. */
async function install(folder) {
  const target = join(folder, 'node_modules/lstm-wasm')
  await mkdir(target, { recursive: true })
  await run('tar', ['xzf', tarball, '-C', target, '--strip-components=1'])
}

/** A copy of a folder of test/bundlers with its own packages and ours installed; its build may print no warning. */
export async function project(name) {
  const folder = join(workFolder, name)
  await cp(join(PROJECTS, name), folder, { recursive: true, filter: (path) => !path.includes('node_modules') })
  for (const file of SHARED) await cp(join(PROJECTS, file), join(folder, file))
  for (const place of ['model.safetensors', 'public/model.safetensors']) await cp(MODEL, join(folder, place))
  if (await readFile(join(folder, 'package-lock.json')).then(() => true, () => false)) await run('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: folder })
  await install(folder)
  return folder
}

/** @throws for a build that warns: whoever pastes our lines is not to wonder what it means */
export async function build(folder, command, ...args) {
  const printed = await run(command, args, { cwd: folder })
  const warnings = printed.split('\n').filter((line) => /warn|deprecat|critical dependency/i.test(line) && !/Edge Runtime is deprecated/.test(line))
  if (warnings.length > 0) throw new Error(`the build warns: ${warnings.join('\n')}\n${printed.slice(-1500)}`)
}
