import { beforeAll, describe, expect, it } from 'vitest'
import { differentiate, missingRules } from '../../src/gradients/differentiate.ts'
import type { GradientRules } from '../../src/gradients/rule.ts'
import type { Graph, GraphNode } from '../../src/graph/graph.ts'
import { typeGraph } from '../../src/graph/infer.ts'
import { compile } from '../../src/model/load.ts'
import { addAllOperators } from '../../src/ops/all.ts'
import type { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { floats } from '../ops/reference.ts'

beforeAll(addAllOperators)

const node = (op: string, inputs: string[], output: string): GraphNode => ({ name: output, op, inputs, outputs: [output], parameters: {}, attributes: {} })

/** y = (a b + a) b, with another value beside it. */
const graph: Graph = {
  inputs: ['a', 'b', 'far'].map((name) => ({ name, dtype: 'float32', shape: [3] })),
  outputs: [{ name: 'y', value: 'y' }, { name: 'other', value: 'other' }],
  nodes: [node('mul', ['a', 'b'], 'ab'), node('add', ['ab', 'a'], 'sum'), node('mul', ['sum', 'b'], 'y'), node('history', ['far'], 'other')],
  constants: new Map(),
}

const rules: GradientRules = {
  add: ({ outputs: [gradient] }) => [gradient, gradient],
  mul: ({ node: { inputs: [a = '', b = ''] }, outputs: [gradient = ''], wanted }, build) => (
    [wanted[0] ? build.node('mul', [gradient, b]) : undefined, wanted[1] ? build.node('mul', [gradient, a]) : undefined]
  ),
}

const simple: Graph = { ...graph, outputs: graph.outputs.slice(0, 1), nodes: graph.nodes.slice(0, 3) }
const a = floats([1, -2, 0.5])
const b = floats([3, 0.25, -1])

describe('differentiate', () => {
  it('adds gradients that meet, and says which value is which gradient', async () => {
    const { graph: made, gradients } = differentiate(typeGraph(simple), { loss: 'y', wanted: ['a', 'b', 'far'] }, rules)
    expect(gradients.get('far')).toBeUndefined()
    expect([...gradients.keys()]).toEqual(['a', 'b', 'far'])
    expect(made.graph.outputs.map(({ name }) => name)).toEqual(['y', 'gradient of a', 'gradient of b'])
    const model = await compile(made.graph)
    const outputs = model.run({ a, b, far: floats([0, 0, 0]) })
    model.dispose()
    // y = a b^2 + a b
    expect((outputs['gradient of a'] as NdArray).data).toEqual(Float32Array.from([3 * 3 + 3, 0.25 * 0.25 + 0.25, 1 - 1]))
    expect((outputs['gradient of b'] as NdArray).data).toEqual(Float32Array.from([2 * 3 + 1, -2 * (2 * 0.25 + 1), 0.5 * (-2 + 1)]))
  })

  it('begins with a seed where one is given', async () => {
    const { graph: made } = differentiate(typeGraph(simple), { loss: 'y', seed: 'far', wanted: ['a'] }, rules)
    const model = await compile(made.graph)
    const outputs = model.run({ a, b, far: floats([2, 4, 8]) })
    model.dispose()
    expect((outputs['gradient of a'] as NdArray).data).toEqual(Float32Array.from([2 * 12, 4 * 0.3125, 0]))
  })

  it('makes no node for what is not wanted', () => {
    const { graph: made } = differentiate(typeGraph(simple), { loss: 'y', wanted: ['a'] }, rules)
    // Of the last product only the left side leads to a; the right side is b alone.
    expect(made.graph.nodes.map(({ op }) => op)).toEqual(['mul', 'add', 'mul', 'mul', 'mul', 'add'])
  })

  it('lists all nodes that have no gradient, before anything is built', () => {
    const { mul, ...withoutProduct } = rules
    expect(mul).toBeDefined()
    expectError(() => differentiate(typeGraph(simple), { loss: 'y', wanted: ['a'] }, withoutProduct), 'UNSUPPORTED', "training: operators without a gradient stand between the loss and what is trained: mul 'ab', mul 'y'; freeze the weights before it (trainer.freeze(names)), or train a model that has none")
    expect(missingRules(typeGraph(simple), ['a'], rules)).toBeUndefined()
    // What leads to no target, and what nothing that is wanted leads to, needs none.
    const whole = typeGraph({ ...simple, nodes: [...simple.nodes, node('sqrt', ['ab'], 'dead'), node('exp', ['far'], 'away')], outputs: [...simple.outputs, { name: 'away', value: 'away' }] })
    expect(missingRules(whole, ['a', 'b'], rules)).toBeUndefined()
    expect(missingRules(whole, ['far'], rules)?.message).toContain("exp 'away'")
    expect(missingRules(whole, ['far'], rules, ['y'])).toBeUndefined()
  })

  it('refuses names that are none, sizes that are open, and gradients of another shape', () => {
    const typed = typeGraph(simple)
    expectError(() => differentiate(typed, { loss: 'z', wanted: ['a'] }, rules), 'VALUE', "differentiate: the loss 'z' is no value of the graph")
    expectError(() => differentiate(typed, { loss: 'y', wanted: ['ab'] }, rules), 'VALUE', "differentiate: 'ab' is no input of the graph")
    expectError(() => differentiate(typed, { loss: 'y', seed: 'none', wanted: ['a'] }, rules), 'VALUE', "differentiate: the seed 'none' is no value of the graph")
    const open = typeGraph({ ...simple, inputs: simple.inputs.map((input) => ({ ...input, shape: ['batch'] })) })
    expectError(() => differentiate(open, { loss: 'y', wanted: ['a'] }, rules), 'SHAPE', "differentiate: expected numbers for all sizes, got [batch] for 'a'")
    const wrong: GradientRules = { ...rules, add: (_call, build) => [build.constant(1), build.constant(1)] }
    expectError(() => differentiate(typed, { loss: 'y', wanted: ['a'] }, wrong), 'SHAPE', "add 'sum': the gradient of its input 0 came out as [], expected [3]")
  })
})
