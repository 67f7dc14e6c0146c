// Files beside a model: their names come out of untrusted files, and may not lead out of the folder.
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { load, readGraph } from '../src/model/load.ts'
import { readModelFiles } from '../src/model/model-files.ts'
import { expectRejection } from './expect-error.ts'
import { pseudoRandom } from './random.ts'

let folder = ''
let model = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lstm-wasm-'))
  await mkdir(join(folder, 'models/parts'), { recursive: true })
  await mkdir(join(folder, 'models-else'))
  model = join(folder, 'models/model.json')
  await writeFile(model, JSON.stringify({ w: { filename: '../secret', shape: [1] } }))
  for (const [name, byte] of [['secret', 1], ['models/data', 2], ['models/parts/data', 3], ['models-else/data', 4]] as const) {
    await writeFile(join(folder, name), Uint8Array.of(byte))
  }
  await symlink('parts/data', join(folder, 'models/inside'))
  await symlink('../secret', join(folder, 'models/outside'))
  await symlink(join(folder, 'secret'), join(folder, 'models/absolute'))
  await symlink('..', join(folder, 'models/up'))
  await symlink('../models-else/data', join(folder, 'models/namesake'))
  await symlink('nowhere', join(folder, 'models/dangling'))
})

afterAll(() => rm(folder, { recursive: true }))

const sibling = async (name: string, location: string | URL = model): Promise<number[]> => [...await (await readModelFiles(location, {})).sibling(name)]

describe('a file beside a model', () => {
  it('is read, also one below, and one that a link leads to', async () => {
    for (const location of [model, pathToFileURL(model)]) {
      expect(await sibling('data', location)).toEqual([2])
      expect(await sibling('parts/data', location)).toEqual([3])
      expect(await sibling('inside', location)).toEqual([3])
    }
  })

  it('is read where the model is in the folder that the program runs in', async () => {
    const before = process.cwd()
    process.chdir(join(folder, 'models'))
    try {
      expect(await sibling('data', 'model.json')).toEqual([2])
      await expectRejection(sibling('outside', 'model.json'), 'FORMAT', /which is a link to a place outside of its folder/)
    } finally {
      process.chdir(before)
    }
  })

  it.skipIf(process.platform === 'win32')('is no pipe and no socket, which nobody may ever write to', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => void server.listen(join(folder, 'models/pipe'), resolve))
    await expectRejection(sibling('pipe'), 'FORMAT', 'the model refers to the file "pipe", which is a pipe, a socket or a device')
    server.close()
    await expectRejection(sibling('parts'), 'ENVIRONMENT', /: it is a folder$/)
  })

  it.each(['../secret', 'parts/../../secret', '..', '/etc/passwd', '', 'parts\\data', 'C:/secret', 'file:secret', 'data\0'])('has no name like %j', async (name) => {
    const message = `the model refers to the file ${JSON.stringify(name)}, expected a name beside it or below`
    await expectRejection(sibling(name), 'FORMAT', message)
    await expectRejection(sibling(name, pathToFileURL(model)), 'FORMAT', message)
  })

  it.each(['outside', 'absolute', 'up/secret', 'namesake'])('is no link that leads out of its folder: %s', async (name) => {
    const message = `the model refers to the file "${name}", which is a link to a place outside of its folder; if that is meant, give it in the option 'files'`
    await expectRejection(sibling(name), 'FORMAT', message)
    await expectRejection(sibling(name, pathToFileURL(model)), 'FORMAT', message)
  })

  it('that is not there is said to be', async () => {
    for (const name of ['missing', 'dangling']) await expectRejection(sibling(name), 'ENVIRONMENT', /: no such file$/)
  })

  it('may be anywhere if the caller gives it', async () => {
    const files = await readModelFiles(model, { files: { '../secret': Uint8Array.of(7), 'outside': join(folder, 'secret') } })
    expect([...await files.sibling('../secret')]).toEqual([7])
    expect([...await files.sibling('outside')]).toEqual([1])
    await expectRejection(files.sibling('constructor'), 'ENVIRONMENT', /: no such file$/)
  })

  it.each([['readGraph', readGraph], ['load', load]] as const)('that is given goes to the reader that asks for it: %s', async (_name, read) => {
    const [kernel, bias] = [pseudoRandom(1, 5 * 8, 1), pseudoRandom(2, 8, 1)]
    const variables = { 'rnn/basic_lstm_cell/kernel': { filename: '../kernel', shape: [5, 8] }, 'rnn/basic_lstm_cell/bias': { filename: 'b', shape: [8] } }
    const bytes = new TextEncoder().encode(JSON.stringify(variables))
    const files = { '../kernel': new Uint8Array(kernel.buffer), 'b': new Uint8Array(bias.buffer) }
    expect((await read(bytes, { files })).inputs[0]).toMatchObject({ name: 'input', shape: ['batch', 'timesteps', 3] })
    await expectRejection(read(bytes, { files: { b: files.b } }), 'ENVIRONMENT', /kernel/)
  })

  it('is refused by the readers that ask for it', async () => {
    await expectRejection(readGraph(model), 'FORMAT', 'the model refers to the file "../secret", expected a name beside it or below')
  })
})
