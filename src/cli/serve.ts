// `lstm-wasm serve`: the playground, on this machine, with a model in it.
import { spawn } from 'node:child_process'
import { readdir, readFile, stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { LstmError } from '../index.ts'
import { COMMON_OPTIONS, onlyFile, parseArguments, UsageError } from './arguments.ts'
import { cannotRead } from './file-errors.ts'
import { interruptible } from './interrupt.ts'
import { READ_HELP, READ_OPTIONS, readOptionsOf, toNumber } from './reading.ts'
import { clearStatus } from './terminal.ts'

const USUAL_PORT = 8080
/** Of the folder of a model, at most so many files are offered beside it: weight shards, external data. */
const MOST_FILES = 1000

export const SERVE_HELP: string = `\
Opens the playground on a model: a page that shows its layers, runs it, watches its gates over
time, times and quantises it, and hands over the code. Files stay on this machine: the page comes
from it, and is given to no other.

Usage
  lstm-wasm serve FILE [--port NUMBER] [--open]

FILE is a path of a model that lstm-wasm can load (see lstm-wasm inspect --help); files beside it
that belong to it are found.

Options
  --port NUMBER            where the page is. Default ${USUAL_PORT}; 0 takes any that is free.
  --open                   opens the browser, too
${READ_HELP}\
  -h, --help               this help
  --verbose                on an error, also the whole message and the stack

Examples
  lstm-wasm serve digits.safetensors
  lstm-wasm serve model.json --port 0

Exit codes: 0 Ctrl-C ended it, 1 it cannot be served, 2 the command line is wrong.
`

/** Where the package has its files: this one is dist/cli.js. */
const PLAYGROUND = new URL('../docs/playground/', import.meta.url)
const DIST = new URL('./', import.meta.url)

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript', '.mjs': 'text/javascript', '.json': 'application/json',
}

/** `lstm-wasm serve`. */
export async function serve(args: readonly string[]): Promise<number> {
  const parsed = parseArguments(args, { ...COMMON_OPTIONS, ...READ_OPTIONS, port: 'string', open: 'boolean' })
  const file = onlyFile(parsed, 'one model file')
  const port = toPort(parsed.values.get('port')?.at(-1))
  if (file === '-') throw new UsageError('expected the path of a model file, got - for standard input')
  const found = await stat(file).catch((cause: unknown) => {
    throw cannotRead(JSON.stringify(file), cause)
  })
  if (!found.isFile()) throw new LstmError('ENVIRONMENT', `cannot read ${JSON.stringify(file)}: it is a folder`)
  const shelf = await shelfOf(file, await readOptionsOf(parsed))
  const server = await listen(createServer((request, response) => void answer(request, response, dirname(resolve(file)), shelf)), port)
  const address = `http://localhost:${(server.address() as AddressInfo).port}/playground/`
  await interruptible(async (signal) => {
    clearStatus()
    process.stdout.write(`open ${address}   (Ctrl-C ends)\n`)
    if (parsed.flags.has('open')) openBrowser(address)
    await new Promise<void>((end) => signal.addEventListener('abort', () => end()))
  })
  server.closeAllConnections()
  server.close()
  return 0
}

function toPort(text: string | undefined): number {
  const port = text === undefined ? USUAL_PORT : toNumber(text, '--port')
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new UsageError(`--port: expected a whole number from 0 to 65535, got '${text ?? ''}'`)
  return port
}

/** What the playground offers, as shelf.json: the model, with the names of the files beside it. */
async function shelfOf(file: string, options: Readonly<Record<string, unknown>>): Promise<string> {
  const name = basename(file)
  const entries = await readdir(dirname(resolve(file)), { withFileTypes: true })
  const beside = entries.filter((entry) => entry.isFile() && entry.name !== name && !entry.name.startsWith('.')).map((entry) => entry.name).slice(0, MOST_FILES)
  return JSON.stringify([{ title: name, about: 'from the command line', file: `../model/${encodeURIComponent(name)}`, beside, options, open: true }])
}

async function listen(server: Server, port: number): Promise<Server> {
  return new Promise((done, fail) => {
    server.once('error', ({ message, ...error }: NodeJS.ErrnoException) => fail(new LstmError(
      'ENVIRONMENT', error.code === 'EADDRINUSE' ? `port ${port} is in use: say another with --port, or --port 0 for any that is free` : message,
    )))
    server.listen(port, '127.0.0.1', () => done(server))
  })
}

async function answer({ url = '/', headers }: IncomingMessage, response: ServerResponse, folder: string, shelf: string): Promise<void> {
  // Other sites cannot reach it under a name of theirs.
  if (!/^(localhost|127\.0\.0\.1)(:\d+)?$/.test(headers.host ?? '')) return void response.writeHead(403).end('this server answers to localhost only')
  const { pathname } = new URL(url, 'http://localhost')
  if (pathname === '/' || pathname === '/playground') return void response.writeHead(302, { location: '/playground/' }).end()
  const contents = pathname === '/playground/shelf.json' ? shelf : await contentsOf(pathname, folder)
  if (contents === undefined) return void response.writeHead(404).end('not found')
  const type = CONTENT_TYPES[extname(pathname === '/playground/' ? 'index.html' : pathname)] ?? 'application/octet-stream'
  response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store', 'content-length': Buffer.byteLength(contents) }).end(contents)
}

/** The file behind a path; undefined where there is none that may be seen: of the playground, the library, and the model's folder. */
async function contentsOf(pathname: string, folder: string): Promise<Buffer | undefined> {
  const [, place, name] = /^\/(playground|dist|model)\/([^/]*)$/.exec(pathname) ?? []
  if (place === undefined || name === undefined) return undefined
  const read = async (path: string | URL): Promise<Buffer | undefined> => readFile(path).catch(() => undefined)
  if (place !== 'model') {
    if (!/^[\w.-]*$/.test(name) || name.startsWith('.')) return undefined
    return read(place === 'dist' ? new URL(name, DIST) : new URL(name === '' ? 'index.html' : name, PLAYGROUND))
  }
  const wanted = decoded(name)
  return wanted === undefined || wanted.startsWith('.') || wanted !== basename(wanted) ? undefined : read(join(folder, wanted))
}

function decoded(name: string): string | undefined {
  try {
    return decodeURIComponent(name)
  } catch {
    return undefined
  }
}

/** As far as the system has a command for it; the address has been printed. */
function openBrowser(address: string): void {
  const [command, ...args] = ({ darwin: ['open'], win32: ['cmd', '/c', 'start', ''] } as Readonly<Record<string, string[]>>)[process.platform] ?? ['xdg-open']
  spawn(command as string, [...args, address], { stdio: 'ignore', detached: true }).on('error', () => undefined).unref()
}
