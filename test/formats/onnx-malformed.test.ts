// What nodes of ONNX files say wrong, or say that nothing here computes: each is refused with the name of the node and what it says.
import { describe, expect, it } from 'vitest'
import type { LstmErrorCode } from '../../src/errors.ts'
import { readOnnx } from '../../src/formats/onnx/index.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { compile } from '../../src/model/load.ts'
import { addAllOperators } from '../../src/ops/all.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { floatTensor, writeOnnx, type GraphSpec, type NodeSpec, type TensorSpec } from './onnx-writer.ts'

addAllOperators()

const one = (node: NodeSpec, initializers: readonly TensorSpec[] = [], shape: readonly (number | string | null)[] = ['batch', 4]): GraphSpec => ({
  inputs: [{ name: 'x', shape }], outputs: [{ name: 'y' }], nodes: [{ name: 'n', outputs: ['y'], inputs: ['x'], ...node }], initializers,
})
const ints = (name: string, ...values: number[]): TensorSpec => ({ name, dims: [values.length], type: 7, int64s: values })
const numbers = (name: string, dims: readonly number[]): TensorSpec => (
  floatTensor(name, dims, Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, n) => Math.sin(n + 1)))
)

/** An LSTM of 2 units over [timesteps, batch, 3]. */
const lstm = (attributes: NodeSpec['attributes'] = {}, { w = [1, 8, 3], r = [1, 8, 2], b = [1, 16], inputs = ['x', 'W', 'R', 'B'] } = {}): GraphSpec => (
  one({ op: 'LSTM', inputs, attributes: { hidden_size: 2, ...attributes } }, [numbers('W', w), numbers('R', r), numbers('B', b)], [5, 'batch', 3])
)

/** With an initial c of zeros. */
const withZeros = (name: string, units: number): GraphSpec => {
  const graph = lstm({}, { inputs: ['x', 'W', 'R', 'B', '', '', name] })
  return { ...graph, initializers: [...graph.initializers ?? [], floatTensor(name, [1, 2, units], Array<number>(2 * units).fill(0))] }
}

describe('refused', () => {
  it.each<[string, LstmErrorCode, GraphSpec]>([
    ["node 'n' (CastLike): a cast to what may be uint8 or bool is not supported", 'UNSUPPORTED', one({ op: 'CastLike', inputs: ['x', 'm'] }, [{ name: 'm', dims: [1], type: 9, raw: Uint8Array.of(1) }])],
    ["node 'n' (Cast): a cast to uint16 is not supported", 'UNSUPPORTED', one({ op: 'Cast', attributes: { to: 4 } })],
    ["node 'n' (Constant): expected a value, got none", 'FORMAT', one({ op: 'Constant', inputs: [] })],
    ["node 'n' (Constant): the attribute 'value_string' is not supported", 'UNSUPPORTED', one({ op: 'Constant', inputs: [], attributes: { value_string: 'x' } })],
    ["node 'n' (ConstantOfShape): expected a value of one element, got 2", 'FORMAT', one({ op: 'ConstantOfShape', inputs: ['s'], attributes: { value: floatTensor('v', [2], [1, 2]) } }, [ints('s', 2)])],
    ["node 'n' (Dropout): training is not supported", 'UNSUPPORTED', one({ op: 'Dropout', inputs: ['x', '', 't'] }, [{ name: 't', dims: [], type: 9, raw: Uint8Array.of(1) }])],
    ["node 'n' (Gelu): approximate 'erf' is not supported", 'UNSUPPORTED', one({ op: 'Gelu', attributes: { approximate: 'erf' } })],
    ["node 'n' (LayerNormalization): stash_type 11 is not supported", 'UNSUPPORTED', one({ op: 'LayerNormalization', inputs: ['x', 'g'], attributes: { stash_type: 11 } }, [numbers('g', [4])])],
    ["node 'n' (MaxPool): a window over 3 axes (there are 1 and 2) is not supported", 'UNSUPPORTED', one({ op: 'MaxPool', attributes: { kernel_shape: [1, 1, 1] } }, [], [1, 1, 2, 2, 2])],
    ["node 'n' (Shrink): bias 0.25 with lambd 0.5 is not supported", 'UNSUPPORTED', one({ op: 'Shrink', attributes: { bias: { float: 0.25 } } })],
    ["node 'n' (Swish): alpha 2 is not supported", 'UNSUPPORTED', one({ op: 'Swish', attributes: { alpha: { float: 2 } } })],
    ["node 'n' (Selu): expected an input at position 0, got none", 'FORMAT', one({ op: 'Selu', inputs: [] })],
    ["node 'n' (Gelu): expected string for the attribute 'approximate', got int", 'FORMAT', one({ op: 'Gelu', attributes: { approximate: 3 } })],
    ["node 'n' (PRelu): the attribute 'alpha' is not supported", 'UNSUPPORTED', one({ op: 'PRelu', inputs: ['x', 's'], attributes: { alpha: 3 } }, [numbers('s', [4])])],
    ["node 'n' (LSTM): expected the weights W and R, got no W", 'FORMAT', lstm({}, { inputs: ['x', '', 'R'] })],
    ["node 'n' (LSTM): expected the weights W and R, got no R", 'FORMAT', lstm({}, { inputs: ['x', 'W'] })],
    ["node 'n' (LSTM): expected W and R with 3 axes, got [1, 8] and [1, 8, 2]", 'FORMAT', lstm({}, { w: [1, 8] })],
    ["node 'n' (LSTM): expected W [1, 8, 3], got [1, 9, 3]", 'FORMAT', lstm({}, { w: [1, 9, 3] })],
    ["node 'n' (LSTM): expected R [1, 8, 2], got [2, 8, 2]", 'FORMAT', lstm({}, { r: [2, 8, 2] })],
    ["node 'n' (LSTM): expected B [1, 16], got [1, 8]", 'FORMAT', lstm({}, { b: [1, 8] })],
    ["node 'n' (LSTM): an LSTM whose W does not follow from constants (it depends on the inputs \"x\"; the option 'constants' fixes them) is not supported", 'UNSUPPORTED', lstm({}, { inputs: ['x', 'x', 'R'] })],
    ["node 'n' (LSTM): expected 'forward', 'reverse' or 'bidirectional' for the direction, got 'both'", 'FORMAT', lstm({ direction: 'both' })],
    ["node 'n' (LSTM): expected layout 0 or 1, got 2", 'FORMAT', lstm({ layout: 2 })],
    ["node 'n' (LSTM): expected hidden_size 2 for its weights, got 3", 'FORMAT', lstm({ hidden_size: 3 })],
    ["node 'n' (LSTM): expected initial states of 2 units, as its weights have them, got 5 in 'c'. PyTorch's exporter drops the projection of an nn.LSTM with proj_size: load its state dict instead (torch.save(model.state_dict(), 'model.pt'))", 'FORMAT',
      withZeros('c', 5)],
    ["node 'n' (LSTM): expected initial states of 2 units, as its weights have them, got 1 in 'c'", 'FORMAT', withZeros('c', 1)],
    ["node 'n' (Concat): expected constants with as many axes each, got [2, 3] and [2]. PyTorch's dynamo exporter writes so the projection of an nn.LSTM with proj_size: load its state dict instead (torch.save(model.state_dict(), 'model.pt'))", 'FORMAT',
      one({ op: 'Concat', inputs: ['a', 'b'], attributes: { axis: 0 } }, [numbers('a', [2, 3]), numbers('b', [2])])],
    ...['ReduceMean', 'ReduceL1', 'ReduceSumSquare', 'Relu'].map((op): [string, LstmErrorCode, GraphSpec] => (
      [`node 'n' (${op}): whole numbers; a Cast to float32 before it makes it run`, 'UNSUPPORTED', { ...one({ op }), inputs: [{ name: 'x', shape: ['batch', 4], type: 6 }] }]
    )),
    ["node 'n' (LSTM): expected a clip above 0, got -1", 'FORMAT', lstm({ clip: { float: -1 } })],
    ["node 'n' (LSTM): expected 3 activations, got 1", 'FORMAT', lstm({ activations: ['Tanh'] })],
    ["node 'n' (LSTM): the activation 'Sine' is not supported", 'UNSUPPORTED', lstm({ activations: ['Sigmoid', 'Sine', 'Tanh'] })],
    ["node 'n' (Resize): keep_aspect_ratio_policy 'not_larger' is not supported", 'UNSUPPORTED',
      one({ op: 'Resize', inputs: ['x', '', 's'], attributes: { keep_aspect_ratio_policy: 'not_larger' } }, [numbers('s', [2])])],
    ["node 'n' (Resize): coordinate_transformation_mode 'tf_crop_and_resize' is not supported", 'UNSUPPORTED',
      one({ op: 'Resize', inputs: ['x', '', 's'], attributes: { coordinate_transformation_mode: 'tf_crop_and_resize' } }, [numbers('s', [2])])],
    ["node 'n' (Resize): expected scales or sizes, got neither", 'FORMAT', one({ op: 'Resize', inputs: ['x'] })],
    ["node 'n' (If): expected the graph 'then_branch', got none", 'FORMAT', one({ op: 'If', inputs: ['c'] }, [{ name: 'c', dims: [1], type: 9, raw: Uint8Array.of(1) }])],
    ["node 'n' (If): a condition of 2 elements is not supported", 'UNSUPPORTED', one({ op: 'If', inputs: ['c'] }, [{ name: 'c', dims: [2], type: 9, raw: Uint8Array.of(1, 0) }])],
    ["node 'n' (If): expected 'then_branch' without inputs, got 1", 'FORMAT', one({
      op: 'If', inputs: ['c'], attributes: { then_branch: { inputs: [{ name: 'a', shape: [1] }], nodes: [], outputs: [{ name: 'a' }] } },
    }, [{ name: 'c', dims: [1], type: 9, raw: Uint8Array.of(1) }])],
  ])('%s', (message, code, graph) => {
    expect(expectError(() => readOnnx(writeOnnx(graph)), code, /^onnx: /).message).toContain(message)
  })
})

describe('rare, and read', () => {
  const x = new NdArray(Float32Array.of(-2, -0.25, 0.25, 3), [1, 4])
  const outputs = async (graph: Graph): Promise<Record<string, number[]>> => {
    using model = await compile(graph)
    return Object.fromEntries(Object.entries(model.run({ x })).map(([name, { data }]) => [name, [...data]]))
  }
  const y = async (node: NodeSpec, initializers: readonly TensorSpec[] = []): Promise<number[] | undefined> => (
    (await outputs(readOnnx(writeOnnx(one(node, initializers))))).y
  )

  it('shrinks, slopes, means', async () => {
    expect(await y({ op: 'Shrink', attributes: { lambd: { float: 1 } } })).toEqual([-2, 0, 0, 3])
    expect(await y({ op: 'Shrink', attributes: { lambd: { float: 1 }, bias: { float: 1 } } })).toEqual([-1, 0, 0, 2])
    expect(await y({ op: 'PRelu', inputs: ['x', 's'] }, [floatTensor('s', [4], [0.5, 2, 3, 4])])).toEqual([-1, -0.5, 0.25, 3])
    expect(await y({ op: 'Mean', inputs: ['x', 's'] }, [floatTensor('s', [4], [1, 2, 3, 4])])).toEqual([-0.5, 0.875, 1.625, 3.5])
  })

  it('constants of every kind', async () => {
    for (const [attributes, expected] of [
      [{ value_floats: { floats: [1.5, -2, 0, 4] } }, [-0.5, -2.25, 0.25, 7]], [{ value_float: { float: 1.5 } }, [-0.5, 1.25, 1.75, 4.5]],
    ] as const) {
      const graph: GraphSpec = {
        inputs: [{ name: 'x', shape: ['batch', 4] }], outputs: [{ name: 'y' }],
        nodes: [{ op: 'Constant', outputs: ['c'], attributes }, { op: 'Add', inputs: ['x', 'c'], outputs: ['y'] }],
      }
      expect((await outputs(readOnnx(writeOnnx(graph)))).y).toEqual(expected)
    }
    for (const [attributes, expected] of [[{ value_ints: [0, 2] }, [-2, 0.25]], [{ value_int: 3 }, [3]]] as const) {
      const graph: GraphSpec = {
        inputs: [{ name: 'x', shape: ['batch', 4] }], outputs: [{ name: 'y' }],
        nodes: [{ op: 'Constant', outputs: ['c'], attributes }, { op: 'Gather', inputs: ['x', 'c'], outputs: ['y'], attributes: { axis: 1 } }],
      }
      expect((await outputs(readOnnx(writeOnnx(graph)))).y).toEqual(expected)
    }
  })

  it('a Dropout that does nothing, with its mask', async () => {
    const graph: GraphSpec = {
      inputs: [{ name: 'x', shape: ['batch', 4] }], outputs: [{ name: 'y' }, { name: 'm', type: 9 }],
      nodes: [{ op: 'Dropout', inputs: ['x', 'r', 't'], outputs: ['y', 'm'] }],
      initializers: [floatTensor('r', [], [0.5]), { name: 't', dims: [], type: 9, raw: Uint8Array.of(0) }],
    }
    expect(await outputs(readOnnx(writeOnnx(graph)))).toEqual({ y: [...x.data], m: [1, 1, 1, 1] })
    expect(readOnnx(writeOnnx(graph)).nodes.map(({ op }) => op)).toContain('dropout')
  })

  it('a clip beyond all numbers is none', () => {
    const clipOf = (clip: number): unknown => readOnnx(writeOnnx(lstm({ clip: { float: clip } }))).nodes.find(({ op }) => op === 'lstm')?.attributes.clip
    expect([clipOf(0.5), clipOf(3e38)]).toEqual([0.5, undefined])
  })

  it('an LSTM whose layout is the batch first gives its states so as well', () => {
    const graph = readOnnx(writeOnnx({
      inputs: [{ name: 'x', shape: ['batch', 5, 3] }], outputs: [{ name: 'y' }, { name: 'h' }, { name: 'c' }],
      nodes: [{ op: 'LSTM', inputs: ['x', 'W', 'R', 'B'], outputs: ['y', 'h', 'c'], attributes: { hidden_size: 2, layout: 1 } }],
      initializers: [numbers('W', [1, 8, 3]), numbers('R', [1, 8, 2]), numbers('B', [1, 16])],
    }))
    const states = graph.nodes.filter(({ op }) => op === 'transpose')
    expect(states.map(({ attributes }) => attributes.perm)).toEqual(expect.arrayContaining([[1, 0, 2], [1, 0, 2]]))
  })
})
