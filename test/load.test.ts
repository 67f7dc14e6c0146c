import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { load, readGraph } from '../src/model/load.ts'
import type { ModelSource } from '../src/model/source.ts'
import { writeSafetensors } from '../src/formats/safetensors/writer.ts'
import { NdArray } from '../src/values/ndarray.ts'
import { expectRejection } from './expect-error.ts'

const file = new URL('golden/state-dicts/lstm-1layer.safetensors', import.meta.url)
const path = fileURLToPath(file)
const bytes = Uint8Array.from(await readFile(file))
const x = NdArray.from([[[0.5, -1, 2], [1, 0, -0.25]]])

let folder = ''
let origin = ''
const open: Set<ServerResponse> = new Set()
const server = createServer((request, response) => {
  open.add(response)
  if (request.url === '/model') response.end(bytes)
  else if (request.url === '/sized') response.writeHead(200, { 'content-length': bytes.length }).end(bytes)
  else if (request.url === '/stalled') response.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, 100))
  else if (request.url === '/broken') {
    response.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, 100), () => setTimeout(() => response.destroy(), 50))
  } else if (request.url === '/silent') return
  else response.writeHead(404).end('nothing here')
})

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lstm-wasm-'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterAll(async () => {
  for (const response of open) response.destroy()
  await new Promise((resolve) => server.close(resolve))
  await rm(folder, { recursive: true })
})

/** A body that gives its chunks and then neither more nor an end. */
function stalledBody(...chunks: Uint8Array<ArrayBuffer>[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({ start: (controller) => chunks.forEach((chunk) => controller.enqueue(chunk)) })
}

describe('load reads', () => {
  it.each<[string, () => ModelSource]>([
    ['an absolute path', () => path],
    ['a relative path', () => relative(process.cwd(), path)],
    ['a file URL', () => file],
    ['a file URL as text', () => file.href],
    ['an http URL', () => new URL('/model', origin)],
    ['an http URL as text', () => `${origin}/model`],
    ['a data URL', () => `data:application/octet-stream;base64,${Buffer.from(bytes).toString('base64')}`],
    ['a Uint8Array', () => bytes],
    ['a Uint8Array at an odd offset', () => new Uint8Array([0, ...bytes]).subarray(1)],
    ['a Buffer at an odd offset', () => Buffer.from([0, ...bytes]).subarray(1)],
    ['an ArrayBuffer', () => bytes.slice().buffer],
    ['a Blob', () => new Blob([bytes])],
    ['a Response', () => new Response(bytes)],
  ])('%s, always to the same model', async (_, make) => {
    using expected = await load(bytes)
    using model = await load(make())
    expect(model.run({ input: x })).toEqual(expected.run({ input: x }))
    const graph = await readGraph(make())
    expect([...graph.constants].map(([name, { data }]) => [name, [...data]]))
      .toEqual([...(await readGraph(bytes)).constants].map(([name, { data }]) => [name, [...data]]))
  })

  it('told how far it is, and how far it has to go where the server says so', async () => {
    const steps: { loaded: number, total: number | undefined }[] = []
    const onProgress = (step: typeof steps[number]): void => void steps.push(step)
    await readGraph(`${origin}/sized`, { onProgress })
    expect(steps.at(-1)).toEqual({ loaded: bytes.length, total: bytes.length })
    steps.length = 0
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(bytes.subarray(0, 100))
        controller.enqueue(bytes.subarray(100))
        controller.close()
      },
    })
    await readGraph(new Response(body), { onProgress })
    expect(steps).toEqual([{ loaded: 100, total: undefined }, { loaded: bytes.length, total: undefined }])
    steps.length = 0
    await readGraph(new Response(bytes, { headers: { 'content-length': '7', 'content-encoding': 'gzip' } }), { onProgress })
    expect(steps.at(-1)).toEqual({ loaded: bytes.length, total: undefined })
  })
})

describe('load says', () => {
  it('that there is no such file', async () => {
    const missing = join(folder, 'missing.safetensors')
    const error = await expectRejection(load(missing), 'ENVIRONMENT', `cannot read ${JSON.stringify(missing)}: no such file`)
    expect((error.cause as { code: string }).code).toBe('ENOENT')
    await expectRejection(load(new URL('file:///no/such/file')), 'ENVIRONMENT', 'cannot read "file:///no/such/file": no such file')
  })

  it('that it is a folder', async () => {
    await expectRejection(load(folder), 'ENVIRONMENT', `cannot read ${JSON.stringify(folder)}: it is a folder`)
  })

  it('any other reason a file cannot be read for', async () => {
    const below = join(path, 'below')
    await expectRejection(load(below), 'ENVIRONMENT', /^cannot read ".*below": Error: ENOTDIR/)
  })

  it('what it found instead of a model', async () => {
    const write = async (name: string, content: string | Uint8Array): Promise<string> => {
      await writeFile(join(folder, name), content)
      return join(folder, name)
    }
    await expectRejection(load(await write('empty', '')), 'FORMAT', /^expected a model file \(safetensors.*\), got an empty file$/)
    await expectRejection(load(new Uint8Array(0)), 'FORMAT', /^expected a model file \(safetensors.*\), got an empty file$/)
    await expectRejection(
      load(await write('model.pt', Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 8, 8, 0, 0))), 'FORMAT',
      /^expected a model file \(.*\), got a zip archive that is cut off after 10 bytes: fetch it again$/,
    )
    await expectRejection(
      load(Uint8Array.of(1, 0xfe, 3, 0xff, 0, 0, 8, 8, 0, 0)), 'FORMAT', /^expected a model file \(.*\), got 10 bytes that begin with 01 fe 03 ff 00 00 08 08$/,
    )
    await expectRejection(load(await write('note.txt', 'hi\n')), 'FORMAT', /^expected a model file \(.*\), got 3 bytes of text: "hi"$/)
    await expectRejection(load(bytes.subarray(0, -1)), 'FORMAT', /^safetensors: tensor '.*' stands at bytes \d+ to \d+, expected them inside the \d+ bytes of data$/)
    const graph = new Map([['lstm-wasm', '{"version":1}']])
    await expectRejection(load(writeSafetensors(new Map(), graph)), 'FORMAT', 'graph: expected a list at inputs, got undefined')
  })

  it.each<[string, unknown]>([
    ['5', 5], ['null', null], ['undefined', undefined], ['Object', {}], ['Array', [1]], ['Float32Array(1)', new Float32Array(1)],
  ])('that %s is no source', async (got, source) => {
    await expectRejection(load(source as string), 'VALUE', `load: expected a path, URL, bytes, Blob or Response, got ${got}`)
  })

  it('what the server answers', async () => {
    await expectRejection(load(`${origin}/missing`), 'ENVIRONMENT', `cannot fetch "${origin}/missing": the server answers 404 Not Found`)
    await expectRejection(load(new Response('', { status: 500 })), 'ENVIRONMENT', 'cannot fetch "": the server answers 500')
  })

  it('that there is no server', async () => {
    const error = await expectRejection(load('http://127.0.0.1:1/model'), 'ENVIRONMENT', /^cannot fetch "http:\/\/127\.0\.0\.1:1\/model": TypeError: .*\(.*(ECONNREFUSED|bad port).*\)$/)
    expect(error.cause).toBeInstanceOf(TypeError)
  })

  it('that a download broke off, and after how many bytes', async () => {
    await expectRejection(load(`${origin}/broken`), 'ENVIRONMENT', /^the download of "http:.*\/broken" broke off after 100 bytes: TypeError: /)
  })
})

describe('an AbortSignal', () => {
  it.each<[string, () => ModelSource]>([
    ['a path', () => path], ['a URL', () => `${origin}/model`], ['bytes', () => bytes], ['a Blob', () => new Blob([bytes])], ['a Response', () => new Response(bytes)],
  ])('stops the reading of %s before it begins', async (_, make) => {
    const reason = new Error('changed my mind')
    const error = await expectRejection(load(make(), { signal: AbortSignal.abort(reason) }), 'ABORTED', 'loading was aborted')
    expect(error.cause).toBe(reason)
  })

  it.each<[string, () => ModelSource]>([
    ['a download that stalls', () => `${origin}/stalled`],
    ['a Response that stalls', () => new Response(stalledBody(bytes.slice(0, 100)))],
  ])('stops %s', async (_, make) => {
    const abort = new AbortController()
    const reason = new Error('too slow')
    const onProgress = (): void => void setTimeout(() => abort.abort(reason), 10)
    const error = await expectRejection(load(make(), { signal: abort.signal, onProgress }), 'ABORTED', 'loading was aborted')
    expect(error.cause).toBe(reason)
  })

  it('stops a server that does not answer', async () => {
    await expectRejection(load(`${origin}/silent`, { signal: AbortSignal.timeout(50) }), 'ABORTED', 'loading was aborted')
  })

  it('stops between the last byte and the model', async () => {
    const abort = new AbortController()
    const loading = load(`${origin}/sized`, { signal: abort.signal, onProgress: ({ loaded, total }) => loaded === total && abort.abort() })
    await expectRejection(loading, 'ABORTED', 'loading was aborted')
  })
})
