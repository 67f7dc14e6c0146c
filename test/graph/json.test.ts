import { describe, expect, it } from 'vitest'
import type { Graph } from '../../src/graph/graph.ts'
import { typeGraph } from '../../src/graph/infer.ts'
import { graphFromJson } from '../../src/graph/from-json.ts'
import { graphToJson } from '../../src/graph/to-json.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { lstmGraph, randomLstm } from '../lstm-graph.ts'

const WELL_FORMED = {
  version: 1,
  inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 4] }],
  outputs: [{ name: 'out', value: 'y' }],
  nodes: [{ name: 'n', op: 'relu', inputs: ['x'], outputs: ['y'], parameters: {}, attributes: {} }],
}

const read = (json: unknown): Graph => graphFromJson(JSON.stringify(json), new Map())

describe('graphToJson and graphFromJson', () => {
  it('are each other\'s inverse', () => {
    const tensors = randomLstm({ inputSize: 3, hiddenSize: 2, numLayers: 2, bidirectional: true, bias: true }, 1)
    const graph = lstmGraph(tensors, true)
    const json = graphToJson(graph)
    const again = graphFromJson(json, tensors)
    expect(again).toEqual(graph)
    expect(again.constants).toBe(tensors)
    expect(graphToJson(again)).toBe(json)
    expect(JSON.parse(json)).toMatchObject({ version: 1 })
    expect(json).not.toContain('constants')
  })

  it('keep attributes of every type, and optional inputs', () => {
    const attributes = { a: 'text', b: 1.5, c: true, d: [1, 2], e: ['x', 'y'], f: [] }
    const graph = read({ ...WELL_FORMED, inputs: [{ name: 'x', dtype: 'int32', shape: [], optional: true }], nodes: [{ ...WELL_FORMED.nodes[0], attributes }] })
    expect(graph.nodes[0]?.attributes).toEqual(attributes)
    expect(graph.inputs).toEqual([{ name: 'x', dtype: 'int32', shape: [], optional: true }])
    expect(read(JSON.parse(graphToJson(graph)))).toEqual(graph)
    expect(read(WELL_FORMED).inputs).toEqual(WELL_FORMED.inputs)
  })

  it.each([
    ['__proto__'], ['constructor'], ['toString'],
  ])('take %s for a name like any other', (name) => {
    const json = `{"version":1,"inputs":[{"name":"${name}","dtype":"float32","shape":["${name}",4]}],"outputs":[{"name":"${name}","value":"y"}],`
      + `"nodes":[{"name":"${name}","op":"linear","inputs":["${name}"],"outputs":["y"],"parameters":{"weight":"w","${name}":"w"},"attributes":{}}]}`
    const graph = graphFromJson(json, new Map([['w', new NdArray(new Float32Array(8), [2, 4])]]))
    expect(Object.keys(graph.nodes[0]?.parameters ?? {})).toEqual(['weight', name])
    expect(JSON.parse(graphToJson(graph))).toEqual(JSON.parse(json))
    expectError(() => typeGraph(graph), 'UNSUPPORTED', `linear '${name}': unknown weights '${name}'; it knows weight, bias`)
    const known = json.replace(`,"${name}":"w"}`, '}')
    expect(typeGraph(graphFromJson(known, graph.constants)).types.get('y')).toEqual({ dtype: 'float32', shape: [name, 2] })
    const odd = graphFromJson(known.replace('"attributes":{}', `"attributes":{"${name}":1}`), graph.constants)
    expectError(() => typeGraph(odd), 'UNSUPPORTED', `linear '${name}': unknown attributes '${name}'; it knows none`)
  })

  it('refuse a version they do not know', () => {
    expectError(() => read({ ...WELL_FORMED, version: 2 }), 'UNSUPPORTED', 'graph: expected version 1, got 2; a newer lstm-wasm may read it')
    expectError(() => read({ ...WELL_FORMED, version: '1' }), 'UNSUPPORTED', 'graph: expected version 1, got "1"; a newer lstm-wasm may read it')
    expectError(() => read({}), 'UNSUPPORTED', 'graph: expected version 1, got undefined; a newer lstm-wasm may read it')
  })

  it('refuse text that is not JSON', () => {
    const error = expectError(() => graphFromJson('{"version":1', new Map()), 'FORMAT', /^graph: not JSON: SyntaxError: /)
    expect(error.cause).toBeInstanceOf(SyntaxError)
  })

  const [input] = WELL_FORMED.inputs
  const [output] = WELL_FORMED.outputs
  const [node] = WELL_FORMED.nodes
  it.each<[unknown, string]>([
    [null, 'expected an object at graph, got null'],
    [[], 'expected an object at graph, got Array'],
    ['x', 'expected an object at graph, got "x"'],
    [{ ...WELL_FORMED, inputs: undefined }, 'expected a list at inputs, got undefined'],
    [{ ...WELL_FORMED, inputs: {} }, 'expected a list at inputs, got Object'],
    [{ ...WELL_FORMED, outputs: null }, 'expected a list at outputs, got null'],
    [{ ...WELL_FORMED, nodes: 'none' }, 'expected a list at nodes, got "none"'],
    [{ ...WELL_FORMED, inputs: [input, 5] }, 'expected an object at inputs[1], got 5'],
    [{ ...WELL_FORMED, inputs: [{ ...input, name: 5 }] }, 'expected a string at inputs[0].name, got 5'],
    [{ ...WELL_FORMED, inputs: [{ ...input, dtype: 'float16' }] }, "expected 'float32', 'int32' or 'uint8' at inputs[0].dtype, got \"float16\""],
    [{ ...WELL_FORMED, inputs: [{ ...input, dtype: undefined }] }, "expected 'float32', 'int32' or 'uint8' at inputs[0].dtype, got undefined"],
    [{ ...WELL_FORMED, inputs: [{ ...input, optional: 1 }] }, 'expected true or false at inputs[0].optional, got 1'],
    [{ ...WELL_FORMED, inputs: [{ ...input, shape: 4 }] }, 'expected a list at inputs[0].shape, got 4'],
    [{ ...WELL_FORMED, inputs: [{ ...input, shape: [1, 0] }] }, 'expected a whole number >= 1 or a name at inputs[0].shape[1], got 0'],
    [{ ...WELL_FORMED, inputs: [{ ...input, shape: [-1] }] }, 'expected a whole number >= 1 or a name at inputs[0].shape[0], got -1'],
    [{ ...WELL_FORMED, inputs: [{ ...input, shape: [1.5] }] }, 'expected a whole number >= 1 or a name at inputs[0].shape[0], got 1.5'],
    [{ ...WELL_FORMED, inputs: [{ ...input, shape: [''] }] }, 'expected a whole number >= 1 or a name at inputs[0].shape[0], got ""'],
    [{ ...WELL_FORMED, inputs: [{ ...input, shape: [null] }] }, 'expected a whole number >= 1 or a name at inputs[0].shape[0], got null'],
    [{ ...WELL_FORMED, outputs: [[]] }, 'expected an object at outputs[0], got Array'],
    [{ ...WELL_FORMED, outputs: [{ ...output, name: null }] }, 'expected a string at outputs[0].name, got null'],
    [{ ...WELL_FORMED, outputs: [{ ...output, value: undefined }] }, 'expected a string at outputs[0].value, got undefined'],
    [{ ...WELL_FORMED, nodes: [null] }, 'expected an object at nodes[0], got null'],
    [{ ...WELL_FORMED, nodes: [node, { ...node, name: true }] }, 'expected a string at nodes[1].name, got true'],
    [{ ...WELL_FORMED, nodes: [{ ...node, op: 3 }] }, 'expected a string at nodes[0].op, got 3'],
    [{ ...WELL_FORMED, nodes: [{ ...node, inputs: 'x' }] }, 'expected a list at nodes[0].inputs, got "x"'],
    [{ ...WELL_FORMED, nodes: [{ ...node, inputs: ['x', 1] }] }, 'expected a string at nodes[0].inputs[1], got 1'],
    [{ ...WELL_FORMED, nodes: [{ ...node, outputs: undefined }] }, 'expected a list at nodes[0].outputs, got undefined'],
    [{ ...WELL_FORMED, nodes: [{ ...node, outputs: [{}] }] }, 'expected a string at nodes[0].outputs[0], got Object'],
    [{ ...WELL_FORMED, nodes: [{ ...node, parameters: [] }] }, 'expected an object at nodes[0].parameters, got Array'],
    [{ ...WELL_FORMED, nodes: [{ ...node, parameters: { weight: 1 } }] }, 'expected a string at nodes[0].parameters.weight, got 1'],
    [{ ...WELL_FORMED, nodes: [{ ...node, attributes: undefined }] }, 'expected an object at nodes[0].attributes, got undefined'],
    [{ ...WELL_FORMED, nodes: [{ ...node, attributes: { a: null } }] }, 'expected a string, number, boolean or a list of them at nodes[0].attributes.a, got null'],
    [{ ...WELL_FORMED, nodes: [{ ...node, attributes: { a: {} } }] }, 'expected a string, number, boolean or a list of them at nodes[0].attributes.a, got Object'],
    [{ ...WELL_FORMED, nodes: [{ ...node, attributes: { a: [1, 'x'] } }] }, 'expected a string, number, boolean or a list of them at nodes[0].attributes.a, got Array'],
    [{ ...WELL_FORMED, nodes: [{ ...node, attributes: { a: [[1]] } }] }, 'expected a string, number, boolean or a list of them at nodes[0].attributes.a, got Array'],
  ])('refuse malformed fields by text, case %#', (json, message) => {
    expectError(() => read(json), 'FORMAT', `graph: ${message}`)
  })
})
