// Operators with graphs inside, against loops and choices of plain JavaScript.
import { expect, it } from 'vitest'
import { LstmError } from '../../../src/errors.ts'
import { readModelFile } from '../../../src/formats/model-file.ts'
import { onlyBytes } from '../../../src/formats/reader.ts'
import { saveGraph } from '../../../src/formats/safetensors/save.ts'
import { GraphBuilder } from '../../../src/graph/builder.ts'
import type { Graph } from '../../../src/graph/graph.ts'
import { graphFromJson } from '../../../src/graph/from-json.ts'
import { graphToJson } from '../../../src/graph/to-json.ts'
import { compile } from '../../../src/model/load.ts'
import type { Body, GraphNode } from '../../../src/ops/graph-data.ts'
import { NdArray } from '../../../src/values/ndarray.ts'
import { expectError, expectRejection } from '../../expect-error.ts'
import { data, ints } from '../one-node.ts'
import { describeBinaries, runtimeOf } from '../../variants.ts'

const port = (name: string, dtype: 'float32' | 'int32', ...shape: (number | string)[]): Graph['inputs'][number] => ({ name, dtype, shape })
const node = (op: string, inputs: string[], outputs: string[], more: Partial<GraphNode> = {}): GraphNode => (
  { name: `${op} ${outputs.join()}`, op, inputs, outputs, parameters: {}, attributes: {}, ...more }
)
const out = (...values: string[]): Body['outputs'] => values.map((value, n) => ({ name: `${n}`, value }))

/** a, b = b, x a W + i; collects a and x, from front to end and back. */
const body: Body = {
  inputs: [port('i', 'int32'), port('a', 'float32', 3), port('b', 'float32', 3), port('x', 'float32', 3), port('more', 'float32', 3)],
  outputs: out('b', 'next', 'a', 'shifted'),
  nodes: [
    node('mul', ['x', 'a'], ['xa']), node('unsqueeze', ['xa', 'zero'], ['row']), node('matMul', ['row', 'w'], ['product']), node('squeeze', ['product', 'zero'], ['flat']),
    node('cast', ['i'], ['step'], { attributes: { to: 'float32' } }), node('add', ['flat', 'step'], ['next']), node('add', ['x', 'more'], ['shifted']),
  ],
}
const weight = data('float32', [3, 3], 5)
const graph = (count: number | undefined, backwards?: readonly number[]): Graph => ({
  inputs: [port('a', 'float32', 3), port('b', 'float32', 3), port('xs', 'float32', 'steps', 3), port('more', 'float32', 3)], outputs: out('a1', 'b1', 'as', 'shifts'),
  nodes: [node('loop', [count === undefined ? '' : 'count', 'a', 'b', 'xs', 'more'], ['a1', 'b1', 'as', 'shifts'], {
    attributes: { states: 2, scanned: 1, ...(backwards && { backwards }) }, parameters: { 'body.w': 'w', 'body.zero': 'zero' }, bodies: { body },
  })],
  constants: new Map<string, NdArray>([['w', weight], ['zero', ints(0)], ...(count === undefined ? [] : [['count', ints(count)] as const])]),
})

/** The same in plain JavaScript. */
function reference({ a, b, xs, more }: Record<string, NdArray>, [back = 0, backA = 0, backShifted = 0]: readonly number[]): number[][] {
  let [first, second] = [[...a?.data ?? []], [...b?.data ?? []]]
  const steps = xs?.shape[0] as number
  const [as, shifts]: [number[][], number[][]] = [[], []]
  for (let step = 0; step < steps; step++) {
    const at = back === 1 ? steps - 1 - step : step
    const x = [...xs?.data.subarray(3 * at, 3 * at + 3) ?? []]
    const weighted = (column: number) => (sum: number, value: number, row: number): number => (
      sum + (x[row] as number) * value * (weight.data[3 * row + column] as number)
    )
    const next = [0, 1, 2].map((column) => first.reduce(weighted(column), step))
    as.push(first)
    shifts.push(x.map((value, n) => value + (more?.data[n] as number)))
    ;[first, second] = [second, next]
  }
  return [first, second, (backA === 1 ? as.reverse() : as).flat(), (backShifted === 1 ? shifts.reverse() : shifts).flat()]
}

const inputs = (steps: number, seed: number): Record<string, NdArray> => ({
  a: data('float32', [3], seed), b: data('float32', [3], seed + 1), xs: data('float32', [steps, 3], seed + 2), more: data('float32', [3], seed + 3),
})

describeBinaries('loop: states that change places, slices and what is collected, forwards and backwards', (binary) => {
  it.each([[[]], [[0, 0, 0]], [[1, 0, 1]], [[0, 1, 0]], [[1, 1, 1]]])('backwards %j', async (backwards) => {
    using model = await compile(graph(undefined, backwards), { runtime: await runtimeOf(binary) })
    // Other sizes, and the first again; tensors of the caller's own.
    for (const [steps, seed] of [[4, 1], [1, 9], [4, 20]] as const) {
      const given = inputs(steps, seed)
      const expected = reference(given, backwards)
      const tensors = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, model.runtime.tensor(value.data, value.shape)]))
      for (const results of [model.run(given), model.run(tensors)]) {
        Object.values(results).forEach((result, n) => result.data.forEach((value, k) => {
          expect(Math.abs(value - (expected[n]?.[k] as number)) / Math.max(1, Math.abs(value))).toBeLessThan(1e-5)
        }))
      }
      Object.values(tensors).forEach((tensor) => tensor.dispose())
    }
  })
})

it('loop: no step leaves the states as they were', async () => {
  const none: Graph = { ...graph(0), inputs: graph(0).inputs.map((input) => (input.name === 'xs' ? port('xs', 'float32', 3) : input)) }
  const { inputs: [i, a, b, x, more], nodes, outputs } = body as { inputs: [Body['inputs'][number], Body['inputs'][number], Body['inputs'][number], Body['inputs'][number], Body['inputs'][number]] } & Body
  const [loop] = none.nodes as [GraphNode]
  using model = await compile({
    ...none, outputs: out('a1', 'b1'),
    nodes: [{ ...loop, attributes: { states: 2, scanned: 0 }, bodies: { body: { inputs: [i, a, b, x, more], nodes, outputs } } }],
  })
  expect(model.run({ a: data('float32', [3]), b: data('float32', [3], 2), xs: data('float32', [3], 3), more: data('float32', [3], 4) })).toMatchObject({ 0: { data: data('float32', [3]).data }, 1: { data: data('float32', [3], 2).data } })
})

it('loop and choice are written and read again, weights and all', async () => {
  const saved = await readModelFile(onlyBytes(saveGraph(graph(undefined, [1, 0, 0]))))
  expect(saved).toEqual(graph(undefined, [1, 0, 0]))
  using again = await compile(saved)
  using first = await compile(graph(undefined, [1, 0, 0]))
  expect(again.run(inputs(3, 4))).toEqual(first.run(inputs(3, 4)))
})

it('loop: what is wrong with it is said', async () => {
  const [loop] = graph(2).nodes as [GraphNode]
  const build = (changes: Partial<GraphNode>): unknown => compile({ ...graph(2), nodes: [{ ...loop, ...changes }] })
  const refuse = async (changes: Partial<GraphNode>, code: LstmError['code'], message: string | RegExp): Promise<unknown> => expectRejection(build(changes) as Promise<unknown>, code, message)
  await refuse({ bodies: {} }, 'FORMAT', "loop 'loop a1,b1,as,shifts': expected the graph 'body' inside it, got none")
  await refuse({ bodies: { body, other: body } }, 'UNSUPPORTED', "loop 'loop a1,b1,as,shifts': graphs or weights that it has no use for: 'other'")
  await refuse({ attributes: { states: 5, scanned: 1 } }, 'SHAPE', /: 5 states and 1 scanned inputs do not fit a body with 5 inputs and 4 outputs, and 5 inputs of its own$/)
  await refuse({ attributes: { states: 2, scanned: 1, backwards: [1, 2, 0] } }, 'VALUE', /: expected 3 times 0 or 1 for 'backwards', got \[1,2,0\]$/)
  await refuse({ bodies: { body: { ...body, outputs: out('x', 'row', 'a', 'shifted') } } }, 'UNSUPPORTED', /: its state 1 is float32 \[3\] before a step and float32 \[1, 3\] after it; states must keep type and shape$/)
  await refuse({ bodies: { body: { ...body, outputs: out('x', 'i', 'a', 'shifted') } } }, 'UNSUPPORTED', /: its state 1 is float32 \[3\] before a step and int32 \[\] after it/)
  await refuse({ bodies: { body: { ...body, inputs: [...body.inputs.slice(0, 4), port('more', 'int32', 3)] } } }, 'VALUE', /: expected int32 for 'more' of its body, got float32 \[3\]$/)
  await refuse({ bodies: { body: { ...body, nodes: [node('lstm', ['x'], ['next']), ...body.nodes] } } }, 'VALUE', /^loop 'loop a1,b1,as,shifts': in its graph 'body': lstm 'lstm next': /)
  await refuse({ inputs: ['', 'a', 'b', 'more', 'xs'], attributes: { states: 3, scanned: 0 } }, 'SHAPE', /: expected a number of steps, or a scanned input, got neither$/)
})

it('loop: as many steps as are known when it is planned, and not too many', async () => {
  const counted = (count: number | undefined): Graph => ({
    inputs: [port('x', 'float32', 1), ...(count === undefined ? [port('count', 'int32')] : [])], outputs: out('y'),
    nodes: [node('loop', ['count', 'x'], ['y'], { attributes: { states: 1, scanned: 0 }, bodies: { body: { inputs: [port('i', 'int32'), port('x', 'float32', 1)], outputs: out('z'), nodes: [node('add', ['x', 'x'], ['z'])] } } })],
    constants: new Map<string, NdArray>(count === undefined ? [] : [['count', ints(count)]]),
  })
  const x = NdArray.from([1])
  using model = await compile(counted(10))
  expect(model.run({ x })[0]?.data[0]).toBe(1024)
  using many = await compile(counted(2 ** 30))
  expectError(() => many.run({ x }), 'UNSUPPORTED', "loop 'loop y': 1073741824 times 1 steps is more than a loop may take, which is 16777216 in all")
  using unknown = await compile(counted(undefined))
  expectError(() => unknown.run({ x, count: ints(3) }), 'SHAPE', /count/)
  expectError(() => unknown.run({ x, count: new NdArray(Int32Array.of(3), []) }), 'UNSUPPORTED', "loop 'loop y': how many steps it takes depends on elements that are known only when the model runs; where it follows from an input, fix that with the option 'constants'")
})

it('loop: indices that are refused inside are refused', async () => {
  const gather: Body = { inputs: [port('i', 'int32'), port('table', 'float32', 'n'), port('at', 'int32')], outputs: out('y'), nodes: [node('gather', ['table', 'at'], ['y'])] }
  using model = await compile({
    inputs: [port('table', 'float32', 'n'), port('at', 'int32')], outputs: out('y'), constants: new Map([['count', ints(2)]]),
    nodes: [node('loop', ['count', 'table', 'at'], ['y'], { attributes: { states: 0, scanned: 0 }, bodies: { body: gather } })],
  })
  const table = NdArray.from([1, 2, 3])
  expect(model.run({ table, at: new NdArray(Int32Array.of(2), []) })[0]?.toArray()).toEqual([3, 3])
  expectError(() => model.run({ table, at: new NdArray(Int32Array.of(3), []) }), 'VALUE', /^gather 'gather y': /)
})

const branch = (op: string, ...more: string[]): Body => ({ inputs: [port('x', 'float32', 'n')], outputs: out('y'), nodes: [node(op, ['x', ...more], ['y'])] })
const choice = (then: Body, otherwise: Body): Graph => ({
  inputs: [port('x', 'float32', 'n')], outputs: out('y'), constants: new Map<string, NdArray>([['three', ints(3)], ['half', NdArray.from([0.5])], ['axis', ints(0)]]),
  nodes: [
    node('size', ['x'], ['n']), node('less', ['n', 'three'], ['short']),
    node('choice', ['short', 'x', 'x'], ['y'], { attributes: { thenInputs: 1 }, parameters: { 'then.half': 'half', 'else.axis': 'axis' }, bodies: { then, else: otherwise } }),
  ],
})

it('choice: the branch follows from sizes, run by run', async () => {
  using model = await compile(choice(branch('mul', 'half'), branch('neg')))
  for (const x of [[1, 2], [1, 2, 3, 4], [5], [6, 7, 8]]) {
    expect(model.run({ x: NdArray.from(x) })[0]?.toArray()).toEqual(x.length < 3 ? x.map((value) => value / 2) : x.map((value) => -value))
  }
})

it('choice: branches must give the same, and the condition must not follow from elements', async () => {
  await expectRejection(compile(choice(branch('mul', 'half'), branch('unsqueeze', 'axis'))), 'UNSUPPORTED', /^choice 'choice y': its output 0 is float32 \[n\] in one branch and float32 \[1, n\] in the other: they must have the same type and number of axes/)
  await expectRejection(compile(choice({ ...branch('neg'), outputs: out('y', 'x') }, branch('neg'))), 'FORMAT', "choice 'choice y': expected branches with as many outputs, got 2 and 1")
  const given = choice(branch('mul', 'half'), branch('neg'))
  using model = await compile({ ...given, inputs: [...given.inputs, port('short', 'int32')], nodes: given.nodes.slice(2) })
  expectError(() => model.run({ x: NdArray.from([1]), short: new NdArray(Int32Array.of(1), []) }), 'UNSUPPORTED', /^choice 'choice y': which branch to take depends on elements that are known only when the model runs/)
})

it('graphs in graphs are read as deep as anybody writes them, and no deeper', () => {
  const deep = (levels: number): Body => (levels === 0 ? branch('neg') : { ...branch('neg'), nodes: [node('loop', ['', 'x'], ['y'], { bodies: { body: deep(levels - 1) } })] })
  const json = (levels: number): string => graphToJson({ ...deep(levels), constants: new Map() })
  expect(() => graphFromJson(json(16), new Map())).not.toThrow()
  expectError(() => graphFromJson(json(17), new Map()), 'UNSUPPORTED', 'graph: expected graphs at most 16 deep in each other, got more')
  expectError(() => graphFromJson(json(1).replace('"bodies":{"body":{"inputs":[', '"bodies":{"body":{"inputs":[7,'), new Map()), 'FORMAT', /expected an object at nodes\[0\]\.bodies\.body\.inputs\[0\]/)
})

it('what is computed beforehand in graphs inside counts for the whole graph', () => {
  const filled: Body = { inputs: [port('i', 'int32'), port('x', 'float32', 1)], outputs: out('z', 'y'), nodes: [node('constantOfShape', ['shape'], ['y']), node('add', ['x', 'x'], ['z'])] }
  const loops = Array.from({ length: 40 }, (_, n) => node('loop', [`count${n}`, 'x'], [`z${n}`, `y${n}`], {
    attributes: { states: 1, scanned: 0 }, parameters: { 'body.shape': 'shape' }, bodies: { body: filled },
  }))
  const { settings: all } = GraphBuilder.of({
    inputs: [port('x', 'float32', 1)], outputs: out('z0'), nodes: loops,
    constants: new Map([['shape', ints(2 ** 19)], ...loops.map((_, n): [string, NdArray] => [`count${n}`, ints(1)])]),
  })
  expect(all.size).toBe(40)
  const folded = [...all.values()].filter((settings) => (settings as { typed: { graph: Graph } }).typed.graph.nodes.length === 1)
  expect(folded.length).toBeGreaterThan(0)
  expect(folded.length).toBeLessThan(10)
})
