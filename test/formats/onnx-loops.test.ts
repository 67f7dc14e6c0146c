// Loop, Scan and If of ONNX: which loops are recurrent layers, and what is refused. What they compute: onnx-golden.test.ts.
import { describe, expect, it } from 'vitest'
import { readOnnx } from '../../src/formats/onnx/index.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { compile } from '../../src/model/load.ts'
import type { LstmErrorCode } from '../../src/errors.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { data } from '../ops/one-node.ts'
import { floatTensor, writeOnnx, type GraphSpec, type NodeSpec, type PortSpec, type TensorSpec } from './onnx-writer.ts'

const integer = (name: string, value: number): TensorSpec => ({ name, dims: [], type: 7, int64s: [value] })
const flag = (name: string, value: number): TensorSpec => ({ name, dims: [], type: 9, raw: Uint8Array.of(value) })
type Names = readonly string[]
const node = (op: string, inputs: Names, outputs: Names, attributes: NodeSpec['attributes'] = {}): NodeSpec => ({ op, inputs, outputs, attributes })
const port = (name: string, type = 1): PortSpec => ({ name, type })
const values = (seed: number, count: number): number[] => [...data('float32', [count], seed).data]
const read = (graph: GraphSpec, opset?: number): Graph => readOnnx(writeOnnx(graph, opset))
const ops = (graph: Graph): string[] => graph.nodes.map(({ op }) => op)
const refuse = (graph: GraphSpec, code: LstmErrorCode, message: string | RegExp, opset?: number): unknown => (
  expectError(() => read(graph, opset), code, message)
)

/** What may be otherwise in a plain RNN of 3 units that is written as a Loop. */
interface Changes {
  /** What computes `h1` from `x_t` and `h`. */
  readonly cell?: readonly NodeSpec[]
  readonly index?: string
  readonly count?: string
  readonly condition?: readonly NodeSpec[]
  readonly going?: string
  readonly collected?: string
  readonly mask?: readonly number[]
}

const CELL: readonly NodeSpec[] = [node('MatMul', ['x_t', 'w'], ['xw']), node('MatMul', ['h', 'r'], ['hr']), node('Add', ['xw', 'hr'], ['sum']), node('Tanh', ['sum'], ['h1'])]

const loop = ({ cell = CELL, index = 'i', count = 'steps', condition = [], going = 'yes', collected = 'h1', mask = [1] }: Changes = {}): GraphSpec => ({
  inputs: [{ name: 'x', shape: ['time', 'batch', 2] }, { name: 'first', shape: ['batch', 3] }, { name: 'm', type: 9, shape: ['time', 'batch', ...mask] }], outputs: [{ name: 'y' }, { name: 'last' }],
  initializers: [floatTensor('w', [2, 3], values(1, 6)), floatTensor('r', [3, 3], values(2, 9)), floatTensor('wr', [5, 3], values(9, 15)), integer('zero', 0), { name: 'ones', dims: [1], type: 7, int64s: [1] }, { name: 'sixes', dims: [1], type: 7, int64s: [6] }, integer('one', 1), integer('four', 4), flag('yes', 1)],
  nodes: [
    node('Shape', ['x'], ['shape']), node('Gather', ['shape', 'zero'], ['steps']),
    node('Loop', [count, going, 'first', 'zero'], ['last', 'k_last', 'y'], { body: {
      inputs: [port('i', 7), port('going', 9), port('h'), port('k', 7)], outputs: [port(condition.length === 0 ? 'going' : 'more', 9), port('h1'), port('k1', 7), port(collected)],
      nodes: [node('Gather', ['x', index], ['x_t']), node('Add', ['k', 'one'], ['k1']), ...cell, ...condition],
    } }),
  ],
})

describe('a Loop that is a recurrent layer', () => {
  it.each<[string, Changes]>([
    ['by the number of the step', {}],
    ['by a counter of its own', { index: 'k' }],
    ['without a condition', { going: '' }],
    ['with a condition that counts', { count: '', condition: [node('Less', ['k1', 'steps'], ['more'])] }],
    ['with one that counts the other way round', { count: '', condition: [node('Add', ['i', 'one'], ['i1']), node('Greater', ['steps', 'i1'], ['more'])] }],
    ['of the input and the state side by side', { cell: [node('Concat', ['x_t', 'h'], ['both'], { axis: 1 }), node('MatMul', ['both', 'wr'], ['sum']), node('Tanh', ['sum'], ['h1'])] }],
    ['with several conditions', { condition: [node('Less', ['k1', 'steps'], ['a']), node('LessOrEqual', ['i', 'steps'], ['b']), node('And', ['a', 'b'], ['more'])] }],
  ])('becomes one: %s', (_name, changes) => {
    const graph = read(loop(changes))
    expect(ops(graph).filter((op) => op === 'rnn' || op === 'loop')).toEqual(['rnn'])
    expect(graph.nodes.find(({ op }) => op === 'rnn')?.attributes).toMatchObject({ hiddenSize: 3, timeMajor: true, activations: ['tanh'] })
  })

  it.each<[string, Changes]>([
    ['fewer steps than the sequence has', { count: 'four' }],
    ['fewer steps by the condition', { condition: [node('Less', ['k1', 'four'], ['more'])] }],
    ['one step fewer', { count: '', condition: [node('Add', ['k1', 'one'], ['k2']), node('Less', ['k2', 'steps'], ['more'])] }],
    ['always the first step', { index: 'zero' }],
    ['a step that is multiplied', { cell: [...CELL.slice(0, 3), node('Tanh', ['sum'], ['t']), node('Mul', ['t', 't'], ['h1'])] }],
    ['a state in its own input', { cell: [node('MatMul', ['h', 'r'], ['hr']), node('MatMul', ['hr', 'r'], ['hrr']), node('Add', ['hr', 'hrr'], ['sum']), node('Tanh', ['sum'], ['h1'])] }],
    ['what is collected follows from the state before', { collected: 'hr' }],
    ['another value in the place of its state', { cell: [CELL[0] as NodeSpec, node('MatMul', ['first', 'r'], ['hr']), ...CELL.slice(2)] }],
    ['the state beside itself', { cell: [node('Concat', ['h', 'h'], ['both'], { axis: 1 }), node('Slice', ['both', 'ones', 'sixes', 'ones'], ['five']), node('MatMul', ['five', 'wr'], ['sum']), node('Tanh', ['sum'], ['h1'])] }],
    ['a mask for each unit', { mask: [3], cell: [
      ...CELL.slice(0, 3), node('Tanh', ['sum'], ['t']), node('Gather', ['m', 'i'], ['m_t']), node('Not', ['m_t'], ['n']), node('Cast', ['m_t'], ['mf'], { to: 1 }),
      node('Cast', ['n'], ['nf'], { to: 1 }), node('Mul', ['mf', 't'], ['new']), node('Mul', ['nf', 'h'], ['old']), node('Add', ['new', 'old'], ['h1']),
    ] }],
  ])('stays a loop: %s', (_name, changes) => {
    expect(ops(read(loop(changes))).filter((op) => op === 'rnn' || op === 'loop')).toEqual(['loop'])
  })

  it('stays a loop: half of its rows, as Split divides them without an axis', () => {
    const graph = loop({ cell: [...CELL.slice(0, 3), node('Split', ['sum'], ['half', 'rest']), node('Tanh', ['half'], ['h1'])] })
    const shapes: Record<string, PortSpec['shape']> = { x: ['time', 2, 2], first: [1, 3], m: ['time', 2, 1] }
    const inputs = graph.inputs?.map((input) => ({ ...input, shape: shapes[input.name] as NonNullable<PortSpec['shape']> })) ?? []
    expect(ops(read({ ...graph, inputs })).filter((op) => op === 'rnn' || op === 'loop')).toEqual(['loop'])
  })

  it('takes a value around it once, however often its body does', () => {
    const twice = [node('Gather', ['x', 'zero'], ['x_0']), node('Add', ['x_t', 'x_0'], ['both']), node('MatMul', ['both', 'w'], ['xw']), ...CELL.slice(1)]
    const inputs = read(loop({ cell: twice })).nodes.find(({ op }) => op === 'loop')?.inputs
    expect(inputs?.filter((name) => name === 'x')).toEqual(['x'])
  })

  it('gives what the loop gives, and streams', async () => {
    // The same cell, once as nobody recognises it.
    const hidden: Changes = { cell: [...CELL.slice(0, 3), node('Tanh', ['sum'], ['t']), node('Neg', ['t'], ['u']), node('Neg', ['u'], ['h1'])] }
    const [layer, plain] = [read(loop()), read(loop(hidden))]
    expect(ops(plain)).toContain('loop')
    using a = await compile(layer)
    using b = await compile(plain)
    const given = { x: data('float32', [5, 2, 2], 3), first: data('float32', [2, 3], 4), m: new NdArray(new Uint8Array(10).fill(1), [5, 2, 1]) }
    const [one, other] = [a.run(given), b.run(given)]
    for (const name of ['y', 'last']) one[name]?.data.forEach((value, n) => expect(value).toBeCloseTo(other[name]?.data[n] as number, 5))
    using stream = a.stream({ batch: 2 })
    expect(stream).toBeDefined() // its numbers: test/streams/golden.test.ts
    expectError(() => b.stream(), 'UNSUPPORTED', /^stream: loop 'last' is no recurrent layer, and asks how long the sequence is \(export one step of it, with its states as inputs and outputs\), so that this model cannot be run step by step/)
  })
})

describe('what steps of a Loop compute by themselves', () => {
  /** The loop above with other nodes, and what they need. */
  const lifted = (cell: readonly NodeSpec[], collected: string, tensors: GraphSpec['initializers'] = []): GraphSpec => {
    const graph = loop({ cell, collected })
    return { ...graph, initializers: [...graph.initializers ?? [], ...tensors] }
  }
  const cell = [...CELL, node('Gemm', ['h1', 'g', 'b'], ['z'], { transB: 1 }), node('Unsqueeze', ['z', 'ahead'], ['z1'])]
  const tensors = [
    floatTensor('g', [4, 3], values(5, 12)), floatTensor('b', [4], values(6, 4)), floatTensor('s', [4], values(7, 4)), floatTensor('matrix', [4, 2], values(8, 8)),
    { name: 'ahead', dims: [1], type: 7, int64s: [0] }, { name: 'last axis', dims: [1], type: 7, int64s: [-1] },
  ]
  const after = [
    ...cell, node('Squeeze', ['z1', 'ahead'], ['z2']), node('LayerNormalization', ['z2', 's', 'b'], ['n'], { axis: 1 }), node('Concat', ['n', 'z'], ['w2'], { axis: 1 }),
    node('Split', ['w2'], ['left', 'right'], { axis: 1 }),
  ]

  it.each<[string, readonly NodeSpec[], string]>([
    ['a softmax of a sum', [...cell, node('Add', ['z', 'b'], ['q']), node('Softmax', ['q'], ['p'], { axis: 1 })], 'p'],
    ['an axis in front', [...cell, node('Sigmoid', ['z1'], ['p'])], 'p'],
    ['normalised rows beside others', [...after.slice(0, -1), node('Tanh', ['w2'], ['p'])], 'p'],
    ['a product', [...cell, node('Relu', ['z'], ['q']), node('MatMul', ['q', 'matrix'], ['p'])], 'p'],
    ['the input', [...cell, node('Mul', ['xw', 'xw'], ['p'])], 'p'],
  ])('stands around the layer: %s', async (_name, nodes, collected) => {
    const graph = read(lifted(nodes, collected, tensors))
    expect(ops(graph).filter((op) => op === 'rnn' || op === 'loop')).toEqual(['rnn'])
    // The same, with a cell that nobody recognises.
    const hidden = nodes.flatMap((one) => (one.op === 'Tanh' && one.outputs?.[0] === 'h1' ? [node('Tanh', ['sum'], ['t']), node('Neg', ['t'], ['u']), node('Neg', ['u'], ['h1'])] : [one]))
    const plain = read(lifted(hidden, collected, tensors))
    expect(ops(plain)).toContain('loop')
    using a = await compile(graph)
    using b = await compile(plain)
    const given = { x: data('float32', [5, 2, 2], 3), first: data('float32', [2, 3], 4), m: new NdArray(new Uint8Array(10).fill(1), [5, 2, 1]) }
    const [one, other] = [a.run(given), b.run(given)]
    for (const name of ['y', 'last']) {
      expect(one[name]?.shape).toEqual(other[name]?.shape)
      one[name]?.data.forEach((value, n) => expect(value).toBeCloseTo(other[name]?.data[n] as number, 5))
    }
    using stream = a.stream({ batch: 2 })
    expect(stream).toBeDefined()
  })

  it.each<[string, readonly NodeSpec[], string]>([
    ['several results of one node', after, 'left'],
    ['what the state was before', [...cell, node('Add', ['h', 'h1'], ['p'])], 'p'],
    ['the number of the step', [...cell, node('Cast', ['i'], ['f'], { to: 1 }), node('Mul', ['z', 'f'], ['p'])], 'p'],
    ['rows that are summed', [...cell, node('ReduceSum', ['z', 'ahead'], ['p'])], 'p'],
    ['fewer axes beside more', [...cell, node('Mul', ['z1', 'z'], ['p'])], 'p'],
  ])('stays a loop: %s', (_name, nodes, collected) => {
    expect(ops(read(lifted(nodes, collected, tensors))).filter((op) => op === 'rnn' || op === 'loop')).toEqual(['loop'])
  })
})

describe('what is refused of Loop, Scan and If', () => {
  it('a Loop whose end follows from what it computes, or that has none', () => {
    const sum = [node('ReduceSum', ['h1'], ['total'], { keepdims: 0 }), node('Less', ['total', 'limit'], ['more'])]
    const graph = loop({ condition: sum })
    refuse({ ...graph, initializers: [...graph.initializers ?? [], floatTensor('limit', [], [100])] }, 'UNSUPPORTED', /^onnx: .*node 'last' \(Loop\): a loop that ends when its steps have computed something, which is known only when the model runs, is not supported$/)
    refuse(loop({ count: '' }), 'UNSUPPORTED', /a loop that ends when its steps have computed something/)
  })

  it('a condition that a file joins with itself again and again is looked at once', () => {
    const joined = Array.from({ length: 60 }, (_, n) => node('And', [n === 0 ? 'less' : `and${n}`, n === 0 ? 'less' : `and${n}`], [n === 59 ? 'more' : `and${n + 1}`]))
    expect(ops(read(loop({ condition: [node('Less', ['k1', 'steps'], ['less']), ...joined] })))).toContain('rnn')
    const many = Array.from({ length: 100 }, (_, n) => node('And', [n === 0 ? 'less' : `and${n}`, 'less'], [n === 99 ? 'more' : `and${n + 1}`]))
    refuse(loop({ condition: [node('Less', ['k1', 'steps'], ['less']), ...many] }), 'UNSUPPORTED', /a loop that ends when its steps have computed something/)
  })

  it('a Loop that is asked for too little, or gives too little', () => {
    const { nodes, ...rest } = loop()
    const changed = (inputs: string[]): GraphSpec => ({ ...rest, nodes: nodes.map((one) => (one.op === 'Loop' ? { ...one, inputs } : one)) })
    refuse(changed(['steps', '', 'first']), 'FORMAT', "onnx: node 'last' (Loop): expected a body that takes and gives its 1 states, got 4 inputs and 4 outputs")
    refuse(changed(['steps', '', 'first', 'zero', 'x']), 'FORMAT', /expected a body that takes and gives its 3 states/)
  })

  it('what is not supported inside is named once, with its node', () => {
    refuse(loop({ cell: [node('NonZero', ['h'], ['h1'])] }), 'UNSUPPORTED', "onnx: the model asks for what is not supported: operator NonZero (node 'h1')")
  })

  const scan = (attributes: NodeSpec['attributes'], inputs = ['first', 'x']): GraphSpec => ({
    inputs: [{ name: 'x', shape: ['time', 'batch', 3] }, { name: 'first', shape: ['batch', 3] }], outputs: [{ name: 'y' }],
    nodes: [node('Scan', inputs, ['last', 'y'], {
      body: { inputs: [port('h'), port('x_t')], outputs: [port('h1'), port('h1')], nodes: [node('Add', ['h', 'x_t'], ['h1'])] }, num_scan_inputs: 1, ...attributes,
    })],
  })

  it('Scan of version 8, and numbers that do not fit', () => {
    expect(ops(read(scan({})))).toEqual(['loop'])
    refuse(scan({}), 'UNSUPPORTED', /Scan of version 8 is not supported/, 8)
    refuse(scan({ num_scan_inputs: 3 }), 'FORMAT', /expected a body for -1 states and 3 scanned inputs, got 2 inputs and 2 outputs/)
    refuse(scan({ scan_input_axes: [0, 1] }), 'FORMAT', /expected 1 numbers for 'scan_input_axes', got 2/)
    refuse(scan({ scan_input_axes: [3] }), 'FORMAT', /expected an axis from -3 to 2, got 3/)
    refuse(scan({ scan_output_axes: [-4] }), 'FORMAT', /expected an axis from -3 to 2, got -4/)
    refuse(scan({ nonsense: 1 }), 'UNSUPPORTED', /the attribute 'nonsense'/)
  })

  const branch = (op: string, extra: readonly string[] = []): GraphSpec => ({ nodes: [node(op, ['x', ...extra], ['inner'])], outputs: [{ name: 'inner' }] })
  const choice = (then: GraphSpec, otherwise: GraphSpec): GraphSpec => ({
    inputs: [{ name: 'x', shape: ['batch', 4] }], outputs: [{ name: 'y' }], initializers: [integer('three', 3), { name: 'axes', dims: [1], type: 7, int64s: [0] }],
    nodes: [node('Size', ['x'], ['n']), node('Greater', ['n', 'three'], ['c']), node('If', ['c'], ['y'], { then_branch: then, else_branch: otherwise })],
  })

  it('branches of an If by sizes that give other axes, or ask for what is not there', () => {
    expect(ops(read(choice(branch('Relu'), branch('Tanh'))))).toEqual(['size', 'greater', 'choice'])
    refuse(choice(branch('Relu'), branch('Unsqueeze', ['axes'])), 'UNSUPPORTED', /its output 0 is float32 \[batch, 4\] in one branch and float32 \[1, batch, 4\] in the other/)
    refuse(choice(branch('Relu'), branch('NonZero')), 'UNSUPPORTED', "onnx: the model asks for what is not supported: operator NonZero (node 'inner')")
  })

  it('loops in loops that would run for very long, when they are planned', async () => {
    const body = (inner: GraphSpec | undefined): GraphSpec => ({
      inputs: [port('i', 7), port('g', 9), port('v')], outputs: [port('g', 9), port('v1')],
      nodes: [inner === undefined ? node('Add', ['v', 'v'], ['v1']) : node('Loop', ['many', '', 'v'], ['v1'], { body: inner })],
    })
    const graph = read({
      inputs: [{ name: 'x', shape: [1] }], outputs: [{ name: 'y' }], initializers: [integer('many', 1000)],
      nodes: [node('Loop', ['many', '', 'x'], ['y'], { body: body(body(body(undefined))) })],
    })
    using model = await compile(graph)
    expectError(() => model.run({ x: NdArray.from([1]) }), 'UNSUPPORTED', /times \d+ steps is more than a loop may take, which is 16777216 in all$/)
  })
})
