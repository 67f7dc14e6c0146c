// ONNX files that ask for much, in a process of their own: what it has is looked at.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Budget } from '../../src/formats/budget.ts'
import { onnx, readOnnx } from '../../src/formats/onnx/index.ts'
import { onlyBytes } from '../../src/formats/reader.ts'
import { expectError } from '../expect-error.ts'
import { floatTensor, writeOnnx, type GraphSpec, type NodeSpec } from '../formats/onnx-writer.ts'

describe('files made to hurt', () => {
  const megabyte = 2 ** 20
  /** Heap and array buffers held by whatever `run` throws or returns. */
  async function cost(run: () => Promise<unknown>): Promise<number> {
    const used = (): number => {
      const { heapUsed, arrayBuffers } = process.memoryUsage()
      return heapUsed + arrayBuffers
    }
    const before = used()
    try {
      await run()
    } catch (error) {
      expect(error).toMatchObject({ name: 'LstmError' })
    }
    return used() - before
  }

  const constant = (size: number): NodeSpec[] => [
    { op: 'Constant', outputs: ['size'], attributes: { value_ints: [size] } }, { op: 'ConstantOfShape', inputs: ['size'], outputs: ['big'] },
  ]
  const many = (count: number, node: (n: number) => NodeSpec): NodeSpec[] => Array.from({ length: count }, (_, n) => node(n))
  const joined = (count: number): NodeSpec => ({
    op: 'Concat', inputs: Array.from({ length: count }, (_, n) => `v${n}`), outputs: ['y'], attributes: { axis: 0 },
  })
  const ofNodes = (nodes: readonly NodeSpec[], more: Partial<GraphSpec> = {}): Uint8Array => writeOnnx({ nodes, outputs: [{ name: 'y' }], ...more })

  const files: readonly (readonly [string, () => Uint8Array])[] = [
    ['a constant of 2^40 elements', () => ofNodes([...constant(2 ** 40), { op: 'Relu', inputs: ['big'], outputs: ['y'] }])],
    ['a constant of 2^31 elements', () => ofNodes([...constant(2 ** 31 - 1), { op: 'Relu', inputs: ['big'], outputs: ['y'] }])],
    ['a thousand constants of 2^20 elements', () => ofNodes([
      { op: 'Constant', outputs: ['size'], attributes: { value_ints: [megabyte] } },
      ...many(1000, (n) => ({ op: 'ConstantOfShape', inputs: ['size'], outputs: [`v${n}`] })), joined(1000),
    ])],
    ['a constant doubled thirty times', () => ofNodes([
      { op: 'Constant', outputs: ['v0'], attributes: { value_floats: { floats: [1] } } },
      ...many(30, (n) => ({ op: 'Concat', inputs: [`v${n}`, `v${n}`], outputs: [n === 29 ? 'y' : `v${n + 1}`], attributes: { axis: 0 } })),
    ])],
    ['a constant that is transposed again and again', () => ofNodes(
      many(20_000, (n) => ({ op: 'Transpose', inputs: [n === 0 ? 'w' : `v${n}`], outputs: [n === 19_999 ? 'y' : `v${n + 1}`] })),
      { initializers: [floatTensor('w', [300, 300], Array<number>(90_000).fill(1))] },
    )],
    ['an outer product of constants', () => ofNodes(
      [{ op: 'MatMul', inputs: ['a', 'b'], outputs: ['y'] }],
      { initializers: [floatTensor('a', [8000, 1], Array<number>(8000).fill(1)), floatTensor('b', [1, 8000], Array<number>(8000).fill(1))] },
    )],
    ['a broadcast of constants', () => ofNodes(
      [{ op: 'Add', inputs: ['a', 'b'], outputs: ['y'] }],
      { initializers: [floatTensor('a', [8000, 1], Array<number>(8000).fill(1)), floatTensor('b', [1, 8000], Array<number>(8000).fill(1))] },
    )],
    ['a product of large constants', () => ofNodes(
      [{ op: 'MatMul', inputs: ['a', 'a'], outputs: ['b'] }, { op: 'MatMul', inputs: ['b', 'b'], outputs: ['y'] }],
      { initializers: [floatTensor('a', [1200, 1200], Array<number>(1_440_000).fill(1))] },
    )],
    ['LSTMs that share their weights', () => ofNodes(
      [...many(2000, (n) => ({ op: 'LSTM', inputs: ['x', 'w', 'r'], outputs: [`v${n}`] })), joined(2000)],
      {
        inputs: [{ name: 'x', shape: ['t', 'b', 64] }],
        initializers: [floatTensor('w', [1, 256, 64], Array<number>(16384).fill(1)), floatTensor('r', [1, 256, 64], Array<number>(16384).fill(1))],
      },
    )],
    ['half a million nodes without an operator', () => ofNodes(many(500_000, () => ({ op: '' })))],
    ['half a million nodes', () => ofNodes(many(500_000, () => ({ op: 'A' })))],
    ['nodes of one name', () => ofNodes(
      [...many(10_000, (n) => ({ op: 'Relu', name: 'a', inputs: ['x'], outputs: [`v${n}`] })), joined(10_000)], { inputs: [{ name: 'x', shape: [1] }] },
    )],
    ['a message nested in itself', () => {
      let bytes = Uint8Array.of(10, 0)
      for (let n = 0; n < 5000; n++) bytes = Uint8Array.of(58, ...lengthOf(bytes), ...bytes)
      return bytes
    }],
    ['a field that is longer than any file', () => Uint8Array.of(0x08, 0x08, 0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f)],
    ['a length past 2^64', () => Uint8Array.of(0x3a, ...Array<number>(11).fill(0xff))],
  ]

  function lengthOf(bytes: Uint8Array): number[] {
    const result: number[] = []
    for (let length = bytes.length; ; length = Math.floor(length / 128)) {
      if (length < 128) return [...result, length]
      result.push((length % 128) | 128)
    }
  }

  it.each(files)('%s: takes no more than 64 MB and ten times the file, and as little work', async (_name, make) => {
    const bytes = make()
    const budget = new Budget(bytes.length)
    const used = await cost(() => onnx.read(onlyBytes(bytes), {}, budget))
    expect(used).toBeLessThan(10 * bytes.length + 64 * megabyte)
    // What is asked for last is counted, too, before it is refused.
    expect(budget.spent.work).toBeLessThan(2 ** 27 + 64 * bytes.length)
  })

  it('nothing at all, and every beginning of a file, is refused', () => {
    expectError(() => readOnnx(new Uint8Array(0)), 'FORMAT', 'onnx: expected a graph, got a model without one')
    const bytes = readFileSync(new URL('../golden/onnx/if-rank.onnx', import.meta.url))
    for (let length = 0; length < bytes.length; length++) {
      let error: unknown
      try {
        readOnnx(bytes.subarray(0, length))
      } catch (caught) {
        error = caught
      }
      expect(error, `${length} bytes`).toMatchObject({ name: 'LstmError' })
    }
  })
})
