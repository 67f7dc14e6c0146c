// `lstm-wasm score --pool FILE`: who scores is a module of the user's.
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lstmWasm, type Result } from './in-process.ts'
import { csvOf, salesOf } from './tables.ts'

const WORKER = new URL('../../dist/score-worker.js', import.meta.url).href
const ARGS = ['score', 'lstm.safetensors', 'sales.csv', '--timesteps', '20', '--columns', 'a,b,c', '--group-rows', '50', '--only', 'output', '--last', '--variant', 'simd']
/** A pool of one thread of the built worker; `%` is what becomes of its scores. */
const POOL = `import { Worker } from 'node:worker_threads'
export default function open(task) {
  const worker = new Worker(new URL(${JSON.stringify(WORKER)}), { workerData: task })
  return {
    depth: 3,
    score: (job) => new Promise((resolve, reject) => {
      worker.once('message', (answer) => ('scores' in answer ? resolve(answer.scores.map((scores) => %)) : reject(new Error(answer.message))))
      worker.postMessage(job)
    }),
    end: () => worker.terminate(),
  }
}`
/** Jobs one after the other: \`once\` hears the answer of the first. */
const IN_TURN = POOL.replace('score: (job) => new', 'last: Promise.resolve(), score(job) { return (this.last = this.last.then(() => this.one(job))) },\n    one: (job) => new')

let folder: string
const pathOf = (name: string): string => join(folder, name)
const score = async (...args: string[]): Promise<Result> => lstmWasm(folder, [...ARGS, ...args])
const withPool = async (text: string, name: string): Promise<Result> => {
  writeFileSync(pathOf(`${name}.mjs`), text)
  return score('-o', `${name}.csv`, '--pool', `${name}.mjs`)
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lstm-wasm-score-pool-'))
  copyFileSync(fileURLToPath(new URL('../golden/state-dicts/lstm-1layer.safetensors', import.meta.url)), pathOf('lstm.safetensors'))
  writeFileSync(pathOf('sales.csv'), csvOf(salesOf([333]).columns))
  expect((await score('-o', 'whole.csv', '--workers', '1')).code).toBe(0)
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('a pool of the user', () => {
  it('scores, and every byte is that of one thread', async () => {
    expect(await withPool(IN_TURN.replace('%', 'scores'), 'right')).toMatchObject({ code: 0, stdout: 'right.csv: 314 windows of 333 rows, 8 columns\n' })
    expect(readFileSync(pathOf('right.csv'))).toEqual(readFileSync(pathOf('whole.csv')))
  })

  it.each([
    ['too few numbers', IN_TURN.replace('%', 'scores.subarray(1)'), /^lstm-wasm: --pool: 'wrong-0.mjs': expected \d+ numbers \(float32\) for the output 'output', got \d+ in Float32Array\n$/],
    ['numbers of another kind', IN_TURN.replace('%', 'Float64Array.from(scores)'), /^lstm-wasm: --pool: 'wrong-1.mjs': .*got \d+ in Float64Array\n$/],
    ['no numbers', 'export default () => ({ depth: 1, score: async () => [], end: async () => {} })', /^lstm-wasm: --pool: 'wrong-2.mjs': .*got none\n$/],
    ['an error', 'export default () => ({ depth: 1, score: async () => { throw new Error("no machine is there") }, end: async () => {} })', /^lstm-wasm: no machine is there\n$/],
    ['no pool', 'export default () => ({ depth: 0, score() {}, end() {} })', /^lstm-wasm: --pool: expected 'wrong-4.mjs' to make \{ depth, score, end \}, with a whole number from 1 on and two functions\n$/],
    ['no function', 'export default 3', /^lstm-wasm: --pool: expected a default export in 'wrong-5.mjs' that is a function, got number\n$/],
    ['a syntax error', 'export default (', /^lstm-wasm: --pool: cannot load 'wrong-6.mjs': /],
  ] as [string, string, RegExp][])('that gives %s is refused', async (_, text, message) => {
    const name = /wrong-\d/.exec(String(message))?.[0] ?? 'failing'
    const { code, stderr } = await withPool(text, name)
    expect(stderr).toMatch(message)
    expect(code).toBe(1)
  })

  it('is loaded from a file that is there, and not beside --workers', async () => {
    expect((await score('-o', 'no.csv', '--pool', 'nowhere.mjs')).stderr).toMatch(/^lstm-wasm: --pool: cannot load 'nowhere.mjs': /)
    expect(await score('-o', 'no.csv', '--pool', 'right.mjs', '--workers', '2')).toMatchObject({ code: 2, stderr: 'lstm-wasm: expected --workers or --pool, got both (see lstm-wasm score --help)\n' })
  })

  it('stops by Ctrl-C where nobody answers', async () => {
    const stopped = withPool(`export default () => ({
      depth: 1, end: async () => {},
      score: () => new Promise(() => setTimeout(() => process.emit('SIGINT'), 20)),
    })`, 'silent')
    expect(await stopped).toMatchObject({ code: 130, stderr: '0 rows are written; the same command goes on from there\nlstm-wasm: stopped\n' })
  })
})
