import { readFile } from 'node:fs/promises'
import { zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { writeNpy } from '../../src/formats/npy.ts'
import { readNpz } from '../../src/formats/npz.ts'
import { onlyBytes, type ModelFiles } from '../../src/formats/reader.ts'
import { readTensorflow1, readTensorflow1Variables, tensorflow1, tensorflow1StateDict } from '../../src/formats/tf1/reader.ts'
import { lstm, sequential } from '../../src/layers/index.ts'
import { compile } from '../../src/model/load.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError, expectRejection } from '../expect-error.ts'
import { pseudoRandom } from '../random.ts'
import { random } from '../weights.ts'

const golden = (name: string): Promise<Buffer> => readFile(new URL(`../golden/tf1/${name}`, import.meta.url))

function npz(variables: Readonly<Record<string, NdArray>>): Uint8Array {
  return zipSync(Object.fromEntries(Object.entries(variables).map(([name, array]) => [`${name}.npy`, writeNpy(array)])))
}

function manifest(json: unknown, data: Readonly<Record<string, Uint8Array>> = {}): ModelFiles {
  const bytes = new TextEncoder().encode(typeof json === 'string' ? json : JSON.stringify(json))
  return { ...onlyBytes(bytes), sibling: async (name) => data[name] ?? onlyBytes(bytes).sibling(name) }
}

/** A BasicLSTMCell of 2 units over 3 features. */
const CELL = { 'rnn/basic_lstm_cell/kernel': random(1, 5, 8), 'rnn/basic_lstm_cell/bias': random(2, 8) }

const read = (variables: Readonly<Record<string, NdArray>>): ReturnType<typeof readTensorflow1> => readTensorflow1(npz(variables))
const renamed = (name: (old: string) => string): Record<string, NdArray> => (
  Object.fromEntries(Object.entries(CELL).map(([old, array]) => [name(old), array]))
)

describe('readTensorflow1', () => {
  it('describes inputs and outputs as dynamic_rnn has them', async () => {
    const graph = await read(CELL)
    expect(graph.inputs).toEqual([
      { name: 'input', dtype: 'float32', shape: ['batch', 'timesteps', 3] },
      { name: 'c_0', dtype: 'float32', shape: ['batch', 2], optional: true },
      { name: 'h_0', dtype: 'float32', shape: ['batch', 2], optional: true },
    ])
    expect(graph.outputs.map(({ name }) => name)).toEqual(['output', 'c_0', 'h_0'])
    expect(graph.nodes.find(({ op }) => op === 'lstm')).toMatchObject({ name: 'rnn/basic_lstm_cell', attributes: { hiddenSize: 2, forgetBias: 1 } })
  })

  it.each([
    ['weights and biases', (name: string) => name.replace('kernel', 'weights').replace('bias', 'biases')],
    ['Linear/Matrix and Linear/Bias', (name: string) => `RNN/BasicLSTMCell/Linear/${name.endsWith('kernel') ? 'Matrix' : 'Bias'}`],
    ['a scope of their own', (name: string) => name.replace('rnn', 'encoder/decoder')],
    ['no scope', (name: string) => name.replace('rnn/', '')],
  ])('takes the names of other versions: %s', async (_, name) => {
    const [weights] = [(await read(CELL)).constants, (await read(renamed(name))).constants]
    expect([...(await read(renamed(name))).constants.values()]).toEqual([...weights.values()])
  })

  it('leaves out what only training needs', async () => {
    const graph = await read({
      ...CELL, 'rnn/basic_lstm_cell/kernel/Adam': random(3, 5, 8), 'rnn/basic_lstm_cell/kernel/Adam_1': random(3, 5, 8),
      'beta1_power': random(1), 'global_step': NdArray.from(7, 'int32'), 'Variable': random(1),
    })
    expect(graph).toEqual(await read(CELL))
  })

  it('knows that cuDNN has no forget bias', async () => {
    const graph = await read(renamed((name) => name.replace('basic_lstm', 'cudnn_compatible_lstm')))
    expect(graph.nodes.find(({ op }) => op === 'lstm')?.attributes.forgetBias).toBe(0)
  })

  it('gives both directions one by one and side by side', async () => {
    const graph = await read({ ...renamed((name) => name.replace('rnn', 'b/fw')), ...renamed((name) => name.replace('rnn', 'b/bw')) })
    using model = await compile(graph)
    const { output, output_fw: forward, output_bw: backward } = model.run({ input: random(5, 1, 2, 3) })
    expect(output?.shape).toEqual([1, 2, 4])
    expect([...output?.data.subarray(0, 4) ?? []]).toEqual([...forward?.data.subarray(0, 2) ?? [], ...backward?.data.subarray(0, 2) ?? []])
  })

  it.each([
    ['another matrix', { ...CELL, softmax_w: random(3, 2, 4), softmax_b: random(4, 4) }],
    ['cells side by side', { ...CELL, ...renamed((name) => name.replace('rnn', 'other')) }],
    ['a gap in a stack', renamed((name) => name.replace('rnn', 'rnn/multi_rnn_cell/cell_1'))],
    ['no cell', { w: random(1, 2, 2) }],
  ])('refuses %s, and says what to do', async (_, variables) => {
    const { message } = await expectRejection(read(variables), 'UNSUPPORTED', /^this file holds variables of TensorFlow 1/)
    for (const name of Object.keys(variables)) expect(message).toContain(`\n  ${name} float32 [`)
    expect(message).toMatch(/sequential\(\[\n|\n {2}python -m tf2onnx\.convert /)
  })

  it('shows lines that leave out what is of no layer, and says so', async () => {
    const lines = async (variables: Readonly<Record<string, NdArray>>): Promise<string[]> => {
      const { message } = await expectRejection(read({ ...CELL, softmax_w: random(3, 2, 4), ...variables }), 'UNSUPPORTED', /load the weights into them:/)
      return message.slice(message.indexOf('  const variables')).split('\n').slice(1, 5)
    }
    const described = ['  const tensors = tensorflow1StateDict(variables, {', "    lstm: { lstm: ['rnn/basic_lstm_cell'] },"]
    expect(await lines({ softmax_b: random(4, 4) })).toEqual([...described, "    dense: { dense: ['softmax_w', 'softmax_b'] },", '  })'])
    expect(await lines({ scale: random(4, 3), cube: random(5, 2, 3, 1) })).toEqual([
      "  // Of no layer, left out: 'scale', 'cube'. A model that uses them cannot be described like this.", ...described, "    dense: { dense: ['softmax_w'] },",
    ])
  })

  it.each([
    ['a kernel of too few rows', { 'lstm_cell/kernel': random(1, 2, 8), 'lstm_cell/bias': random(2, 8) }, "TensorFlow 1: the cell 'lstm_cell' has a kernel [2, 8], expected more rows than the 2 of h: those of x come first"],
    ['a kernel of odd columns', { 'lstm_cell/kernel': random(1, 5, 7), 'lstm_cell/bias': random(2, 7) }, /expected a multiple of 4 columns$/],
    ['no bias', { 'lstm_cell/kernel': random(1, 5, 8) }, /has a kernel \[5, 8\], but no bias$/],
    ['another bias', { 'lstm_cell/kernel': random(1, 5, 8), 'lstm_cell/bias': random(2, 6) }, /so its bias has \[8\]; got \[6\]$/],
    ['one peephole', { ...renamed((name) => name.replace('basic_', '')), 'rnn/lstm_cell/w_i_diag': random(3, 2) }, /some peepholes, but not all$/],
    ['two kernels', { ...CELL, 'rnn/basic_lstm_cell/weights': random(1, 5, 8) }, /has two variables for the same: 'rnn\/basic_lstm_cell\/weights' is one of them$/],
  ])('refuses cells with %s', async (_, variables, message) => {
    await expectRejection(read(variables), 'FORMAT', message)
  })

  it.each([
    [{ forgetBias: NaN }, 'VALUE', "TensorFlow 1: expected a number for 'forgetBias', got NaN"],
    [{ cellClip: -1 }, 'VALUE', "TensorFlow 1: expected a number >= 0 for 'cellClip', got -1"],
    [{ cells: [] }, 'VALUE', 'TensorFlow 1: expected options for 1 cells, got 0'],
    [{ activation: 'softmaxx' }, 'VALUE', /^TensorFlow 1: activation: no option 'softmaxx'.*; options are linear, sigmoid,/],
  ] as const)('refuses options %o', async (options, code, message) => {
    await expectRejection(readTensorflow1(npz(CELL), options), code, message)
  })
})

describe('tensorflow1StateDict', () => {
  it('gives layers the same numbers as the graph, the forget bias in the bias', async () => {
    const variables = await readTensorflow1Variables(npz(CELL))
    const tensors = tensorflow1StateDict(variables, { lstm: { lstm: ['rnn/basic_lstm_cell'] }, forgetBias: 0.5 })
    using layers = await compile(sequential([lstm(2, { returnSequences: true })]).loadStateDict(tensors))
    using graph = await compile(await readTensorflow1(npz(CELL), { forgetBias: 0.5 }))
    const input = new NdArray(pseudoRandom(9, 30, 1), [2, 5, 3])
    const [a, b] = [layers, graph].map((model) => model.run({ input }).output?.data as Float32Array)
    expect(Math.max(...(a as Float32Array).map((value, n) => Math.abs(value - (b?.[n] as number))))).toBeLessThan(1e-6)
  })

  it('refuses what has no name in a state dict, and names that are not there', async () => {
    const peepholes = await readTensorflow1Variables({ ...onlyBytes(await golden('cell-clip-peepholes.npz')) })
    expect(tensorflow1StateDict(peepholes, { lstm: { lstm: ['rnn/lstm_cell'] } }).get('lstm.peepholes_l0')?.shape).toEqual([15])
    const coupled = new Map([['rnn/coupled_input_forget_gate_lstm_cell/kernel', random(1, 5, 6)], ['rnn/coupled_input_forget_gate_lstm_cell/bias', random(2, 6)]])
    expectError(() => tensorflow1StateDict(coupled, { lstm: { lstm: ['rnn/coupled_input_forget_gate_lstm_cell'] } }), 'UNSUPPORTED', /^tensorflow1StateDict: the cell '[^']*' has coupled gates, for which a state dict has no names$/)
    expectError(() => tensorflow1StateDict(peepholes, { lstm: { lstm: ['x'] } }), 'VALUE', "tensorflow1StateDict: no cell 'x'; there are 'rnn/lstm_cell'")
    expectError(() => tensorflow1StateDict(peepholes, { dense: { d: ['x'] } }), 'VALUE', /^tensorflow1StateDict: no variable 'x'; there are 'rnn\/lstm_cell\/kernel', /)
    expectError(() => tensorflow1StateDict(peepholes, { dense: { d: ['rnn/lstm_cell/bias'] } }), 'VALUE', "tensorflow1StateDict: expected float32 with 2 axes for 'rnn/lstm_cell/bias', got float32 [20]")
  })
})

describe('files of variables', () => {
  it('refuses checkpoints whose data is not known, short or said to be elsewhere', async () => {
    const bytes = await golden('basic-5.index')
    const data = await golden('basic-5.data-00000-of-00001')
    await expectRejection(readTensorflow1(bytes), 'ENVIRONMENT', /found by the name of this one, which should end with .index; got none$/)
    await expectRejection(readTensorflow1({ ...onlyBytes(bytes), name: 'm.index' }), 'ENVIRONMENT', /"m.data-00000-of-00001"/)
    const beside = (content: Uint8Array): ModelFiles => ({ bytes, name: 'a/m.index', sibling: async () => content })
    expect((await readTensorflow1Variables(beside(data))).size).toBe(2)
    await expectRejection(readTensorflow1(beside(data.subarray(1))), 'FORMAT', /expected them inside the \d+ bytes of data$/)
  })

  it('refuses compressed tables', async () => {
    const bytes = Uint8Array.from(await golden('basic-5.index'))
    // The first block ends before the metaindex block, whose place the footer begins with.
    const [low, high] = bytes.subarray(bytes.length - 48) as unknown as [number, number]
    const trailer = (low < 0x80 ? low : (low & 0x7f) + high * 128) - 5
    expect(bytes[trailer]).toBe(0)
    bytes[trailer] = 1
    await expectRejection(readTensorflow1({ ...onlyBytes(bytes), name: 'm.index' }), 'UNSUPPORTED', /is compressed \(snappy\)/)
  })

  it.each([
    ['no JSON', 'x', /^TensorFlow 1: expected the .index file of a checkpoint, a .npz file or a manifest in JSON$/],
    ['a list', '[]', 'TensorFlow 1: expected the manifest to be an object, got Array'],
    ['a name twice', '{"a": {"filename": "f", "shape": []}, "a": {"filename": "f", "shape": []}}', "TensorFlow 1: the variable 'a' stands twice in the manifest"],
    ['no filename', { a: 5 }, "TensorFlow 1: expected a filename for the variable 'a', got undefined"],
    ['no shape', { a: { filename: 'f', shape: [-1] } }, "TensorFlow 1: expected a shape for the variable 'a', got Array"],
    ['another shape', { a: { filename: 'f', shape: [2 ** 40, 2 ** 40] } }, /^TensorFlow 1: expected 1.2089258196146292e\+24 elements for 'a' .* in "f", got 2$/],
    ['half elements', { a: { filename: 'g', shape: [] } }, 'TensorFlow 1: expected whole float32 elements in "g", got 3 bytes'],
  ])('refuses a manifest with %s', async (_, json, message) => {
    await expectRejection(readTensorflow1(manifest(json, { f: new Uint8Array(8), g: new Uint8Array(3) })), 'FORMAT', message)
  })

  it('reads every file of a manifest once', async () => {
    const variables = await readTensorflow1Variables(manifest(
      { a: { filename: 'f', shape: [2] }, __proto__: null, b: { filename: 'f', shape: [2, 1] } }, { f: new Uint8Array(8) },
    ))
    expect(variables.get('a')?.data).toBe(variables.get('b')?.data)
  })

  it('reads .npz files, and refuses others', () => {
    const arrays = { a: random(1, 2, 3), __proto__x: NdArray.from([1, 2], 'int32') }
    expect([...readNpz(npz(arrays))]).toEqual(Object.entries(arrays))
    expectError(() => readNpz(zipSync({ 'a.txt': new Uint8Array(1) })), 'FORMAT', 'npz: expected .npy files in the archive, got "a.txt"')
    expectError(() => readNpz(zipSync({ 'a.npy': new Uint8Array(1) })), 'FORMAT', /^npz: array "a": npy: expected a file that begins with/)
    expectError(() => readNpz(new Uint8Array(30)), 'FORMAT', 'npz: no end of central directory: the file is cut off, or no zip archive')
    const broken = npz(arrays)
    for (let n = 0; n + 4 < broken.length; n++) if (broken[n] === 0x50 && broken[n + 1] === 0x4b && broken[n + 2] === 1) broken.fill(0, n + 16, n + 20)
    expectError(() => readNpz(broken), 'FORMAT', /^npz: "a\.npy": expected the checksum 00000000, got [0-9a-f]{8}$/)
  })

  it('knows its files, and no others', () => {
    const zips = [{}, { 'x/data.pkl': new Uint8Array(1) }, { 'a.npy': writeNpy(random(1, 2)), 'data.pkl': new Uint8Array(1) }].map((files) => zipSync(files))
    for (const bytes of [new Uint8Array(0), new Uint8Array(60), new TextEncoder().encode('{"modelTopology": {}}'), ...zips]) {
      expect(tensorflow1.detect(bytes)).toBe(false)
    }
    expect(tensorflow1.detect(npz(CELL))).toBe(true)
  })
})
