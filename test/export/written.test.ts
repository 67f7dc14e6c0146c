// Files of a few models, to the byte as onnxruntime, Keras and PyTorch ran them: test/python/check_exports.py. And what cannot be written.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { writeHdf5 } from '../../src/export/hdf5/writer.ts'
import { describePytorch, toKeras, toOnnx, toStateDict, writeNpz } from '../../src/export/index.ts'
import { Budget } from '../../src/formats/budget.ts'
import { openHdf5 } from '../../src/formats/hdf5/hdf5.ts'
import { readNpz } from '../../src/formats/npz.ts'
import { readOnnx } from '../../src/formats/onnx/index.ts'
import { readModel } from '../../src/formats/onnx/messages.ts'
import { writeSafetensors } from '../../src/formats/safetensors/writer.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { dense, gru, input, lstm, sequential } from '../../src/layers/index.ts'
import { compile } from '../../src/model/load.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { lengthOf } from '../../src/values/shape.ts'
import { expectError } from '../expect-error.ts'
import { sameOutputs } from './same-outputs.ts'
import { filled, WRITTEN } from './written-models.ts'
import { inputsOf } from './golden-models.ts'
import { keepForPython } from './kept-files.ts'

const { cases } = JSON.parse(readFileSync(new URL('../golden/export/cases.json', import.meta.url), 'utf8')) as {
  cases: Record<string, { sha256: string, distance: number }>
}

let runtime: Runtime
beforeAll(async () => {
  runtime = await createRuntime({ variant: 'simd' })
})

const AGAIN = 'the file is another one than that which was run: see test/python/check_exports.py --golden'

describe('files are those that were run by their frameworks', () => {
  it.each(Object.keys(WRITTEN))('%s', async (name) => {
    const graph = (WRITTEN[name] as () => Graph)()
    using model = await compile(graph, { runtime })
    const inputs = inputsOf(model)
    const tensors = toStateDict(model)
    const files: [string, Uint8Array, Uint8Array?][] = [
      ['.onnx', toOnnx(model)], ['.keras', toKeras(model)], ['.py', new TextEncoder().encode(describePytorch(model)), writeSafetensors(tensors)],
    ]
    for (const [ending, bytes, beside] of files) {
      keepForPython(`written-${name}`, bytes, { model, inputs, outputs: model.run(inputs), ending, ...(beside && { tensors }) })
      const digest = createHash('sha256').update(bytes).update(beside ?? new Uint8Array()).digest('hex')
      if (process.env.EXPORT_FOLDER !== undefined) continue
      expect(digest, AGAIN).toBe(cases[`written-${name}${ending}`]?.sha256)
      expect(cases[`written-${name}${ending}`]?.distance).toBeLessThanOrEqual(1e-6)
    }
  })

  it('and nothing else', () => {
    expect(Object.keys(cases)).toHaveLength(3 * Object.keys(WRITTEN).length)
  })
})

describe('toStateDict', () => {
  it('gives what loadStateDict took', () => {
    const layers = (): ReturnType<typeof sequential> => (
      sequential([input(['timesteps', 3]), lstm(4, { name: 'a', numLayers: 2, bidirectional: true, projSize: 2, returnSequences: true }), gru(3, { name: 'b' }), dense(2, { name: 'fc' })])
    )
    const specs = layers().weightSpecs()
    const tensors = toStateDict(filled(layers()))
    expect([...tensors].map(([name, { shape }]) => [name, shape])).toEqual(specs.map(({ name, shape }) => [name, shape]))
    expect(tensors.has('a.weight_hr_l1_reverse')).toBe(true)
    expect(toStateDict(layers().loadStateDict(tensors))).toEqual(tensors)
  })

  it('adds the forget bias of TensorFlow 1 to that of the inputs', () => {
    const layers = sequential([input(['timesteps', 2]), lstm(3, { name: 'a', forgetBias: 1 })])
    const quarters = (shape: readonly number[]): NdArray => new NdArray(new Float32Array(lengthOf(shape)).fill(0.25), shape)
    const given = new Map(layers.weightSpecs().map(({ name, shape }) => [name, quarters(shape)]))
    expect([...toStateDict(layers.loadStateDict(given)).get('a.bias_ih_l0')?.data ?? []]).toEqual([0.25, 0.25, 0.25, 1.25, 1.25, 1.25, ...Array<number>(6).fill(0.25)])
  })
})

describe('what cannot be written', () => {
  const peculiar = (): Graph => filled(sequential([
    input(['timesteps', 2], { name: 'x' }), lstm(3, { name: 'kept', stateful: true, returnSequences: true }), lstm(3, { name: 'clipped', cellClip: 2, returnSequences: true }),
    gru(2, { name: 'before', resetAfter: false, stateful: true }),
  ]))

  it('is said whole, by the names of the nodes', () => {
    const kept = 'states that are kept from run to run'
    const carry = `${kept}; make the layer without stateful, and carry its states as inputs and outputs`
    expectError(() => toOnnx(peculiar()), 'UNSUPPORTED', `toOnnx: what ONNX has no counterpart for: lstm 'kept': ${carry}; gru 'before': ${carry}`)
    expectError(() => toKeras(peculiar()), 'UNSUPPORTED', `toKeras: what layers of Keras do not compute: lstm 'kept': ${kept}; lstm 'clipped': cellClip 2; gru 'before': ${kept}`)
    const lacks = `lstm 'kept': ${kept}; lstm 'clipped': cellClip 2; gru 'before': ${kept}, a reset gate before the product`
    expectError(() => toStateDict(peculiar()), 'UNSUPPORTED', `toStateDict: what PyTorch has no module or function for: ${lacks}`)
    expectError(() => describePytorch(peculiar()), 'UNSUPPORTED', `describePytorch: what PyTorch has no module or function for: ${lacks}`)
  })

  it('is told from what is no model, and from options that do not fit', () => {
    const graph = (WRITTEN.plain as () => Graph)()
    expectError(() => toOnnx('model.onnx' as never), 'VALUE', 'toOnnx: expected a model, layers with weights or a graph, got "model.onnx"')
    expectError(() => toKeras(graph, { outputs: ['y'] }), 'VALUE', "toKeras: expected outputs of the model for 'outputs', 'output', got 'y'")
    expectError(() => toOnnx(graph, { output: ['output'] } as never), 'VALUE', /^toOnnx: no option 'output' \(did you mean 'outputs'\?\)/)
    expectError(() => toStateDict(graph, { names: 'keras' as never }), 'VALUE', /^toStateDict: expected 'pytorch' for 'names'/)
    const same = { ...graph, outputs: [{ name: 'x', value: 'output' }] }
    expectError(() => toOnnx(same), 'UNSUPPORTED', "toOnnx: what ONNX has no counterpart for: the output 'x' has the name of an input; name it otherwise")
    expectError(() => writeNpz(new Map([['', new NdArray(Float32Array.of(1), [1])]])), 'VALUE', 'npz: expected arrays with names, got one without')
  })
})

describe('ONNX', () => {
  it("has no remainder of floats on the side of the divisor: it is put together; whole numbers, and C's, have one", () => {
    const written = (dtype: 'float32' | 'int32', fmod: number): string => new TextDecoder('latin1').decode(toOnnx({
      inputs: ['a', 'b'].map((name) => ({ name, dtype, shape: [3] })), outputs: [{ name: 'y', value: 'y' }], constants: new Map(),
      nodes: [{ name: 'n', op: 'mod', inputs: ['a', 'b'], outputs: ['y'], parameters: {}, attributes: { fmod } }],
    }))
    const isPutTogether = (text: string): boolean => ['Xor', 'Where', 'Less'].every((op) => text.includes(op))
    expect([written('float32', 0), written('float32', 1), written('int32', 0), written('int32', 1)].map(isPutTogether)).toEqual([true, false, false, false])
  })
})

describe('the last step of both directions', () => {
  it.each([['lstm', lstm], ['gru', gru]] as const)('of an %s is side by side, in ONNX as well', async (_op, layer) => {
    const graph = filled(sequential([input([5, 3], { name: 'x' }), layer(4, { name: 'both', numLayers: 2, bidirectional: true })]))
    using model = await compile(graph, { runtime })
    using copy = await compile(readOnnx(toOnnx(model)), { runtime })
    const inputs = inputsOf(model)
    const wanted = model.run(inputs)
    expect(wanted.output?.shape).toEqual([2, 8])
    sameOutputs(copy.run(inputs), wanted)
  })
})

it('TopK has names for both of its outputs, whichever is wanted: ONNX lets none out', () => {
  const outputsOf = (...outputs: string[]): unknown => readModel(toOnnx({
    inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 4] }], outputs: [{ name: 'y', value: 'y' }],
    nodes: [{ name: 'best', op: 'topK', inputs: ['x', 'k'], outputs, parameters: {}, attributes: {} }], constants: new Map([['k', new NdArray(Int32Array.of(2), [1])]]),
  })).graph.nodes.find(({ op }) => op === 'TopK')?.outputs.map((name) => name !== '')
  expect([outputsOf('y'), outputsOf('y', ''), outputsOf('', 'y')]).toEqual([[true, true], [true, true], [true, true]])
})

describe('containers', () => {
  const arrays = new Map([
    ['a.b', new NdArray(Float32Array.of(1, -2.5, 3), [3])], ['c', new NdArray(Int32Array.of(-7, 8), [2, 1])], ['d', new NdArray(Uint8Array.of(200), [])],
  ])

  it('npz is read again', () => {
    expect(readNpz(writeNpz(arrays))).toEqual(arrays)
  })

  it('HDF5 is read again: groups in each other, names of any letters, many arrays, empty ones', () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`w${n}`, new NdArray(Float32Array.of(n), [1])]))
    const bytes = writeHdf5({ layers: { lstm: { vars: { 0: arrays.get('a.b') as NdArray, 1: arrays.get('c') as NdArray } } }, many, é: { x: arrays.get('d') as NdArray }, empty: {} })
    const file = openHdf5(bytes, new Budget(bytes.length))
    expect(file.names).toEqual(['layers', 'many', 'é', 'empty'])
    expect(file.find('layers/lstm/vars/0')?.read()).toEqual(arrays.get('a.b'))
    expect(file.find('layers/lstm/vars/1')?.read()).toEqual(arrays.get('c'))
    expect(file.find('é/x')?.read()).toEqual(arrays.get('d'))
    expect(file.find('many')?.names.length).toBe(300)
    expect(file.find('many/w299')?.read()).toEqual(new NdArray(Float32Array.of(299), [1]))
    expect(file.find('empty')?.names).toEqual([])
  })
})
