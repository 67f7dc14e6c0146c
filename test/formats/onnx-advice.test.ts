// Where an ONNX file cannot be read, what the message says would be read. Each way on was tried with the tool that it names.
import { describe, expect, it } from 'vitest'
import { readOnnx, type OnnxOptions } from '../../src/formats/onnx/index.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { lengthOf } from '../../src/values/shape.ts'
import { expectError } from '../expect-error.ts'
import { floatTensor, writeOnnx, type GraphSpec, type NodeSpec, type TensorSpec } from './onnx-writer.ts'

const x = { name: 'x', shape: ['batch', 4] }
const y = { name: 'y' }

describe('operators that are not there', () => {
  const message = (producer: string, nodes: NodeSpec[], initializers: readonly TensorSpec[] = []): string => {
    const bytes = writeOnnx({ inputs: [x], outputs: [y], nodes, initializers }, 17, producer)
    return expectError(() => readOnnx(bytes), 'UNSUPPORTED', /^onnx: the model asks for what is not supported: /).message
  }
  const ONNXSIM = /; all that these nodes compute follows from constants, and onnxsim computes it beforehand: pip install onnxsim, then onnxsim \S+ \S+$/
  const KERAS = /; tf2onnx wrote this file: a model of Keras's own layers loads as Keras saves it, model\.save\('model\.keras'\), without a conversion$/
  const table = floatTensor('table', [4], [1, 0, 2, 3])
  const nonZero = (input: string): NodeSpec => ({ op: 'NonZero', inputs: [input], outputs: ['nz'] })
  const use: NodeSpec = { op: 'Add', inputs: ['x', 'nz'], outputs: ['y'] }

  it('that compute with constants only: onnxsim', () => {
    expect(message('', [nonZero('table'), use], [table])).toMatch(ONNXSIM)
    expect(message('tf2onnx', [{ op: 'Exp', inputs: ['table'], outputs: ['e'] }, nonZero('e'), use], [table])).toMatch(ONNXSIM)
    // Others follow from an input, are another number at each run, or are no standard ones.
    expect(message('', [nonZero('x'), use])).not.toMatch(/onnxsim/)
    expect(message('', [nonZero('table'), { op: 'NonZero', inputs: ['x'], outputs: ['other'] }, { op: 'Sum', inputs: ['nz', 'other'], outputs: ['y'] }], [table])).not.toMatch(/onnxsim/)
    expect(message('', [{ op: 'RandomNormalLike', inputs: ['table'], outputs: ['nz'] }, use], [table])).not.toMatch(/onnxsim/)
    expect(message('', [{ ...nonZero('table'), domain: 'own' }, use], [table])).not.toMatch(/onnxsim/)
  })

  it('in a file of tf2onnx: the file that Keras saves', () => {
    expect(message('tf2onnx', [nonZero('x'), use])).toMatch(KERAS)
    expect(message('skl2onnx', [nonZero('x'), use])).toMatch(/node 'nz'\)$/)
  })

  it('of PyTorch: the other exporter, where that one writes none of them', () => {
    const split: NodeSpec = { op: 'SplitToSequence', inputs: ['x'], outputs: ['parts'] }
    expect(message('pytorch', [split, { op: 'SequenceMap', inputs: ['parts', 'x'], outputs: ['y'] }])).toMatch(/; these are lists of tensors: torch\.onnx\.export\(\.\.\., dynamo=True\) writes none$/)
    expect(message('pytorch', [{ op: 'aten_add', domain: 'pkg.onnxscript.torch_lib', inputs: ['x'], outputs: ['y'] }])).toMatch(/functions that early versions of the dynamo exporter leave in a file: torch\.onnx\.export\(\.\.\., dynamo=False\) writes none$/)
    expect(message('pytorch', [split, { op: 'NoSuchThing', inputs: ['parts'], outputs: ['y'] }])).not.toMatch(/dynamo/)
  })
})

describe('weights without values', () => {
  const sizes = { w: [1, 12, 2], r: [1, 12, 3], b: [1, 24] }
  const weights = Object.entries(sizes).map(([name, shape]) => ({ name, shape }))
  const graph = (layers: number): GraphSpec => ({
    inputs: [{ name: 'x', shape: ['steps', 1, 2] }, ...weights, { name: 'r2', shape: sizes.r }], outputs: [y],
    nodes: [
      { op: 'LSTM', inputs: ['x', 'w', 'r', 'b'], outputs: ['a'] },
      ...(layers === 2
        ? [
            { op: 'Squeeze', inputs: ['a'], outputs: ['s'] }, { op: 'Identity', inputs: ['r2'], outputs: ['r3'] }, { op: 'LSTM', inputs: ['s', 'r3', 'r2'], outputs: ['y'] },
          ]
        : [{ op: 'Identity', inputs: ['a'], outputs: ['y'] }]),
    ],
  })
  const read = (layers: number, options?: OnnxOptions): unknown => readOnnx(writeOnnx(graph(layers)), options)
  const fixed = Object.fromEntries(Object.entries(sizes).map(([name, shape]) => [name, new NdArray(new Float32Array(lengthOf(shape)), shape)]))

  it('are all named in one error, which says what to do', () => {
    const ways = (first: string): string => `; export the model with its weights inside (torch.onnx.export(..., export_params=True)), or give their values: load(file, { constants: { "${first}": { dtype: 'float32', shape, data }, ... } })`
    expectError(() => read(1), 'UNSUPPORTED', `onnx: the numbers of these weights are not in the file, which has inputs for them: 'w', 'r', 'b'${ways('w')}`)
    expectError(() => read(2), 'UNSUPPORTED', `onnx: the numbers of these weights are not in the file, which has inputs for them: 'w', 'r', 'b', 'r2'${ways('w')}`)
    const { w, r } = fixed
    expectError(() => read(1, { constants: { w, r } as Record<string, NdArray> }), 'UNSUPPORTED', `onnx: the numbers of this weight are not in the file, which has an input for it: 'b'${ways('b')}`)
  })

  it('are not those that a layer does without, whatever else has no name', () => {
    const fixed: GraphSpec = {
      inputs: [{ name: 'x', shape: [4, 1, 2] }, { name: 'h', shape: [1, 1, 3] }], outputs: [y], initializers: [floatTensor('w', sizes.w, Array<number>(24).fill(0)), floatTensor('r', sizes.r, Array<number>(36).fill(0))],
      nodes: [{ op: 'LSTM', inputs: ['x', 'w', 'r', '', '', 'h'], outputs: ['', 'y'] }],
    }
    expect(readOnnx(writeOnnx(fixed)).inputs.map(({ name }) => name)).toEqual(['x', 'h'])
  })

  it('are taken where the caller gives them', () => {
    expect(() => read(1, { constants: fixed })).not.toThrow()
  })
})
