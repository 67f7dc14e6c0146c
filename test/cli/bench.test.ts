// `lstm-wasm bench` beside another engine: a package of the name onnxruntime-web that computes what these models compute, or something else.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { floatTensor, writeOnnx, type GraphSpec } from '../formats/onnx-writer.ts'
import { lstmWasm, type Result } from './in-process.ts'

const folders: string[] = []
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))))

/** y = relu(x); z = a row of a table for each index. */
const BOTH: GraphSpec = {
  inputs: [{ name: 'x', shape: ['N', 'seq_len', 3] }, { name: 'i', type: 7, shape: ['N'] }], outputs: [{ name: 'y' }, { name: 'z' }],
  nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }, { op: 'Gather', inputs: ['w', 'i'], outputs: ['z'] }],
  initializers: [floatTensor('w', [2, 2], [1, -2, 3, 4])],
}
const named = (...sizes: (string | number)[]): GraphSpec => ({ inputs: [{ name: 'x', shape: sizes }], outputs: [{ name: 'y' }], nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }] })

/** The engine: what it makes of an element of x, and how its module is exported. */
const engine = (change: string, exported = 'export const { Tensor, InferenceSession } = engine'): string => `
class OwnTensor { constructor(type, data, dims) { Object.assign(this, { type, data, dims }) } }
const session = {
  inputMetadata: [{ name: 'x' }, { name: 'i', type: 'int64' }],
  async run({ x, i }) {
    if (i.type !== 'int64' || !(i.data instanceof BigInt64Array) || x.type !== 'float32') throw new Error('other types')
    const table = [[1, -2], [3, 4]]
    const y = Float32Array.from(x.data, (value, n) => Math.max(0, value))
    const outputs = { y: { data: y }, z: { data: Float32Array.from([...i.data].flatMap((index) => table[Number(index)])) }, more: { data: [1] } }
    ${change}
    return outputs
  },
}
const engine = { Tensor: OwnTensor, InferenceSession: { create: async (bytes, { executionProviders }) => {
  if (!(bytes instanceof Uint8Array) || executionProviders.join() !== 'wasm') throw new Error('other arguments')
  return session
} } }
${exported}
`

async function bench(graph: GraphSpec, text: string | undefined, ...args: readonly string[]): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'lstm-wasm-bench-'))
  folders.push(folder)
  await writeFile(join(folder, 'model.onnx'), writeOnnx(graph))
  if (text !== undefined) {
    const module = join(folder, 'node_modules', 'onnxruntime-web')
    await mkdir(module, { recursive: true })
    await writeFile(join(module, 'package.json'), '{ "name": "onnxruntime-web", "main": "index.mjs" }')
    await writeFile(join(module, 'index.mjs'), text)
  }
  return lstmWasm(folder, ['bench', 'model.onnx', '--seconds', '0.01', ...args])
}

describe('lstm-wasm bench', () => {
  it.each([['by its names', undefined], ['as its default', 'export default engine']] as const)('times another engine beside ours, exported %s, once the outputs agree', async (_how, exported) => {
    const { code, stdout, stderr } = await bench(BOTH, engine('', exported), '--batch', '2', '--timesteps', '5')
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^outputs agree within 0(\.0)? of the largest\nmodel\.onnx: x \[2, 5, 3\], i \[2\], Node v/)
    const rows = stdout.split('\n').filter((line) => /^(lstm-wasm \((relaxed-)?simd\)|onnxruntime-web) /.test(line))
    expect(rows.map((line) => /([\d.]+ (us|ms|s) +){2}\d+ +[\d.]+x$/.test(line))).toEqual([true, true])
    expect(rows[0]).toMatch(/1\.00x$/)
  })

  it.each([
    ['an element that is off', 'outputs.y.data[2] += 0.5', /differ by (0\.\d+|[1-9][\d.]*) of the largest: nothing was timed\n$/],
    ['NaN', 'outputs.y.data[2] = NaN', /differ by Infinity of the largest/], ['an output of another length', 'outputs.z.data = [1]', /differ by Infinity of the largest/],
    ['an output less', 'delete outputs.y', /differ by Infinity of the largest/],
  ])('times nothing where the other engine gives %s', async (_what, change, message) => {
    const { code, stdout, stderr } = await bench(BOTH, engine(change))
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^lstm-wasm: the outputs of lstm-wasm and onnxruntime-web /)
    expect(stderr).toMatch(message)
  })

  it('says how the other engine comes beside it, and takes sizes by any of their names', async () => {
    const { code, stdout } = await bench(named('batch_size', 'time', 'wide'), undefined, '--timesteps', '7', '--size', 'wide=2')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^model\.onnx: x \[1, 7, 2\], Node v/)
    expect(stdout).toMatch(/\nTo time onnxruntime-web beside it: npm install onnxruntime-web\n$/)
  })

  it('refuses sizes that are open', async () => {
    expect(await bench(named('wide'), undefined)).toEqual({
      code: 2, stdout: '', stderr: "lstm-wasm: the size 'wide' of the input 'x' is open: --size wide=N (see lstm-wasm bench --help)\n",
    })
  })
})
