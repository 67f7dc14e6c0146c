// `lstm-wasm serve` without a process of its own: what it refuses before it listens, whom it answers, and how it ends.
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lstmWasm } from './in-process.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lstm-wasm-serve-'))
  await writeFile(join(folder, 'a model.json'), '{}')
  await writeFile(join(folder, '.secret'), 'no')
  await mkdir(join(folder, 'inner'))
})
afterAll(() => rm(folder, { recursive: true }))

const opened = (port: number): Promise<Server> => new Promise((done) => {
  const server = createServer()
  server.listen(port, '127.0.0.1', () => done(server))
})
const portOf = (server: Server): number => (server.address() as AddressInfo).port
const closed = (server: Server): Promise<unknown> => new Promise((done) => server.close(done))

type Answer = [status: number | undefined, body: string, type: string | undefined]

/** What is answered to who asks by some name. */
const get = (port: number, path: string, host = `localhost:${port}`): Promise<Answer> => new Promise((done, fail) => {
  const asked = request({ host: '127.0.0.1', port, path, headers: { host } }, (response) => {
    let body = ''
    response.on('data', (data: Buffer) => (body += data.toString())).on('end', () => done([response.statusCode, body, response.headers['content-type']]))
  })
  asked.on('error', fail).end()
})

describe('lstm-wasm serve', () => {
  it.each<[readonly string[], number, string]>([
    [['-'], 2, 'expected the path of a model file, got - for standard input (see lstm-wasm serve --help)'],
    [['a model.json', '--port', '65536'], 2, "--port: expected a whole number from 0 to 65535, got '65536' (see lstm-wasm serve --help)"],
    [['a model.json', '--port', '1.5'], 2, "--port: expected a whole number from 0 to 65535, got '1.5' (see lstm-wasm serve --help)"],
    [['none.json'], 1, 'cannot read "none.json": no such file'], [['inner'], 1, 'cannot read "inner": it is a folder'],
  ])('%j is refused', async (args, code, message) => {
    expect(await lstmWasm(folder, ['serve', ...args])).toEqual({ code, stdout: '', stderr: `lstm-wasm: ${message}\n` })
  })

  it('a port that is in use is refused', async () => {
    const server = await opened(0)
    const port = portOf(server)
    expect(await lstmWasm(folder, ['serve', 'a model.json', '--port', String(port)])).toEqual({
      code: 1, stdout: '', stderr: `lstm-wasm: port ${port} is in use: say another with --port, or --port 0 for any that is free\n`,
    })
    await closed(server)
  })

  it('answers this machine, with the model and what is beside it, until Ctrl-C', async () => {
    const probe = await opened(0)
    const port = portOf(probe)
    await closed(probe)
    const before = process.listeners('SIGINT')
    const running = lstmWasm(folder, ['serve', 'a model.json', '--port', String(port)])
    for (let tries = 0; tries < 1000 && process.listeners('SIGINT').length === before.length; tries++) await new Promise((done) => setTimeout(done, 5))
    expect(await get(port, '/')).toEqual([302, '', undefined])
    expect(await get(port, '/playground')).toEqual([302, '', undefined])
    expect(await get(port, '/model/a%20model.json')).toEqual([200, '{}', 'application/json'])
    const [status, shelf] = await get(port, '/playground/shelf.json')
    expect([status, JSON.parse(shelf)]).toEqual([200, [
      { title: 'a model.json', about: 'from the command line', file: '../model/a%20model.json', beside: [], options: {}, open: true },
    ]])
    expect(await get(port, '/', 'elsewhere.example')).toEqual([403, 'this server answers to localhost only', undefined])
    for (const path of ['/model/.secret', '/model/inner%2F..', '/model/%', '/model/none', '/playground/.hidden', '/playground/a%20b', '/dist/none.js', '/src/cli.ts', '/a/b/c']) {
      expect([path, ...await get(port, path)]).toEqual([path, 404, 'not found', undefined])
    }
    const [end] = process.listeners('SIGINT').filter((listener) => !before.includes(listener)) as [() => void]
    end()
    expect(await running).toEqual({ code: 0, stdout: `open http://localhost:${port}/playground/   (Ctrl-C ends)\n`, stderr: '' })
  })
})
