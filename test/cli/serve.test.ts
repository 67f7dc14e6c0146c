// `lstm-wasm serve`, as it is started on a terminal: what it gives, and what it does not.
import { spawn, type ChildProcess } from 'node:child_process'
import { request } from 'node:http'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const digits = fileURLToPath(new URL('../../examples/digits.safetensors', import.meta.url))

interface Ended {
  readonly code: number | null
  readonly stderr: string
}

/** Starts the command; `address` is what it prints, `ended` how it ends. */
function start(...args: readonly string[]): { readonly child: ChildProcess, readonly address: Promise<string>, readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, [cli, 'serve', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()))
  const ended: Promise<Ended> = new Promise((resolve) => child.on('close', (code) => resolve({ code, stderr })))
  const address: Promise<string> = new Promise((resolve, reject) => {
    child.stdout.on('data', (data: Buffer) => {
      const [, url] = /^open (http:\S+)/.exec(stdout += data.toString()) ?? []
      if (url !== undefined) resolve(url)
    })
    void ended.then(() => reject(new Error(stderr)))
  })
  address.catch(() => undefined)
  return { child, address, ended }
}

describe('lstm-wasm serve', () => {
  let folder: string
  let served: ReturnType<typeof start>
  let origin: string
  const get = async (path: string): Promise<Response> => fetch(`${origin}${path}`, { redirect: 'manual' })

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lstm-wasm-serve-'))
    await writeFile(join(folder, 'a model.json'), '{}')
    await writeFile(join(folder, 'shard 1.bin'), 'weights')
    await writeFile(join(folder, '.secret'), 'no')
    await mkdir(join(folder, 'inner'))
    await writeFile(join(folder, 'inner', 'other.txt'), 'no')
    served = start(join(folder, 'a model.json'), '--port', '0', '--constant', 'sr=16000')
    origin = new URL(await served.address).origin
  })
  afterAll(async () => {
    served.child.kill('SIGINT')
    await served.ended
    await rm(folder, { recursive: true })
  })

  it('gives the page, its scripts, the library and the model', async () => {
    const page = await get('/playground/')
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    const html = await page.text()
    const addresses = [...html.matchAll(/(?:src|href)="([\w.]+\.(?:mjs|css))"/g)].map(([, name]) => `/playground/${name as string}`)
    const { imports } = JSON.parse(/<script type="importmap">([^]*?)<\/script>/.exec(html)?.[1] as string) as { imports: Record<string, string> }
    addresses.push(...Object.values(imports).map((path) => path.replace('..', '')))
    expect(addresses.length).toBeGreaterThan(8)
    for (const address of addresses) expect([address, (await get(address)).status]).toEqual([address, 200])
    expect((await get('/')).headers.get('location')).toBe('/playground/')
  })

  it('puts the model on the shelf, with what the command was told of it, and the files beside it', async () => {
    const [entry, ...more] = await (await get('/playground/shelf.json')).json() as { file: string, beside: string[], options: unknown, open: boolean }[]
    expect(more).toEqual([])
    expect(entry).toMatchObject({ beside: ['shard 1.bin'], options: { constants: { sr: 16000 } }, open: true })
    const model = await get(new URL(entry?.file as string, 'http://x/playground/').pathname)
    expect([model.status, await model.text()]).toEqual([200, '{}'])
    expect(await (await get('/model/shard%201.bin')).text()).toBe('weights')
  })

  it.each([
    '/model/.secret', '/model/inner', '/model/inner/other.txt', '/model/%2e%2e%2fetc', '/model/inner%2Fother.txt', '/model/%', '/model/', '/model/..%5c.secret',
    '/dist/../package.json', '/dist/commonjs/lstm-wasm.js', '/package.json', '/playground/.hidden', '/playground/nothing.mjs', '/src/index.ts',
  ])('gives nothing for %s', async (path) => {
    // fetch would resolve the dots itself.
    const status = await new Promise<number | undefined>((resolve, reject) => {
      request(`${origin}/`, { path }, (response) => resolve(response.resume().statusCode)).on('error', reject).end()
    })
    expect(status).toBe(404)
  })

  it('answers to localhost only, whatever name leads here', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      request(`${origin}/playground/`, { headers: { host: 'evil.example' } }, (response) => resolve(response.resume().statusCode)).on('error', reject).end()
    })
    expect(status).toBe(403)
  })

  it('says which port is in use, and ends well by Ctrl-C', async () => {
    const { port } = new URL(origin)
    expect(await start(digits, '--port', port).ended).toEqual({ code: 1, stderr: `lstm-wasm: port ${port} is in use: say another with --port, or --port 0 for any that is free\n` })
    const another = start(digits, '--port', '0')
    await another.address
    another.child.kill('SIGINT')
    expect(await another.ended).toEqual({ code: 0, stderr: '' })
  })

  it.each([
    [['no-such.onnx'], 1, 'lstm-wasm: cannot read "no-such.onnx": no such file\n'],
    [[tmpdir()], 1, `lstm-wasm: cannot read ${JSON.stringify(tmpdir())}: it is a folder\n`],
    [['-'], 2, 'lstm-wasm: expected the path of a model file, got - for standard input (see lstm-wasm serve --help)\n'],
    [[digits, '--port', '70000'], 2, "lstm-wasm: --port: expected a whole number from 0 to 65535, got '70000' (see lstm-wasm serve --help)\n"],
    [[], 2, 'lstm-wasm: expected one model file (see lstm-wasm serve --help)\n'],
  ])('says what is wrong with %j', async (args, code, stderr) => {
    expect(await start(...args).ended).toEqual({ code, stderr })
  })
})
