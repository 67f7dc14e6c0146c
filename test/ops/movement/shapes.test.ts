// Operators that move elements: sizes known only at run time, and what they refuse.
import { describe, expect, it } from 'vitest'
import type { Graph, GraphInput, GraphNode } from '../../../src/graph/graph.ts'
import { typeGraph } from '../../../src/graph/infer.ts'
import { compile } from '../../../src/model/load.ts'
import { createRuntime } from '../../../src/runtime/create.ts'
import { NdArray, type ArrayLike } from '../../../src/values/ndarray.ts'
import type { SymbolicShape } from '../../../src/values/shape.ts'
import { expectError } from '../../expect-error.ts'
import { data, fold, ints, run, type OneNode } from '../one-node.ts'

const runtime = await createRuntime({ variant: 'simd' })
const MAX = 2 ** 31 - 1
const MIN = -(2 ** 31)

function node(op: string, inputs: string[], outputs: string[], attributes: GraphNode['attributes'] = {}): GraphNode {
  return { name: `${op}_${outputs[0] as string}`, op, inputs, outputs, parameters: {}, attributes }
}

/** The shape of the output of one node named `node`, whose first input has names for sizes; other inputs are constants, or flow in. */
function typed(
  op: string, first: SymbolicShape, others: readonly (NdArray | null)[] = [], attributes: GraphNode['attributes'] = {}, flowing: boolean = false,
): SymbolicShape[] {
  const names = ['b', 'c', 'd', 'e']
  const given = others.map((array, n) => ({ array, name: names[n] as string })).filter(({ array }) => array !== null) as { array: NdArray, name: string }[]
  const inputs: GraphInput[] = [{ name: 'a', dtype: 'float32', shape: first }]
  if (flowing) inputs.push(...given.map(({ array, name }) => ({ name, dtype: array.dtype, shape: array.shape })))
  const { types } = typeGraph({
    inputs,
    outputs: [{ name: 'out', value: 'out0' }],
    nodes: [{
      name: 'node', op, inputs: ['a', ...others.map((array, n) => (array === null ? '' : names[n] as string))],
      outputs: op === 'split' ? ['out0', 'out1'] : ['out0'], parameters: {}, attributes,
    }],
    constants: new Map(flowing ? [] : given.map(({ array, name }) => [name, array] as [string, ArrayLike])),
  })
  return ['out0', 'out1'].flatMap((name) => types.get(name) ?? []).map(({ shape }) => shape)
}

describe('sizes with a name', () => {
  it('stay what they are where they can be told', () => {
    expect(typed('reshape', ['batch', 28, 28], [ints(-1, 784)])).toEqual([['batch', 784]])
    expect(typed('reshape', ['batch', 't', 6], [ints(0, 0, 2, 3)])).toEqual([['batch', 't', 2, 3]])
    expect(typed('reshape', ['batch', 't', 6], [ints(0, -1, 3)])).toEqual([['batch', '2 * t', 3]])
    expect(typed('reshape', ['batch', 6], [ints(0, -1)])).toEqual([['batch', 6]])
    expect(typed('reshape', ['batch', 6], [ints(-1)])).toEqual([['6 * batch']])
    expect(typed('reshape', ['batch', 6], [ints(1, 6)])).toEqual([[1, 6]])
    expect(typed('flatten', ['batch', 4, 5])).toEqual([['batch', 20]])
    expect(typed('flatten', ['batch', 't', 5])).toEqual([['batch', '5 * t']])
    expect(typed('flatten', ['batch', 't', 5], [], { axis: 0 })).toEqual([[1, '5 * batch * t']])
    expect(typed('squeeze', ['batch', 1, 5], [ints(1)])).toEqual([['batch', 5]])
    expect(typed('squeeze', ['batch', 't', 5], [ints(1)])).toEqual([['batch', 5]])
    expect(typed('squeeze', ['batch', 1])).toEqual([['batch']])
    expect(typed('unsqueeze', ['batch', 5], [ints(-1, 0)])).toEqual([[1, 'batch', 5, 1]])
    expect(typed('transpose', ['batch', 't', 5], [], { perm: [1, 0, 2] })).toEqual([['t', 'batch', 5]])
    expect(typed('slice', ['batch', 't', 5], [ints(-1), ints(MAX), ints(1)])).toEqual([['batch', 1, 5]])
    expect(typed('slice', ['batch', 't', 5], [ints(0), ints(MAX), ints(1)])).toEqual([['batch', 't', 5]])
    expect(typed('slice', ['batch', 't', 5], [ints(-1), ints(MIN), ints(1), ints(-1)])).toEqual([['batch', 't', 5]])
    // Not all steps backwards, as far as anybody can tell.
    for (const [start, end, step] of [[-2, MIN, -1], [-1, 0, -1], [0, MIN, -1], [5, MIN, 1], [-1, MIN, -2]] as const) {
      expect(typed('slice', ['batch', 't', 5], [ints(start), ints(end), ints(1), ints(step)]), `${start} ${end} ${step}`).toEqual([['batch', 'node.1', 5]])
    }
    expect(typed('slice', ['batch', 't', 5], [ints(0, 1), ints(-1, 3), ints(1, 2)])).toEqual([['batch', 'node.1', 2]])
    expect(typed('expand', ['batch', 1], [ints(1, 5)])).toEqual([['batch', 5]])
    expect(typed('expand', ['batch', 1], [ints(3, 1)])).toEqual([[3, 1]])
    expect(typed('tile', ['batch', 't'], [ints(1, 2)])).toEqual([['batch', 'node.1']])
    expect(typed('split', ['batch', 6], [], { axis: 1 })).toEqual([['batch', 3], ['batch', 3]])
    expect(typed('split', ['batch', 6])).toEqual([['node.0.0', 6], ['node.1.0', 6]])
    expect(typed('split', ['batch', 6], [ints(2, 3)])).toEqual([[2, 6], [3, 6]])
    expect(typed('concat', ['batch', 6], [data('float32', [2, 6])], { axis: 0 })).toEqual([['node.0', 6]])
    expect(typed('concat', ['batch', 6], [data('float32', [2, 3])], { axis: 1 })).toEqual([[2, 9]])
    expect(typed('concat', ['batch', 6], [], { axis: 0 })).toEqual([['batch', 6]])
    expect(typed('pad', ['batch', 't'], [ints(0, 1, 0, -1)])).toEqual([['batch', 't']])
    expect(typed('pad', ['batch', 't'], [ints(0, 1, 0, 1)])).toEqual([['batch', 'node.1']])
    expect(typed('gather', ['batch', 't', 5], [ints(0, 2)], { axis: 1 })).toEqual([['batch', 2, 5]])
    expect(typed('shape', ['batch', 't', 5])).toEqual([[3]])
    expect(typed('shape', ['batch', 't', 5], [], { start: 1 })).toEqual([[2]])
    expect(typed('size', ['batch'])).toEqual([[]])
    expect(typed('cast', ['batch', 't'], [], { to: 'bool' })).toEqual([['batch', 't']])
    expect(typed('reverseSequence', ['t', 'batch', 2], [ints(1, 2)])).toEqual([['t', 'batch', 2]])
  })

  it('have fresh names where elements decide that are not known yet', () => {
    expect(typed('reshape', ['batch', 6], [ints(1, 2, 3)], {}, true)).toEqual([['node.0', 'node.1', 'node.2']])
    expect(typed('expand', ['batch', 6], [ints(1)], {}, true)).toEqual([['node.0', 'node.1']])
    expect(typed('squeeze', ['batch', 1, 6], [ints(1)], {}, true)).toEqual([['node.0', 'node.1']])
    expect(typed('unsqueeze', ['batch', 6], [ints(1)], {}, true)).toEqual([['node.0', 'node.1', 'node.2']])
    expect(typed('slice', ['batch', 6], [ints(1), ints(2), ints(1)], {}, true)).toEqual([['node.0', 'node.1']])
    expect(typed('slice', ['batch', 6], [ints(1), ints(2)], {}, true)).toEqual([['node.0', 6]])
    expect(typed('tile', ['batch', 6], [ints(1, 2)], {}, true)).toEqual([['node.0', 'node.1']])
    expect(typed('pad', ['batch', 6], [ints(1, 2, 3, 4)], {}, true)).toEqual([['node.0', 'node.1']])
    expect(typed('split', ['batch', 6], [ints(1, 2)], { axis: 1 }, true)).toEqual([['batch', 'node.0.1'], ['batch', 'node.1.1']])
  })

  it('are told at once where the rest of a shape is known', () => {
    const graph: Graph = {
      inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 't', 5] }],
      outputs: [{ name: 'last', value: 'last' }],
      nodes: [node('shape', ['x'], ['last'], { start: -1 })],
      constants: new Map(),
    }
    const { graph: folded } = typeGraph(graph)
    expect(folded.nodes).toEqual([])
    expect(folded.constants.get('last')).toEqual(ints(5))
  })
})

describe('arithmetic on shapes', () => {
  const input: GraphInput = { name: 'x', dtype: 'float32', shape: ['batch', 3, 4] }

  it('shape, gather, unsqueeze, concat, reshape: any batch, back and forth', async () => {
    const graph: Graph = {
      inputs: [input],
      outputs: [{ name: 'y', value: 'y' }],
      nodes: [
        node('shape', ['x'], ['sizes']), node('gather', ['sizes', 'zero'], ['batch']), node('unsqueeze', ['batch', 'axes'], ['first']),
        node('concat', ['first', 'rest'], ['target'], { axis: 0 }), node('reshape', ['x', 'target'], ['y']),
      ],
      constants: new Map([['zero', new NdArray(Int32Array.of(0), [])], ['axes', ints(0)], ['rest', ints(2, 6)]]),
    }
    const model = await compile(graph, { runtime })
    expect(model.outputs).toEqual([{ name: 'y', dtype: 'float32', shape: ['batch', 2, 6] }])
    for (const batch of [1, 5, 1, 2]) {
      const x = data('float32', [batch, 3, 4], batch)
      expect(model.run({ x })).toEqual({ y: x.reshape([batch, 2, 6]) })
    }
    model.dispose()
  })

  it('zeros of the shape of an input, joined to it', async () => {
    const graph: Graph = {
      inputs: [input],
      outputs: [{ name: 'y', value: 'y' }, { name: 'n', value: 'n' }, { name: 'zeros', value: 'zeros' }],
      nodes: [
        node('shape', ['x'], ['sizes']), node('constantOfShape', ['sizes'], ['zeros']), node('concat', ['zeros', 'x'], ['y'], { axis: 1 }),
        node('size', ['y'], ['n']),
      ],
      constants: new Map(),
    }
    const model = await compile(graph, { runtime })
    for (const batch of [2, 1, 7]) {
      const { y, n, zeros } = model.run({ x: data('float32', [batch, 3, 4]) }) as Record<'y' | 'n' | 'zeros', NdArray>
      expect(y.shape).toEqual([batch, 6, 4])
      expect(n).toEqual(new NdArray(Int32Array.of(batch * 24), []))
      expect(zeros.shape).toEqual([batch, 3, 4])
      const half = Array.from(y.data).filter((_, at) => at % 24 >= 12)
      expect(half).toEqual(Array.from(data('float32', [batch, 3, 4]).data))
      expect(Array.from(y.data).filter((element, at) => at % 24 < 12 && element !== 0)).toEqual([])
    }
    model.dispose()
  })

  it('views of views: the same memory, from one input to many outputs', async () => {
    const graph: Graph = {
      inputs: [input],
      outputs: [{ name: 'flat', value: 'flat' }, { name: 'same', value: 'same' }, { name: 'turned', value: 'turned' }],
      nodes: [node('flatten', ['x'], ['flat']), node('identity', ['x'], ['same']), node('transpose', ['flat'], ['turned'])],
      constants: new Map(),
    }
    const model = await compile(graph, { runtime })
    for (const batch of [3, 1]) {
      const x = data('float32', [batch, 3, 4])
      const tensor = runtime.tensor(null, [batch, 3, 4])
      tensor.data.set(x.data)
      const turned = new Float32Array(batch * 12)
      for (let n = 0; n < turned.length; n++) turned[n % 12 * batch + Math.floor(n / 12)] = x.data[n] as number
      const expected = { flat: x.reshape([batch, 12]), same: x, turned: new NdArray(turned, [12, batch]) }
      expect(model.run({ x })).toEqual(expected)
      expect(model.run({ x: tensor })).toEqual(expected)
      const into = { same: runtime.tensor(null, [batch, 3, 4]), turned: runtime.tensor(null, [12, batch]) }
      model.run({ x: tensor }, { into })
      expect(into.same.data).toEqual(x.data)
      expect(into.turned.data).toEqual(turned)
      for (const one of [tensor, into.same, into.turned]) one.dispose()
    }
    model.dispose()
  })

  it('an output that only a run could tell the shape of is refused', async () => {
    const graph: Graph = {
      inputs: [input, { name: 'target', dtype: 'int32', shape: [2] }],
      outputs: [{ name: 'y', value: 'y' }],
      nodes: [node('reshape', ['x', 'target'], ['y'])],
      constants: new Map(),
    }
    const model = await compile(graph, { runtime })
    expectError(
      () => model.run({ x: data('float32', [1, 3, 4]), target: ints(3, 4) }), 'UNSUPPORTED',
      "reshape 'reshape_y': its output shape [reshape_y.0, reshape_y.1] depends on elements that are known only when the model runs",
    )
    model.dispose()
  })
})

describe('errors', () => {
  const x = data('float32', [2, 3])
  const scalar = (value: number): NdArray => new NdArray(Int32Array.of(value), [])
  const refuses = (one: OneNode, code: Parameters<typeof expectError>[1], message: string): void => {
    expectError(() => fold(one), code, message)
  }

  it('say node, what is expected and what is there', () => {
    refuses({ op: 'identity', inputs: [] }, 'SHAPE', "identity 'node': expected an input at position 0, got none")
    refuses({ op: 'reshape', inputs: [x, ints(4, -1)] }, 'SHAPE', "reshape 'node': expected a shape for the elements of [2, 3], got [4, -1]")
    refuses({ op: 'reshape', inputs: [x, ints(-1, -1)] }, 'SHAPE', "reshape 'node': expected a shape for the elements of [2, 3], got [-1, -1]")
    refuses({ op: 'reshape', inputs: [x, ints(7)] }, 'SHAPE', "reshape 'node': expected a shape for the elements of [2, 3], got [7]")
    refuses({ op: 'reshape', inputs: [x, ints(2, 3, 0)] }, 'SHAPE', "reshape 'node': expected a shape for the elements of [2, 3], got [2, 3, 0]")
    refuses({ op: 'reshape', attributes: { allowzero: 1 }, inputs: [x, ints(0, -1)] }, 'SHAPE', "reshape 'node': expected a shape for the elements of [2, 3], got [0, -1]")
    refuses({ op: 'reshape', attributes: { allowzero: 2 }, inputs: [x, ints(6)] }, 'VALUE', "reshape 'node': expected true or false for 'allowzero', got 2")
    refuses({ op: 'reshape', inputs: [x, NdArray.from([6])] }, 'VALUE', "reshape 'node': expected int32 sizes, got float32 [1]")
    refuses({ op: 'reshape', inputs: [x, new NdArray(Int32Array.of(6), [1, 1])] }, 'SHAPE', "reshape 'node': expected sizes with one axis, got [1, 1]")
    refuses({ op: 'flatten', attributes: { axis: 3 }, inputs: [x] }, 'VALUE', "flatten 'node': expected an axis from -2 to 1, got 3")
    refuses({ op: 'flatten', attributes: { axis: 0.5 }, inputs: [x] }, 'VALUE', "flatten 'node': expected a whole number for 'axis', got 0.5")
    refuses({ op: 'squeeze', inputs: [x, ints(1)] }, 'SHAPE', "squeeze 'node': expected one element along the axes [1], got [2, 3]")
    for (const axes of [[0, 1], [1, 0]]) {
      refuses({ op: 'squeeze', inputs: [new NdArray(new Float32Array(3), [1, 3]), ints(...axes)] }, 'SHAPE', `squeeze 'node': expected one element along the axes [${axes.join(', ')}], got [1, 3]`)
    }
    refuses({ op: 'unsqueeze', inputs: [x, ints(0, 0)] }, 'VALUE', "unsqueeze 'node': expected every axis once, got [0, 0]")
    refuses({ op: 'unsqueeze', inputs: [x, ints(3)] }, 'VALUE', "unsqueeze 'node': expected an axis from -3 to 2, got 3")
    refuses({ op: 'transpose', attributes: { perm: [0, 0] }, inputs: [x] }, 'VALUE', "transpose 'node': expected all axes from 0 to 1 for 'perm', got [0,0]")
    refuses({ op: 'transpose', attributes: { order: 1 }, inputs: [x] }, 'UNSUPPORTED', "transpose 'node': unknown attributes 'order'; it knows perm")
    refuses({ op: 'slice', inputs: [x, ints(0), ints(1), ints(1), ints(0)] }, 'VALUE', "slice 'node': expected steps that are not 0, got 0 for axis 1")
    refuses({ op: 'slice', inputs: [x, ints(0), ints(1, 2)] }, 'SHAPE', "slice 'node': expected as many starts, ends, axes and steps, at most 2, got 1, 2, none, none")
    refuses({ op: 'slice', inputs: [x, ints(0), ints(1), ints(2)] }, 'VALUE', "slice 'node': expected an axis from -2 to 1, got 2")
    refuses({ op: 'slice', inputs: [x] }, 'SHAPE', "slice 'node': expected an input at position 1, got none")
    refuses({ op: 'expand', inputs: [x, ints(4)] }, 'SHAPE', "expand 'node': expected shapes that broadcast, got [2, 3] and [4]")
    refuses({ op: 'expand', inputs: [x, ints(-1, 3)] }, 'VALUE', "expand 'node': expected sizes of 0 or more, got [-1, 3]")
    refuses({ op: 'tile', inputs: [x, ints(2)] }, 'SHAPE', "tile 'node': expected 2 repeats of 0 or more, got [2]")
    refuses({ op: 'concat', inputs: [x] }, 'VALUE', "concat 'node': expected a whole number for 'axis', got undefined")
    refuses({ op: 'concat', attributes: { axis: 0 }, inputs: [] }, 'SHAPE', "concat 'node': expected at least one input, got none")
    refuses(
      { op: 'concat', attributes: { axis: 0 }, inputs: [x, ints(1, 2)] }, 'VALUE',
      "concat 'node': expected inputs of one dtype, got float32 [2, 3], int32 [2]",
    )
    refuses(
      { op: 'concat', attributes: { axis: 0 }, inputs: [x, data('float32', [2, 4])] }, 'SHAPE',
      "concat 'node': expected inputs that differ along axis 0 only, got float32 [2, 3], float32 [2, 4]",
    )
    refuses({ op: 'concat', attributes: { axis: 0 }, inputs: [scalar(1)] }, 'SHAPE', "concat 'node': expected at least one axis, got a scalar")
    refuses({ op: 'split', inputs: [x, ints(1, 2)], outputs: 2 }, 'SHAPE', "split 'node': expected sizes of 0 or more that add up to 2, got [1, 2]")
    refuses({ op: 'split', inputs: [x, ints(1, 1)], outputs: 1 }, 'UNSUPPORTED', "split 'node': expected at most 1 sizes, got 2")
    refuses({ op: 'split', inputs: [x, ints(2)], outputs: 2 }, 'VALUE', "split 'node': expected as many parts as outputs, 2, got 1")
    refuses({ op: 'split', attributes: { numOutputs: 1e9 }, inputs: [x] }, 'VALUE', "split 'node': expected as many parts as outputs, 1, got 1000000000")
    refuses({ op: 'split', attributes: { numOutputs: 1 }, inputs: [x, ints(2)] }, 'VALUE', "split 'node': expected sizes or 'numOutputs', got both")
    refuses({ op: 'split', inputs: [x], outputs: 5 }, 'SHAPE', "split 'node': expected an axis that splits into 5 parts, got 2 elements")
    refuses({ op: 'pad', inputs: [x, ints(1, 1)] }, 'SHAPE', "pad 'node': expected 4 pads, got 2")
    refuses({ op: 'pad', inputs: [x, ints(-1, 0, -2, 0)] }, 'SHAPE', "pad 'node': expected pads that take away no more than there is, got -1 and -2 for axis 0 of 2 elements")
    refuses({ op: 'pad', attributes: { mode: 'reflect' }, inputs: [x, ints(0, 3, 0, 0)] }, 'SHAPE', "pad 'node': expected pads of at most 2 with mode 'reflect', got 3 and 0 for axis 1 of 3 elements")
    refuses({ op: 'pad', attributes: { mode: 'mirror' }, inputs: [x, ints(0, 0, 0, 0)] }, 'VALUE', "pad 'node': expected 'constant' or 'reflect' or 'edge' or 'wrap' for 'mode', got \"mirror\"")
    refuses({ op: 'pad', inputs: [x, ints(0, 0, 0, 0), ints(1)] }, 'VALUE', "pad 'node': expected one float32 value to pad with, got int32 [1]")
    refuses({ op: 'gather', inputs: [x, ints(0, 2)] }, 'VALUE', "gather 'node': expected indices from -2 to 1, got another one at element 1 of the indices")
    refuses({ op: 'gather', inputs: [x, x] }, 'VALUE', "gather 'node': expected int32 input, got float32 [2, 3]")
    refuses(
      { op: 'gatherElements', inputs: [x, new NdArray(Int32Array.of(0, 0, 0, 0), [1, 4])] }, 'SHAPE',
      "gatherElements 'node': expected indices no longer than [2, 3] but along axis 0, got [1, 4]",
    )
    refuses({ op: 'gatherElements', inputs: [x, ints(0)] }, 'SHAPE', "gatherElements 'node': expected an input with 2 axes, got [1]")
    refuses({ op: 'where', inputs: [x, x, x] }, 'VALUE', "where 'node': expected uint8 input, got float32 [2, 3]")
    refuses({ op: 'where', inputs: [data('uint8', [2, 3]), x, ints(1)] }, 'VALUE', "where 'node': expected two inputs of one dtype, got float32 [2, 3] and int32 [1]")
    refuses({ op: 'where', inputs: [data('uint8', [4]), x, x] }, 'SHAPE', "where 'node': expected shapes that broadcast, got [4] and [2, 3] and [2, 3]")
    refuses({ op: 'oneHot', inputs: [ints(1), scalar(0), ints(0, 1)] }, 'VALUE', "oneHot 'node': expected a depth that is a whole number >= 1, got 0")
    refuses({ op: 'oneHot', inputs: [ints(1), ints(1, 2), ints(0, 1)] }, 'SHAPE', "oneHot 'node': expected a scalar for the depth, got int32 [2]")
    refuses({ op: 'oneHot', inputs: [ints(1), scalar(2), ints(0)] }, 'SHAPE', "oneHot 'node': expected values [off, on], got int32 [1]")
    refuses({ op: 'reverseSequence', inputs: [x, ints(0, 3, 1)] }, 'VALUE', "reverseSequence 'node': expected lengths from 0 to 2, got another one for sequence 1")
    refuses({ op: 'reverseSequence', inputs: [x, ints(0, 1)] }, 'SHAPE', "reverseSequence 'node': expected 3 lengths, one for each sequence, got [2]")
    refuses({ op: 'reverseSequence', inputs: [ints(1), ints(1)] }, 'SHAPE', "reverseSequence 'node': expected an input with at least 2 axes, got [1]")
    refuses(
      { op: 'reverseSequence', attributes: { batchAxis: 0 }, inputs: [x, ints(1, 1)] }, 'VALUE',
      "reverseSequence 'node': expected 0 and 1 for 'batchAxis' and 'timeAxis', or 1 and 0, got 0 and 0",
    )
    refuses({ op: 'cast', inputs: [x] }, 'VALUE', "cast 'node': expected 'float32' or 'int32' or 'uint8' or 'bool' for 'to', got undefined")
    refuses({ op: 'cast', attributes: { to: 'float64' }, inputs: [x] }, 'VALUE', "cast 'node': expected 'float32' or 'int32' or 'uint8' or 'bool' for 'to', got \"float64\"")
    refuses({ op: 'constantOfShape', inputs: [ints(-1)] }, 'VALUE', "constantOfShape 'node': expected a shape of whole numbers, got [-1]")
    refuses({ op: 'constantOfShape', attributes: { value: 300, dtype: 'uint8' }, inputs: [ints(1)] }, 'VALUE', "constantOfShape 'node': expected uint8 elements, got 300 at element 0")
    refuses({ op: 'constantOfShape', attributes: { dtype: 'int64' }, inputs: [ints(1)] }, 'VALUE', "constantOfShape 'node': expected 'float32', 'int32' or 'uint8' for 'dtype', got \"int64\"")
    refuses({ op: 'range', inputs: [scalar(0), scalar(5), scalar(0)] }, 'VALUE', "range 'node': expected at most 1048576 numbers, got those from 0 to 5 in steps of 0")
    refuses({ op: 'range', inputs: [scalar(0), scalar(5), x] }, 'VALUE', "range 'node': expected start, limit and delta as three float32 or three int32 scalars, got int32 [], int32 [], float32 [2, 3]")
  })

  it('stop at sizes and axes that no memory holds', () => {
    refuses({ op: 'constantOfShape', inputs: [ints(MAX, MAX)] }, 'MEMORY', "constantOfShape 'node': shape [2147483647, 2147483647] has 4611686014132420600 elements, more than memory can hold")
    refuses({ op: 'tile', inputs: [x, ints(MAX, MAX)] }, 'MEMORY', "tile 'node': shape [4294967294, 6442450941] has 27670116084794524000 elements, more than memory can hold")
    refuses({ op: 'range', inputs: [scalar(0), scalar(MAX), scalar(1)] }, 'VALUE', "range 'node': expected at most 1048576 numbers, got those from 0 to 2147483647 in steps of 1")
    refuses({ op: 'identity', inputs: [data('float32', Array<number>(65).fill(1))] }, 'UNSUPPORTED', "graph: the value 'x0' has 65 axes, expected at most 64")
    expectError(() => typed('reshape', ['batch'], [data('int32', [1e6])], {}, true), 'UNSUPPORTED', "reshape 'node': expected at most 128 sizes, got 1000000")
  })

  it('tell indices and lengths outside at every run, and leave the model usable', async () => {
    const graph: Graph = {
      inputs: [{ name: 'x', dtype: 'float32', shape: ['t', 'batch'] }, { name: 'indices', dtype: 'int32', shape: ['n'] }, { name: 'lengths', dtype: 'int32', shape: ['batch'] }],
      outputs: [{ name: 'y', value: 'y' }],
      nodes: [node('reverseSequence', ['x', 'lengths'], ['z']), node('gather', ['z', 'indices'], ['y'])],
      constants: new Map(),
    }
    const model = await compile(graph, { runtime })
    const turned = { x: NdArray.from([[1, 2], [3, 4], [5, 6]]), indices: ints(0, -1), lengths: ints(3, 2) }
    const expected = { y: NdArray.from([[5, 4], [1, 6]]) }
    expect(model.run(turned)).toEqual(expected)
    expectError(() => model.run({ ...turned, indices: ints(0, 3) }), 'VALUE', "gather 'gather_y': expected indices from -3 to 2, got another one at element 1 of the indices")
    expectError(() => model.run({ ...turned, indices: ints(-4, 0) }), 'VALUE', "gather 'gather_y': expected indices from -3 to 2, got another one at element 0 of the indices")
    expectError(() => model.run({ ...turned, lengths: ints(1, -1) }), 'VALUE', "reverseSequence 'reverseSequence_z': expected lengths from 0 to 3, got another one for sequence 1")
    expect(model.run(turned)).toEqual(expected)
    model.dispose()
    const oneByOne = { op: 'gatherElements', inputs: [NdArray.from([1, 2]), ints(2)], constants: [] }
    await expect(run(runtime, oneByOne)).rejects.toThrow("gatherElements 'node': expected indices from -2 to 1, got another one at element 0 of the indices")
  })
})
