// Sizes and addresses that do not fit int32: sizes are told whole, or refused before a kernel is called; addresses up to 4 GiB are right.
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { onnx } from '../src/formats/onnx/index.ts'
import { typeGraph } from '../src/graph/infer.ts'
import { compile } from '../src/model/load.ts'
import { addAllOperators } from '../src/ops/all.ts'
import { draftPlan } from '../src/plan/plan.ts'
import { prepareGraph } from '../src/plan/prepare.ts'
import { StateMemory } from '../src/plan/states.ts'
import { createRuntime } from '../src/runtime/create.ts'
import { checkBytes, checkElements, FIRST_BLOCK_PTR, LinearMemory, MAX_MEMORY_BYTES } from '../src/runtime/memory.ts'
import type { Runtime } from '../src/runtime/runtime.ts'
import { readSafetensors } from '../src/formats/safetensors/safetensors.ts'
import type { ArrayLike } from '../src/values/ndarray.ts'
import { expectError } from './expect-error.ts'
import { random } from './ops/reference.ts'
import { lstmGraph, randomLstm } from './lstm-graph.ts'
import { Arena } from './kernels/arena.ts'
import { inTurn } from './thorough.ts'
import { describeBinaries, runtimeOf } from './variants.ts'

addAllOperators()

/** Bytes of buffers of a plan for input shapes, told without memory for them. */
function bytesOf(runtime: Runtime, graph: Parameters<typeof typeGraph>[0], shapes: Record<string, number[]>): number {
  const prepared = prepareGraph(runtime, typeGraph(graph))
  try {
    return draftPlan(runtime, prepared, new Map(Object.entries(shapes)), new StateMemory(runtime), false).bytes
  } finally {
    prepared.dispose()
  }
}

describeBinaries('sizes that kernels tell', (binary) => {
  const { kernels } = new Arena(binary)
  const blocks = (length: number, of: number): number => Math.ceil(length / of)

  it.each([[1, 1], [7, 5], [2 ** 26, 1], [2 ** 30, 17], [2 ** 31 - 1, 2 ** 20]])('a packed matrix of %i x %i', (k, columns) => {
    expect(kernels.packedDenseBytes(k, columns)).toBe(64 + blocks(columns, 16) * (k + 1) * 64)
  })

  it.each([[1, 1, 1], [2 ** 26, 1, 3], [3, 2 ** 20, 4], [2 ** 30, 2 ** 28, 4]])('a packed matrix of %i inputs, %i units and %i gates', (inputs, units, gates) => {
    expect(kernels.packedGatesBytes(inputs, units, gates)).toBe(64 + blocks(4 * gates * blocks(units, 4), 16) * 64 * (inputs + 1))
  })

  it.each([
    [1, 1, 3, 5, 5, 4], [10_000_000, 1, 1, 1, 1, 3], [2 ** 30, 1, 1, 17, 3, 4], [2 ** 20, 1, 3, 1000, 1000, 1],
  ])('the workspace of %i rows, %i steps, %i inputs, %i units, %i outputs and %i gates', (rows, steps, inputs, units, outputs, gates) => {
    const gatesBytes = (blocks(4 * gates * blocks(units, 4), 16) + 1) * 64
    const least = rows * ((steps + 1) * gatesBytes + (blocks(units, 4) + blocks(outputs, 4)) * 16)
    const bytes = kernels.recurrentWorkspaceBytes(rows, steps, inputs, units, outputs, gates, 0)
    expect(bytes).toBeGreaterThanOrEqual(least)
    expect(bytes).toBeLessThanOrEqual(least + 2 ** 20)
  })

  it.each([[1, 1], [100, 2 ** 29], [2 ** 30, 9]])('the workspace of a convolution of %i rows and %i terms', (rows, k) => {
    const portion = Math.max(2, Math.floor(32768 / k)) & ~1
    expect(kernels.convolveWorkspaceBytes(rows, k, 0)).toBe(Math.ceil(Math.min(rows, portion) * k / 4) * 16 + 16)
  })
})

describe('sizes that are refused', () => {
  it('by the memory, and by the layout of a plan: all that is no whole number of bytes up to 4 GiB', () => {
    const memory = new LinearMemory(2 ** 20)
    for (const bytes of [-1, -64, NaN, 0.5, Infinity, 2 ** 32 + 1, -(2 ** 31)]) {
      expectError(() => checkBytes(bytes, 'it'), 'MEMORY', `it: needs ${bytes} bytes; WebAssembly can address ${MAX_MEMORY_BYTES}`)
      expectError(() => memory.allocate(bytes, 'it'), 'MEMORY', /needs/)
    }
    expect(memory.usedBytes).toBe(0)
    checkBytes(0, 'it')
    checkBytes(2 ** 32, 'it')
    checkElements(2 ** 31 - 1, 'it')
    expectError(() => checkElements(2 ** 31, 'it'), 'MEMORY', 'it: has 2147483648 elements; a value of a model can have 2147483647')
  })

  it('a batch whose workspace has more than 2 GiB is laid out right, and refused where there is no memory for it', async () => {
    const runtime = await createRuntime({ variant: 'simd', maxMemoryBytes: 2 ** 24 })
    const graph = lstmGraph(randomLstm({ inputSize: 1, hiddenSize: 1, numLayers: 1, bidirectional: false, bias: true }, 1))
    const sizes = (batch: number): Record<string, number[]> => ({ input: [batch, 1, 1], h_0: [1, batch, 1], c_0: [1, batch, 1] })
    const bytes = bytesOf(runtime, graph, sizes(10_000_000))
    expect(bytes).toBeGreaterThan(2 ** 31)
    const model = await compile(graph, { runtime })
    const used = runtime.memory().usedBytes
    const batch = 200_000
    const floats = new Float32Array(batch)
    expectError(() => model.run({ input: { dtype: 'float32', shape: [batch, 1, 1], data: floats } }), 'MEMORY', /needs \d{8} bytes/)
    expect(runtime.memory().usedBytes).toBe(used)
    expectError(() => bytesOf(runtime, graph, sizes(2 ** 30)), 'MEMORY', /needs \d+ bytes; WebAssembly can address/)
    model.dispose()
  })

  it('bytes of a mask that are more than int32 counts', async () => {
    const runtime = await createRuntime({ variant: 'simd', maxMemoryBytes: 2 ** 20 })
    const graph = {
      inputs: [{ name: 'a', dtype: 'uint8' as const, shape: ['n'] }], outputs: [{ name: 'y', value: 'y' }], constants: new Map(),
      nodes: [{ name: 'n', op: 'not', inputs: ['a'], outputs: ['y'], parameters: {}, attributes: {} }],
    }
    expect(bytesOf(runtime, graph, { a: [2 ** 30] })).toBe(2 ** 31)
    expectError(() => bytesOf(runtime, graph, { a: [2 ** 31] }), 'MEMORY', "the value 'a' uint8 [2147483648]: has 2147483648 elements; a value of a model can have 2147483647")
  })

  it('windows that reach further than positions are counted', async () => {
    const runtime = await createRuntime({ variant: 'simd' })
    const graph = (op: string, attributes: Record<string, number[]>): Parameters<typeof compile>[0] => ({
      inputs: [{ name: 'x', dtype: 'float32', shape: [1, 1, 8] }], outputs: [{ name: 'y', value: 'y' }],
      constants: new Map(op === 'averagePool' ? [] : [['w', random(1, [1, 1, 3])]]),
      nodes: [{
        name: 'n', op, inputs: op === 'averagePool' ? ['x'] : ['x', 'w'], outputs: ['y'], parameters: {},
        attributes: op === 'averagePool' ? { kernelShape: [3], ...attributes } : attributes,
      }],
    })
    for (const op of ['conv', 'averagePool', 'convTranspose']) {
      const tooFar: Record<string, number[]>[] = [
        { dilations: [2 ** 31], pads: [2 ** 32, 0] }, { strides: [2 ** 32] }, { pads: [2 ** 31, 0] }, { dilations: [2 ** 28] },
      ]
      for (const attributes of tooFar) {
        const error = await compile(graph(op, attributes), { runtime }).then(() => undefined, (caught: unknown) => caught)
        expect(error, `${op} ${JSON.stringify(attributes)}`).toMatchObject({ code: 'UNSUPPORTED' })
      }
    }
  })
})

// Memory that is reserved and never touched costs nothing.
const folder = new URL('golden/onnx/', import.meta.url)
const { cases } = JSON.parse(readFileSync(new URL('cases.json', folder), 'utf8')) as { cases: { name: string, file: string, inputs: Record<string, unknown> }[] }
const { tensors } = readSafetensors(readFileSync(new URL('cases.safetensors', folder)))

describeBinaries('addresses', (binary) => {
  const BOUNDARIES = { 'around 2 GiB': 2 ** 31 - 3000, 'up to 4 GiB': 2 ** 32 - 2 ** 22 }
  const runtimes: Runtime[] = []
  beforeAll(async () => {
    runtimes.push(await runtimeOf(binary))
    for (const boundary of Object.values(BOUNDARIES)) {
      const high = await runtimeOf(binary)
      high.linearMemory.allocate(boundary - FIRST_BLOCK_PTR, 'what is in the way')
      const first = high.tensor([1])
      expect(first.ptr).toBe(Math.ceil(boundary / 64) * 64)
      first.dispose()
      runtimes.push(high)
    }
  })

  it(`${Object.keys(BOUNDARIES).join(' and ')}: every golden model gives the same bits there`, async () => {
    // The debug binary is the same code.
    for (const { name, file, inputs } of binary.name === 'debug' ? inTurn(cases, 0) : cases) {
      const sibling = (beside: string): Promise<Uint8Array> => readFile(new URL(beside, folder))
      const graph = await onnx.read({ bytes: readFileSync(new URL(file, folder)), name: file, sibling }, {})
      const given = Object.fromEntries(Object.keys(inputs).map((input) => [input, tensors.get(`${name}/in/${input}`) as ArrayLike]))
      const [expected, ...got] = await Promise.all(runtimes.map(async (runtime) => {
        const model = await compile(graph, { runtime })
        const outputs = model.run(given)
        model.dispose()
        return Object.values(outputs).map(({ data }) => Buffer.from(data.buffer).toString('hex'))
      }))
      expect(got, name).toEqual([expected, expected])
    }
  })

  it('strides beyond 2 GiB', () => {
    const far = new LinearMemory(MAX_MEMORY_BYTES)
    const kernels = new WebAssembly.Instance(binary.module, { env: { memory: far.wasm } }).exports as unknown as Arena['kernels']
    const stride = 3 * 2 ** 29
    const ptr = far.allocate(2 * stride + 64, 'rows that lie apart')
    const [from, to] = [far.allocate(64, 'rows'), far.allocate(64, 'rows')]
    far.view('float32', from, 9).set([1, 2, 3, 4, 5, 6, 7, 8, 9])
    kernels.copyRows(from, 12, ptr, stride, 3, 12)
    expect([...far.view('float32', ptr + 2 * stride, 3)]).toEqual([7, 8, 9])
    kernels.copyRows(ptr + 2 * stride, -stride, to, 12, 3, 12)
    expect([...far.view('float32', to, 9)]).toEqual([7, 8, 9, 4, 5, 6, 1, 2, 3])
  })
})
