// Operators that become several of ours: what is refused, and what streams. Numbers are checked with golden files.
import { describe, expect, it } from 'vitest'
import { readOnnx } from '../../src/formats/onnx/index.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { compile } from '../../src/model/load.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { pseudoRandom } from '../random.ts'
import { floatTensor, writeOnnx, type AttributeSpec, type GraphSpec, type NodeSpec, type PortSpec } from './onnx-writer.ts'

const runtime = await createRuntime({ variant: 'simd' })
const weights = (name: string, ...dims: number[]): NonNullable<GraphSpec['initializers']>[number] => (
  floatTensor(name, dims, [...pseudoRandom(7, dims.reduce((a, b) => a * b, 1), 1)])
)

/** One node with inputs x, y, ... of these shapes. */
function nodeOf(op: string, attributes: Readonly<Record<string, AttributeSpec>>, shapes: readonly PortSpec['shape'][], opset = 21): Graph {
  const inputs = shapes.map((shape = [], n) => ({ name: `x${n}`, shape }))
  const node: NodeSpec = { op, inputs: inputs.map(({ name }) => name), outputs: ['y'], attributes }
  return readOnnx(writeOnnx({ inputs, outputs: [{ name: 'y' }], nodes: [node] }, opset))
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
