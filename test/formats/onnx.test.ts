import { describe, expect, it } from 'vitest'
import { readOnnx, type OnnxOptions } from '../../src/formats/onnx/index.ts'
import { converters } from '../../src/formats/onnx/operators.ts'
import { saveGraph } from '../../src/formats/safetensors/save.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { compile } from '../../src/model/load.ts'
import { addAllOperators } from '../../src/ops/all.ts'
import { knownOperators } from '../../src/ops/registry.ts'
import { NdArray, type ArrayLike } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { floatTensor, writeOnnx, type GraphSpec, type NodeSpec, type TensorSpec } from './onnx-writer.ts'

/** As near as a number comes to it from below. */
const INT64_MAX = 2 ** 63 - 1024
const x = { name: 'x', shape: ['batch', 4] }
const y = { name: 'y' }

const read = (graph: GraphSpec, options?: OnnxOptions, opset?: number): Graph => readOnnx(writeOnnx(graph, opset), options)

/** One node from `x` to `y`, with initializers. */
const oneNode = (node: NodeSpec, initializers: readonly TensorSpec[] = [], shape: readonly (number | string | null)[] = x.shape): GraphSpec => ({
  inputs: [{ name: 'x', shape }], outputs: [y], nodes: [{ outputs: ['y'], ...node }], initializers,
})

it('knows the operators that say so themselves, and a few that become others; those that are not there are named', () => {
  addAllOperators()
  const own = knownOperators().flatMap(({ onnx = [] }) => onnx)
  expect(new Set(own).size).toBe(own.length)
  const others = [...converters().keys()].filter((name) => !own.includes(name))
  expect(others.filter((name) => !name.startsWith('com.microsoft.'))).toEqual([
    'Attention', 'Bernoulli', 'CastLike', 'ConcatFromSequence', 'Constant', 'Einsum', 'Gelu', 'GroupNormalization', 'GlobalLpPool', 'Hardmax', 'If', 'IsInf',
    'Loop', 'LpNormalization', 'LpPool', 'Mean', 'MeanVarianceNormalization', 'Multinomial', 'PRelu', 'Scan', 'RandomNormal', 'RandomNormalLike',
    'RandomUniform', 'RandomUniformLike', 'Selu', 'SequenceAt', 'SequenceConstruct', 'SequenceEmpty', 'SequenceErase', 'SequenceInsert', 'SequenceLength',
    'Shrink', 'SimplifiedLayerNormalization', 'SplitToSequence', 'Swish', 'Upsample', 'ConvInteger', 'DequantizeLinear', 'DynamicQuantizeLinear',
    'MatMulInteger', 'QLinearConv', 'QLinearMatMul', 'QuantizeLinear', 'lstm-wasm.DynamicQuantizeConv',
  ])
  expect(converters().size).toBe(own.length + others.length)
  expect(converters().size).toBeGreaterThan(100)
  for (const op of ['NonZero', 'Unique']) expectError(() => read(oneNode({ op, inputs: ['x'] })), 'UNSUPPORTED', new RegExp(`operator ${op} `))
})

it('nodes that no output needs are named in a note, constants left out', () => {
  const relu = (name: string): NodeSpec => ({ op: 'Relu', inputs: ['x'], outputs: [name] })
  const notes = (...nodes: NodeSpec[]): readonly string[] => read({ inputs: [x], outputs: [y], nodes: [relu('y'), ...nodes] }).notes ?? []
  expect(notes()).toEqual([])
  expect(notes({ op: 'Constant', outputs: ['c'] })).toEqual([])
  expect(notes(relu('a'))).toEqual(["no output needs the node 'a' (Relu)"])
  expect(notes(relu('a'), { op: 'Unknown', name: 'u', inputs: ['a'], outputs: ['b'] })).toEqual(["no output needs the nodes 'a' (Relu), 'u' (Unknown)"])
  const [many] = notes(...Array.from({ length: 50 }, (_, index) => relu(`${'n'.repeat(1000)}${index}`)))
  expect(many).toMatch(/ and \d+ more$/)
  expect(many?.length).toBeLessThan(1000)
})

describe('inputs', () => {
  const relu = { op: 'Relu', inputs: ['x'] }
  it('keep names and sizes; sizes without a name get one', () => {
    expect(read(oneNode(relu, [], ['batch', null, 4, 0])).inputs).toEqual([{ name: 'x', dtype: 'float32', shape: ['batch', 'x.1', 4, 'x.3'] }])
    expect(read(oneNode(relu, [], [null, 'x.0'])).inputs[0]?.shape).toEqual(["x.0'", 'x.0'])
  })

  it('become the dtypes there are', () => {
    const dtypeOf = (type: number): string | undefined => (
      read({ inputs: [{ name: 'x', type, shape: [2] }], outputs: [y], nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }] }).inputs[0]?.dtype
    )
    expect([1, 10, 11, 16, 7, 6, 3, 2, 9].map(dtypeOf)).toEqual([
      'float32', 'float32', 'float32', 'float32', 'int32', 'int32', 'int32', 'uint8', 'uint8',
    ])
    expectError(() => dtypeOf(8), 'UNSUPPORTED', /the input 'x' has elements of type string/)
  })

  it('without a rank are not supported', () => {
    expectError(
      () => read({ inputs: [{ name: 'x' }], outputs: [y], nodes: [{ ...relu, outputs: ['y'] }] }), 'UNSUPPORTED', /the number of axes of the input 'x' is not known/,
    )
  })

  it('that are initializers too are constants', () => {
    const graph = read({
      inputs: [x, { name: 's', type: 7, shape: [2] }], outputs: [y],
      nodes: [{ op: 'Reshape', inputs: ['x', 's'], outputs: ['y'] }], initializers: [{ name: 's', dims: [2], type: 7, int64s: [2, -1] }],
    })
    expect(graph.inputs.map(({ name }) => name)).toEqual(['x'])
    expect(graph.constants.get('s')?.data).toEqual(Int32Array.of(2, -1))
  })

  it('can be fixed to constants', () => {
    const spec: GraphSpec = {
      inputs: [x, { name: 's', type: 7, shape: [2] }], outputs: [y], nodes: [{ op: 'Reshape', inputs: ['x', 's'], outputs: ['y'] }],
    }
    expect(read(spec).inputs).toHaveLength(2)
    expect(read(spec, { constants: { s: NdArray.from([2, -1], 'int32') } }).constants.get('s')?.data).toEqual(Int32Array.of(2, -1))
    expect(read(spec, { constants: { s: 7 } }).constants.get('s')?.data).toEqual(Int32Array.of(7, 7))
    expectError(() => read(spec, { constants: { t: 1 } }), 'VALUE', "onnx: 'constants' fixes 't', expected inputs of the model: 'x', 's'")
    expectError(() => read(spec, { constants: { s: 0.5 } }), 'VALUE', /expected int32 elements, got 0.5/)
    expectError(() => read(spec, { constants: { s: NdArray.from([1, 2]) } }), 'VALUE', /expected int32 \[2\], got float32 \[2\]/)
    expectError(() => read(spec, { constants: { s: NdArray.from([1, 2, 3], 'int32') } }), 'VALUE', /expected int32 \[2\], got int32 \[3\]/)
    expectError(() => read(spec, { constants: { s: 'no' as unknown as number } }), 'VALUE', /expected a number or an array/)
  })
})

describe('attributes', () => {
  it('that are left out but for their type are zero, or empty', () => {
    expect(read(oneNode({ op: 'Softmax', inputs: ['x'], attributes: { axis: { leftOut: 2 } } })).nodes[0]?.attributes.axis).toBe(0)
    expect(read(oneNode({ op: 'Softmax', inputs: ['x'] })).nodes[0]?.attributes.axis).toBe(-1)
    expect(read(oneNode({ op: 'LeakyRelu', inputs: ['x'], attributes: { alpha: { leftOut: 1 } } })).nodes[0]?.attributes.alpha).toBe(0)
    expectError(() => read(oneNode({ op: 'Constant', attributes: { value: { leftOut: 4 } } })), 'FORMAT', "onnx: the attribute 'value' has no tensor")
  })
})

describe('initial states', () => {
  const withState = (h: readonly number[]): Graph => read({
    inputs: [{ name: 'x', shape: ['steps', 1, 2] }], outputs: [y],
    initializers: [floatTensor('w', [1, 12, 2], Array.from({ length: 24 }, (_, n) => n)), floatTensor('r', [1, 12, 3], Array.from({ length: 36 }, (_, n) => n)), floatTensor('h', [1, 1, 3], h)],
    nodes: [{ op: 'LSTM', inputs: ['x', 'w', 'r', '', '', 'h'], outputs: ['y'], attributes: { hidden_size: 3 } }],
  })
  it('of zeros are left out, and no others', () => {
    const inputsOf = (graph: Graph): unknown => graph.nodes.find(({ op }) => op === 'lstm')?.inputs
    expect(inputsOf(withState([0, 0, 0]))).toEqual(['x'])
    for (const h of [[0, 0, 1], [1, 0, 0], [0, -1, 0], [1, 1, 1]]) expect(inputsOf(withState(h)), String(h)).toEqual(['x', 'h'])
  })
})

describe('graphs', () => {
  it('keep what the outputs need, and no more', () => {
    const graph = read({
      inputs: [x], outputs: [y], initializers: [floatTensor('unused', [1], [1])],
      nodes: [{ op: 'NoSuchThing', inputs: ['x'], outputs: ['z'] }, { op: 'Relu', inputs: ['x'], outputs: ['y'] }],
    })
    expect(graph.nodes.map(({ op }) => op)).toEqual(['relu'])
    expect([...graph.constants]).toEqual([])
  })

  it('run their nodes after those whose values they read, in whatever order the file has them', () => {
    const ops = (...nodes: NodeSpec[]): string[] => read({ inputs: [x], outputs: [y], initializers: [flag], nodes }).nodes.map(({ op }) => op)
    const flag: TensorSpec = { name: 'c', dims: [], type: 9, raw: Uint8Array.of(1) }
    const [relu, neg, add]: NodeSpec[] = [
      { op: 'Relu', inputs: ['x'], outputs: ['a'] }, { op: 'Neg', inputs: ['a'], outputs: ['b'] }, { op: 'Add', inputs: ['a', 'b'], outputs: ['y'] },
    ] as [NodeSpec, NodeSpec, NodeSpec]
    for (const nodes of [[relu, neg, add], [add, neg, relu], [neg, add, relu], [add, relu, neg]] as NodeSpec[][]) expect(ops(...nodes)).toEqual(['relu', 'neg', 'add'])
    // What a branch reads of the graph around it stands first, too.
    const branch: GraphSpec = { nodes: [{ op: 'Tanh', inputs: ['b'], outputs: ['inner'] }], outputs: [{ name: 'inner' }] }
    expect(ops({ op: 'If', inputs: ['c'], outputs: ['y'], attributes: { then_branch: branch, else_branch: branch } }, neg, relu)).toEqual(['relu', 'neg', 'tanh'])
  })

  it('list everything that is not supported at once, with the names of nodes', () => {
    const nodes: NodeSpec[] = [
      { op: 'NoSuchThing', name: 'loop_1', inputs: ['x'], outputs: ['a'] },
      { op: 'Relu', inputs: ['a'], outputs: ['b'] },
      { op: 'NoSuchThing', name: 'loop_2', inputs: ['b'], outputs: ['c'] },
      { op: 'QOrderedAttention', domain: 'com.microsoft', inputs: ['c'], outputs: ['d'] },
      { op: 'Relu', inputs: ['x'], outputs: ['e'], attributes: { leak: 1 } },
      { op: 'Concat', inputs: ['d', 'e'], outputs: ['y'], attributes: { axis: 0 } },
    ]
    expectError(() => read({ inputs: [x], outputs: [y], nodes }), 'UNSUPPORTED', [
      "onnx: the model asks for what is not supported: operator NoSuchThing (node 'loop_1', node 'loop_2')",
      "operator com.microsoft.QOrderedAttention (node 'd')",
      "relu 'e': unknown attributes 'leak'; it knows none",
    ].join('; '))
  })

  it.each<[string, GraphSpec, string | RegExp]>([
    ['a value that nothing makes', oneNode({ op: 'Relu', inputs: ['z'] }), "onnx: node 'y' reads the value 'z', which nothing makes before it"],
    ['nodes that read in a circle', {
      inputs: [x], outputs: [y], nodes: [{ op: 'Add', inputs: ['a', 'x'], outputs: ['y'] }, { op: 'Relu', inputs: ['y'], outputs: ['a'] }],
    }, "onnx: node 'y' reads the value 'a', which nothing makes before it"],
    ['a node that reads itself', oneNode({ op: 'Add', inputs: ['x', 'y'] }), "onnx: node 'y' reads the value 'y', which nothing makes before it"],
    ['a value that is made twice', { inputs: [x], outputs: [y], nodes: [
      { op: 'Relu', inputs: ['x'], outputs: ['y'] }, { op: 'Tanh', inputs: ['x'], outputs: ['y'] },
    ] }, "onnx: the value 'y' is made twice"],
    ['an output that nothing makes', { inputs: [x], outputs: [y], nodes: [] }, "onnx: the output list reads the value 'y', which nothing makes before it"],
    ['no outputs', { inputs: [x], outputs: [], nodes: [] }, 'graph: expected at least one output, got none'],
    ['a node without an operator', oneNode({ op: '', inputs: ['x'] }), "onnx: the node '' has no operator"],
    ['an output that an operator does not have', { inputs: [x], outputs: [{ name: 'z' }], nodes: [
      { op: 'Relu', inputs: ['x'], outputs: ['y', 'z'] },
    ] }, /expected at most 1 outputs, got 2/],
    ['an input that is not there', oneNode({ op: 'Concat', inputs: [], attributes: { axis: 0 } }), /expected at least one input, got none/],
    ...(['LSTM', 'GRU', 'RNN'] as const).map((op): [string, GraphSpec, string] => [
      `weights of ${op} that do not fit`, {
        inputs: [{ name: 'x', shape: ['steps', 1, 2] }], outputs: [y], initializers: [floatTensor('w', [1, 2, 2], [1, 2, 3, 4]), floatTensor('r', [1, 2, 3], [1, 2, 3, 4, 5, 6])],
        nodes: [{ op, inputs: ['x', 'w', 'r'], outputs: ['y'] }],
      }, `onnx: node 'y' (${op}): expected W [1, ${{ LSTM: 12, GRU: 9, RNN: 3 }[op]}, 2], got [1, 2, 2]`,
    ]),
    ['an attribute of another kind', oneNode({ op: 'LSTM', inputs: ['x'], attributes: { direction: 3 } }), /expected string for the attribute 'direction', got int/],
  ])('%s: FORMAT', (_name, graph, message) => {
    expectError(() => read(graph), 'FORMAT', message)
  })

  it('of operators older than 7, or of none, are refused', () => {
    expectError(() => read(oneNode({ op: 'Relu', inputs: ['x'] }), {}, 6), 'UNSUPPORTED', /uses version 6 of the standard operators, expected 7 or newer/)
  })

  it('may have any names', () => {
    const graph = read({
      inputs: [{ name: '__proto__', shape: [4] }], outputs: [{ name: 'constructor' }, { name: 'toString' }],
      nodes: [
        { op: 'Relu', name: '__proto__', inputs: ['__proto__'], outputs: ['constructor'] },
        { op: 'Relu', name: '__proto__', inputs: ['constructor'], outputs: ['toString'] },
      ],
    })
    expect(graph.nodes.map(({ inputs, outputs }) => [...inputs, ...outputs])).toEqual([['__proto__', 'constructor'], ['constructor', 'toString']])
    expect(new Set(graph.nodes.map(({ name }) => name)).size).toBe(2)
  })

  it('can be written again, and run', async () => {
    const graph = read(oneNode({ op: 'Slice', inputs: ['x'], attributes: { starts: [1], ends: [INT64_MAX], axes: [1] } }), {}, 9)
    expect(saveGraph(graph).length).toBeGreaterThan(100)
    using model = await compile(graph)
    expect(model.run({ x: NdArray.from([[1, 2, 3, 4]]) }).y?.toArray()).toEqual([[2, 3, 4]])
  })
})

describe('outputs', () => {
  it('may be inputs and constants', async () => {
    const graph = read({
      inputs: [x], outputs: [y, { name: 'z' }, { name: 'w' }], initializers: [floatTensor('w', [2], [5, 6])],
      nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }, { op: 'Identity', inputs: ['w'], outputs: ['z'] }],
    })
    using model = await compile(graph)
    const result = model.run({ x: NdArray.from([[1, 2, 3, 4]]) })
    expect([result.y, result.z, result.w].map((value) => value?.toArray())).toEqual([[[1, 2, 3, 4]], [5, 6], [5, 6]])
  })
})

describe('If', () => {
  const branch = (op: string): GraphSpec => ({ nodes: [{ op, inputs: ['x'], outputs: ['inner'] }], outputs: [{ name: 'inner' }] })
  const graph = (condition: TensorSpec | undefined, then = branch('Relu'), otherwise = branch('Tanh')): GraphSpec => ({
    inputs: [x, ...(condition === undefined ? [{ name: 'c', type: 9, shape: [] }] : [])], outputs: [y],
    initializers: condition === undefined ? [] : [{ ...condition, name: 'c' }],
    nodes: [{ op: 'If', name: 'choose', inputs: ['c'], outputs: ['y'], attributes: { then_branch: then, else_branch: otherwise } }],
  })
  const flag = (value: number): TensorSpec => ({ dims: [], type: 9, raw: Uint8Array.of(value) })

  it('takes the branch that is known', () => {
    expect(read(graph(flag(1))).nodes.map(({ op }) => op)).toEqual(['relu'])
    expect(read(graph(flag(0))).nodes.map(({ op }) => op)).toEqual(['tanh'])
    expect(read(graph(undefined), { constants: { c: 1 } }).nodes.map(({ op }) => op)).toEqual(['relu'])
  })

  it('says which input decides', () => {
    expectError(() => read(graph(undefined)), 'UNSUPPORTED', /node 'choose' \(If\): which branch to take must be known beforehand; it depends on the inputs "c": fix what decides it with the option 'constants', as in \{ constants: \{ "c": value \} \}/)
  })

  it('keeps names of branches apart from those around them', () => {
    const shadow: GraphSpec = { outputs: [{ name: 'x2' }], nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['x2'] }] }
    const graph = read({
      inputs: [x], outputs: [{ name: 'y' }, { name: 'z' }], initializers: [{ ...flag(1), name: 'c' }],
      nodes: ['y', 'z'].map((name) => ({ op: 'If', inputs: ['c'], outputs: [name], attributes: { then_branch: shadow, else_branch: shadow } })),
    })
    expect(new Set(graph.outputs.map(({ value }) => value)).size).toBe(2)
  })

  it('nested too deep is refused', () => {
    let deep = branch('Relu')
    for (let n = 0; n < 40; n++) {
      deep = { outputs: [{ name: 'inner' }], nodes: [{ op: 'If', inputs: ['c'], outputs: ['inner'], attributes: { then_branch: deep, else_branch: branch('Relu') } }] }
    }
    expectError(() => read(graph(flag(1), deep)), 'FORMAT', 'onnx: messages are nested more than 64 deep')
  })
})

describe('other operators', () => {
  const ops = (graph: Graph): string[] => graph.nodes.map(({ op }) => op)

  it.each<[NodeSpec['attributes'], number, number | undefined]>([
    [{}, 0, 2], [{ start: 0 }, 0, 2], [{ start: 0 }, -1, 5], [{ start: 0 }, 1, undefined], [{ start: -1 }, 0, 5],
    [{ start: 1, end: 3 }, 1, 5], [{ end: 1 }, 0, 2],
  ])('sizes that are numbers are known, though others are not: Shape with %j, Gather of %i', (attributes, index, expected) => {
    const graph = read({
      inputs: [{ name: 'x', shape: [2, 'b', 5] }], outputs: [y], initializers: [{ name: 'i', dims: [], type: 7, int64s: [index] }],
      nodes: [{ op: 'Shape', inputs: ['x'], outputs: ['s'], ...(attributes && { attributes }) }, { op: 'Gather', inputs: ['s', 'i'], outputs: ['y'] }],
    })
    expect(graph.constants.get(graph.outputs[0]?.value ?? '')?.data).toEqual(expected === undefined ? undefined : Int32Array.of(expected))
  })

  it('Identity is nothing, and Dropout a node that keeps its rate and does nothing', () => {
    const graph = read({ inputs: [x], outputs: [y], nodes: [
      { op: 'Identity', inputs: ['x'], outputs: ['a'] }, { op: 'Dropout', inputs: ['a'], outputs: ['b'] }, { op: 'Relu', inputs: ['b'], outputs: ['y'] },
    ] })
    expect(graph.nodes).toMatchObject([{ op: 'dropout', inputs: ['x'], attributes: { rate: 0.5 } }, { op: 'relu' }])
  })

  it('Constant takes every form a value has', () => {
    const value = (attributes: NodeSpec['attributes']): unknown => {
      const graph = read({ outputs: [y], nodes: [{ op: 'Constant', outputs: ['y'], ...(attributes && { attributes }) }] })
      const { dtype, shape, data } = graph.constants.get('y') as ArrayLike
      return [dtype, [...shape], [...data]]
    }
    expect(value({ value_int: 3 })).toEqual(['int32', [], [3]])
    expect(value({ value_ints: [3, -4] })).toEqual(['int32', [2], [3, -4]])
    expect(value({ value_float: { float: 0.5 } })).toEqual(['float32', [], [0.5]])
    expect(value({ value_floats: { floats: [0.5, 1] } })).toEqual(['float32', [2], [0.5, 1]])
    expect(value({ value: floatTensor('', [1, 2], [1, 2]) })).toEqual(['float32', [1, 2], [1, 2]])
    expectError(() => value({ value_string: 'a' }), 'UNSUPPORTED', /the attribute 'value_string' is not supported/)
    expectError(() => value({}), 'FORMAT', /expected a value, got none/)
  })

  it('Transposes of transposes are one, or none', () => {
    const perms = (...lists: readonly (readonly number[])[]): unknown => {
      const names = ['x', ...lists.map((_, n) => (n === lists.length - 1 ? 'y' : `t${n}`))]
      const nodes = lists.map((perm, n) => ({ op: 'Transpose', inputs: [names[n] as string], outputs: [names[n + 1] as string], attributes: { perm } }))
      return read({ inputs: [{ name: 'x', shape: [2, 3, 4] }], outputs: [y], nodes }).nodes.map(({ attributes }) => attributes.perm)
    }
    expect(perms([1, 2, 0])).toEqual([[1, 2, 0]])
    expect(perms([1, 2, 0], [2, 0, 1])).toEqual([])
    expect(perms([1, 2, 0], [1, 2, 0])).toEqual([[2, 0, 1]])
    expect(perms([1, 2, 0], [1, 2, 0], [1, 2, 0])).toEqual([])
    expectError(() => perms([1, 2, 0], [1, 2, 2]), 'FORMAT', /expected all axes from 0 to 2 for 'perm'/)
  })

  it('Cast, Gelu, Swish and Shrink', () => {
    const cast = (to: number): unknown => read(oneNode({ op: 'Cast', inputs: ['x'], attributes: { to } })).nodes[0]?.attributes.to
    expect([1, 10, 11, 6, 7, 2, 9].map(cast)).toEqual([undefined, undefined, undefined, 'int32', 'int32', 'uint8', 'bool'])
    expectError(() => cast(3), 'UNSUPPORTED', /a cast to int8 is not supported/)
    expect(ops(read(oneNode({ op: 'Gelu', inputs: ['x'], attributes: { approximate: 'tanh' } })))).toEqual(['geluTanh'])
    expect(ops(read(oneNode({ op: 'Gelu', inputs: ['x'] })))).toEqual(['gelu'])
    expect(ops(read(oneNode({ op: 'Swish', inputs: ['x'] })))).toEqual(['silu'])
    const shrink = (bias: number, lambd: number): Graph => read(oneNode({ op: 'Shrink', inputs: ['x'], attributes: { bias: { float: bias }, lambd: { float: lambd } } }))
    expect(shrink(0, 0.25).nodes).toMatchObject([{ op: 'hardShrink', attributes: { alpha: 0.25 } }])
    expect(shrink(0.25, 0.25).nodes).toMatchObject([{ op: 'softShrink', attributes: { alpha: 0.25 } }])
    expectError(() => shrink(0.5, 0.25), 'UNSUPPORTED', /bias 0.5 with lambd 0.25 is not supported/)
  })
})
