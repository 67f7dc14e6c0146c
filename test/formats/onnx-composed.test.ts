// Operators that become several of ours: what is refused, and what streams. Numbers are checked with golden files.
import { describe, expect, it } from 'vitest'
import { readOnnx } from '../../src/formats/onnx/index.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { compile } from '../../src/model/load.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { pseudoRandom } from '../random.ts'
import { floatTensor, writeOnnx, type AttributeSpec, type GraphSpec, type NodeSpec, type PortSpec, type TensorSpec } from './onnx-writer.ts'

const runtime = await createRuntime({ variant: 'simd' })
const weights = (name: string, ...dims: number[]): NonNullable<GraphSpec['initializers']>[number] => (
  floatTensor(name, dims, [...pseudoRandom(7, dims.reduce((a, b) => a * b, 1), 1)])
)

/** One node with inputs of these shapes; null where one is absent. */
function nodeOf(
  op: string, attributes: Readonly<Record<string, AttributeSpec>>, shapes: readonly (PortSpec['shape'] | null)[],
  { opset = 21, outputs = ['y'], type = 1 }: { readonly opset?: number, readonly outputs?: readonly string[], readonly type?: number } = {},
): Graph {
  const inputs = shapes.flatMap((shape, n): PortSpec[] => (shape === null ? [] : [{ name: `x${n}`, shape: shape ?? [], type: n < 3 ? 1 : type }]))
  const node: NodeSpec = {
    op: op.replace(/^.*\./, ''), domain: op.includes('.') ? op.slice(0, op.lastIndexOf('.')) : '', inputs: shapes.map((shape, n) => (shape === null ? '' : `x${n}`)), outputs, attributes,
  }
  return readOnnx(writeOnnx({ inputs, outputs: [{ name: outputs.at(-1) as string }], nodes: [node] }, opset))
}

describe('Einsum', () => {
  const einsum = (equation: string, ...shapes: PortSpec['shape'][]) => (): Graph => nodeOf('Einsum', { equation }, shapes)
  it.each<[string, () => Graph, 'FORMAT' | 'UNSUPPORTED', string]>([
    ['a diagonal', einsum('ii->i', [3, 3]), 'UNSUPPORTED', "onnx: the model asks for what is not supported: node 'y' (Einsum): the equation \"ii->i\": a letter that operand 0 has twice (a diagonal) is not supported"],
    ['operands', einsum('ij,jk', [2, 3]), 'FORMAT', "onnx: node 'y' (Einsum): expected an equation of 1 operands, got \"ij,jk\""],
    ['arrows', einsum('i->i->i', [2]), 'FORMAT', "onnx: node 'y' (Einsum): expected an equation of 1 operands, got \"i->i->i\""],
    ['axes', einsum('ij->ji', [2]), 'FORMAT', "onnx: node 'y' (Einsum): the equation \"ij->ji\" gives 2 axes to operand 0, which has 1"],
    ['letters', einsum('i1', [2, 3]), 'FORMAT', "onnx: node 'y' (Einsum): expected letters and at most one '...' for each operand, got \"i1\""],
    ['result', einsum('ij->ik', [2, 3]), 'FORMAT', "onnx: node 'y' (Einsum): expected a result with axes of the operands, each once, and all of '...', got the equation \"ij->ik\""],
    ['twice', einsum('ij->ii', [2, 3]), 'FORMAT', "onnx: node 'y' (Einsum): expected a result with axes of the operands, each once, and all of '...', got the equation \"ij->ii\""],
    ['lost', einsum('...j->j', [2, 3]), 'FORMAT', "onnx: node 'y' (Einsum): expected a result with axes of the operands, each once, and all of '...', got the equation \"...j->j\""],
  ])('refuses %s', (_, read, code, message) => {
    expectError(read, code, message)
  })

  it('keeps timesteps apart, so that it streams', async () => {
    const spec: GraphSpec = {
      inputs: [{ name: 'x', shape: ['batch', 'time', 4] }], outputs: [{ name: 'y' }], initializers: [weights('w', 4, 2, 3), weights('v', 2, 3, 5), weights('l', 1, 12, 5), weights('r', 1, 12, 3)],
      nodes: [
        { op: 'Einsum', inputs: ['x', 'w'], outputs: ['h'], attributes: { equation: 'btd,dhk->bthk' } },
        { op: 'Einsum', inputs: ['h', 'v'], outputs: ['z'], attributes: { equation: 'bthk,hkd->tbd' } },
        { op: 'LSTM', inputs: ['z', 'l', 'r'], outputs: ['y'], attributes: { hidden_size: 3 } },
      ],
    }
    using model = await compile(readOnnx(writeOnnx(spec)), { runtime })
    const x = new NdArray(pseudoRandom(3, 5 * 4, 1), [1, 5, 4])
    const whole = model.run(x).y
    using stream = model.stream()
    const y = new Float32Array(3)
    const steps = Array.from({ length: 5 }, (_, n) => {
      stream.step(x.data.slice(4 * n, 4 * n + 4), y)
      return [...y]
    })
    expect(steps.flat()).toEqual(Array.from(whole?.data ?? []))
  })
})

describe('normalisations', () => {
  it('refuse groups that do not divide the channels, unknown channels, another norm', () => {
    const factors: PortSpec['shape'][] = [[6], [6]]
    expectError(() => nodeOf('GroupNormalization', { num_groups: 4 }, [[2, 6, 3], ...factors]), 'FORMAT', "onnx: node 'y' (GroupNormalization): expected groups of equal size of 6 channels, got num_groups 4")
    expectError(() => nodeOf('GroupNormalization', { num_groups: 0 }, [[2, 6, 3], ...factors]), 'FORMAT', /got num_groups 0/)
    expectError(() => nodeOf('GroupNormalization', { num_groups: 2 }, [[2, 'c', 3], ...factors]), 'UNSUPPORTED', /an unknown number of channels is not supported/)
    expectError(() => nodeOf('LpNormalization', { p: 3 }, [[2, 3]]), 'FORMAT', "onnx: node 'y' (LpNormalization): expected 1 or 2 for p, got 3")
  })
})

describe('attention', () => {
  const four = [2, 4, 3, 5]
  const three = [2, 3, 8]
  const refused = "onnx: the model asks for what is not supported: node 'y'"
  const groups = { num_heads: 2, kv_num_heads: 2 }
  it.each<[string, () => Graph, 'FORMAT' | 'UNSUPPORTED', string]>([
    ['one past', () => nodeOf('Attention', {}, [four, four, four, null, four]), 'FORMAT', "onnx: node 'y' (Attention): expected past keys and values, or neither, got one of them"],
    ['no number of heads', () => nodeOf('Attention', { q_num_heads: 2 }, [three, three, three]), 'FORMAT', "onnx: node 'y' (Attention): expected 4 axes, or 3 and a number of heads, got 3 axes and 0 heads"],
    ['heads that do not divide', () => nodeOf('Attention', {}, [four, [2, 3, 3, 5], [2, 3, 3, 5]]), 'UNSUPPORTED', `${refused} (Attention): attention of 4 heads to 3 is not supported`],
    ['a size without a number', () => nodeOf('Attention', {}, [[2, 4, 3, 'size'], four, four]), 'UNSUPPORTED', `${refused} (Attention): an unknown size of heads without a scale is not supported`],
    ['a mask of numbers', () => nodeOf('Attention', {}, [four, four, four, [3, 3]], { type: 7 }), 'UNSUPPORTED', `${refused} (Attention): an integer mask is not supported`],
    ['a mode', () => nodeOf('Attention', { qk_matmul_output_mode: 4 }, [four, four, four]), 'FORMAT', "onnx: node 'y' (Attention): expected a qk_matmul_output_mode from 0 to 3, got 4"],
    ['no heads', () => nodeOf('com.microsoft.MultiHeadAttention', {}, [three, three, three]), 'FORMAT', "onnx: node 'y' (MultiHeadAttention): expected a number of heads, got 0"],
    ['one input', () => nodeOf('com.microsoft.MultiHeadAttention', { num_heads: 2 }, [three]), 'UNSUPPORTED', `${refused} (MultiHeadAttention): queries, keys and values in one input is not supported`],
    ['another mask', () => nodeOf('com.microsoft.MultiHeadAttention', { num_heads: 2 }, [three, three, three, null, [7]], { type: 6 }), 'UNSUPPORTED', `${refused} (MultiHeadAttention): a mask int32 [7] is not supported`],
    ['rotation', () => nodeOf('com.microsoft.Attention', { num_heads: 2, do_rotary: 1 }, [three, [8, 24]]), 'UNSUPPORTED', `${refused} (Attention): the attribute 'do_rotary' is not supported`],
    ['a past', () => nodeOf('com.microsoft.GroupQueryAttention', groups, [three, three, three, four, four, [2], []], { type: 6 }), 'UNSUPPORTED',
      `${refused} (GroupQueryAttention): past keys and values, of which elements say how many count (export without a cache of keys and values: use_cache=False; or as Attention of version 23) is not supported`],
    ['no heads of keys', () => nodeOf('com.microsoft.GroupQueryAttention', { num_heads: 2 }, [three, three, three]), 'FORMAT', "onnx: node 'y' (GroupQueryAttention): expected a number of heads of keys, got 0"],
    ['keys without values', () => nodeOf('com.microsoft.GroupQueryAttention', groups, [three, three]), 'FORMAT', "onnx: node 'y' (GroupQueryAttention): expected keys and values, or neither, got one of them"],
    ['a smooth softmax', () => nodeOf('com.microsoft.GroupQueryAttention', { ...groups, smooth_softmax: 1 }, [three, three, three]), 'UNSUPPORTED', `${refused} (GroupQueryAttention): a sink of attention is not supported`],
    ['pairs beside each other', () => nodeOf('com.microsoft.GroupQueryAttention', { ...groups, rotary_interleaved: 1 }, [three, three, three]), 'UNSUPPORTED', `${refused} (GroupQueryAttention): rotary_interleaved is not supported`],
    ['a rotation of a part', () => nodeOf('com.microsoft.GroupQueryAttention', { ...groups, do_rotary: 1 }, [three, three, three, null, null, null, null, [9, 1], [9, 1]]), 'UNSUPPORTED',
      `${refused} (GroupQueryAttention): a rotation of 2 of 4 elements is not supported`],
  ])('refuses %s', (_, read, code, message) => {
    expectError(read, code, message)
  })

  it('over steps that come one by one is refused by streams, naming the node', async () => {
    using model = await compile(nodeOf('Attention', { q_num_heads: 2, kv_num_heads: 2, is_causal: 1 }, [['batch', 'time', 8], ['batch', 'time', 8], ['batch', 'time', 8]]), { runtime })
    expectError(() => model.stream(), 'UNSUPPORTED', /y/)
  })
})

describe("what onnxruntime's optimiser writes", () => {
  it('is refused by name where it is not done, or of one machine only', () => {
    expectError(() => nodeOf('com.microsoft.FusedGemm', { activation: 'Sin' }, [[2, 3], [3, 4]]), 'UNSUPPORTED', /\(FusedGemm\): the activation "Sin" is not supported/)
    expectError(() => nodeOf('com.microsoft.SkipLayerNormalization', {}, [[2, 3], [2, 3], [3]], { outputs: ['', 'mean'] }), 'UNSUPPORTED', /the output of means or deviations is not supported/)
    expectError(() => nodeOf('com.microsoft.EmbedLayerNormalization', {}, [[2, 3], null, [5, 4], [5, 4], null, [4], [4], [2, 3]], { type: 1 }), 'UNSUPPORTED', /a mask is not supported/)
    for (const op of ['com.microsoft.nchwc.Conv', 'com.ms.internal.nhwc.Conv', 'com.microsoft.NhwcMaxPool']) {
      expectError(
        () => nodeOf(op, {}, [[2, 3]]), 'UNSUPPORTED', new RegExp(`operator ${op} \\(node 'y'\\); onnxruntime optimised this file for machines like its own: load the file from before that`),
      )
    }
  })

  it('words, positions and segments are looked up, added and normalised', async () => {
    const spec: GraphSpec = {
      inputs: [{ name: 'words', type: 7, shape: ['batch', 'time'] }, { name: 'segments', type: 7, shape: ['batch', 'time'] }], outputs: [{ name: 'y' }, { name: 'sum' }],
      initializers: [weights('w', 7, 4), weights('p', 5, 4), weights('s', 2, 4), floatTensor('g', [4], [1, 1, 1, 1]), floatTensor('b', [4], [0, 0, 0, 0])],
      nodes: [{
        op: 'EmbedLayerNormalization', domain: 'com.microsoft', inputs: ['words', 'segments', 'w', 'p', 's', 'g', 'b'], outputs: ['y', '', 'sum'], attributes: { epsilon: { float: 0.5 } },
      }],
    }
    using model = await compile(readOnnx(writeOnnx(spec)), { runtime })
    const { y, sum } = model.run({ words: NdArray.from([[6, 0, 3]], 'int32'), segments: NdArray.from([[0, 1, 1]], 'int32') })
    const [w, p, s] = [28, 20, 8].map((length) => pseudoRandom(7, length, 1)) as [Float32Array, Float32Array, Float32Array]
    ;[6, 0, 3].forEach((word, step) => {
      const row = [0, 1, 2, 3].map((n) => (w[word * 4 + n] as number) + (p[step * 4 + n] as number) + (s[(step === 0 ? 0 : 1) * 4 + n] as number))
      const mean = row.reduce((a, b) => a + b) / 4
      const deviation = Math.sqrt(row.reduce((total, value) => total + (value - mean) ** 2, 0) / 4 + 0.5)
      row.forEach((value, n) => {
        expect(sum?.data[step * 4 + n]).toBeCloseTo(value, 5)
        expect(y?.data[step * 4 + n]).toBeCloseTo((value - mean) / deviation, 5)
      })
    })
  })
})

describe('elements', () => {
  /** A node after whose input, of whole numbers or not, comes a constant. */
  async function run(op: string, x: NdArray, constant?: TensorSpec, opset = 17): Promise<number[]> {
    const input = { name: 'x', type: x.dtype === 'int32' ? 7 : 1, shape: x.shape.map((_, axis) => `size${axis}`) }
    const node: NodeSpec = { op, inputs: ['x', ...(constant === undefined ? [] : ['c'])], outputs: ['y'] }
    using model = await compile(readOnnx(writeOnnx({ inputs: [input], outputs: [{ name: 'y' }], initializers: constant === undefined ? [] : [constant], nodes: [node] }, opset)), { runtime })
    return [...model.run({ x }).y?.data ?? []]
  }
  const whole = (...values: number[]): NdArray => new NdArray(Int32Array.from(values), [values.length])
  const exponent = (value: number): TensorSpec => ({ name: 'c', dims: [], type: 7, int64s: [value] })

  it('that are whole numbers have signs and powers too', async () => {
    expect(await run('Abs', whole(-3, 0, 2 ** 30 + 1))).toEqual([3, 0, 2 ** 30 + 1])
    expect(await run('Neg', whole(-3, 0, 7))).toEqual([3, 0, -7])
    expect(await run('Sign', whole(-3, 0, 7))).toEqual([-1, 0, 1])
    expect(await run('Pow', whole(-3, 0, 1291), exponent(3))).toEqual([-27, 0, 1291 ** 3 | 0])
    expect(await run('Pow', whole(-3, 5), exponent(1))).toEqual([-3, 5])
    expect(await run('Pow', new NdArray(Float32Array.of(-1.5, 2), [2]), exponent(2))).toEqual([2.25, 4])
    await expect(run('Pow', whole(2), exponent(-1))).rejects.toThrow(/node 'y' \(Pow\): a power of whole numbers whose exponent is not known beforehand to be one number from 1 to 31 is not supported/)
  })

  it('are -Infinity everywhere in masks that begin so', async () => {
    const spec: GraphSpec = {
      inputs: [{ name: 'x', shape: ['n', 2] }], outputs: [{ name: 'y' }],
      nodes: [
        { op: 'Shape', inputs: ['x'], outputs: ['s'] }, { op: 'ConstantOfShape', inputs: ['s'], outputs: ['mask'], attributes: { value: floatTensor('v', [1], [-Infinity]) } },
        { op: 'Max', inputs: ['x', 'mask'], outputs: ['m'] }, { op: 'Sub', inputs: ['m', 'mask'], outputs: ['y'] },
      ],
    }
    using model = await compile(readOnnx(writeOnnx(spec)), { runtime })
    expect([...model.run({ x: NdArray.from([[1, 2], [3, 4], [5, 6]]) }).y?.data ?? []]).toEqual(Array(6).fill(Infinity))
  })

  it('go without all axes of one element, whose sizes are known when the model runs', async () => {
    const spec: GraphSpec = { inputs: [{ name: 'x', shape: ['batch', 1, 'time'] }], outputs: [{ name: 'y' }], nodes: [{ op: 'Squeeze', inputs: ['x'], outputs: ['y'] }] }
    using model = await compile(readOnnx(writeOnnx(spec)), { runtime })
    const shapeOf = (batch: number, time: number): unknown => model.run({ x: new NdArray(pseudoRandom(1, batch * time, 1), [batch, 1, time]) }).y?.shape
    expect([shapeOf(2, 3), shapeOf(1, 3), shapeOf(1, 1), shapeOf(2, 3)]).toEqual([[2, 3], [3], [], [2, 3]])
  })
})
