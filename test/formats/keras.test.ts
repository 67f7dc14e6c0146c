import { readFileSync } from 'node:fs'
import { deflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { compile } from '../../src/index.ts'
import { addAllOperators } from '../../src/ops/all.ts'
import { parseModel } from '../../src/formats/keras/config.ts'
import { dialectOf, KERAS_2, KERAS_3, TFJS, type Dialect } from '../../src/formats/keras/dialect.ts'
import { keras, readKeras, readKerasWeights } from '../../src/formats/keras/index.ts'
import { buildModel } from '../../src/formats/keras/network.ts'
import type { Json } from '../../src/formats/json.ts'
import { snakeCase } from '../../src/formats/keras/placed-weights.ts'
import { NamedWeights } from '../../src/formats/keras/weights.ts'
import { readModelFile } from '../../src/formats/model-file.ts'
import { onlyBytes, type KerasDialect } from '../../src/formats/reader.ts'
import { saveGraph } from '../../src/formats/safetensors/save.ts'
import { fixInputs } from '../../src/graph/fix-inputs.ts'
import { graphFromJson } from '../../src/graph/from-json.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { formatSummary, summarise } from '../../src/graph/summary.ts'
import { withoutBatch } from '../../src/graph/unbatched.ts'
import { hashGraph } from '../../src/streams/content-hash.ts'
import { NdArray, type ArrayLike } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { writeStored, type Lies } from '../fuzz/stored-zip.ts'
import { random } from '../weights.ts'

addAllOperators()

const golden = (name: string): Uint8Array => readFileSync(new URL(`../golden/${name}`, import.meta.url))
const weights = golden('keras3/lstm-3-sequences.weights.h5')
const config = golden('keras3/lstm-3-sequences.json')

const layer = (className: string, name: string, settings: Readonly<Record<string, Json>> = {}): Json => ({
  class_name: className, config: { name, trainable: true, ...settings },
})
const lstm = layer('LSTM', 'lstm', { units: 2 })
const input = (...shape: (number | null)[]): Json => layer('InputLayer', 'x', { batch_input_shape: [null, ...shape] })

function build(layers: readonly Json[], dialect: Dialect = KERAS_2): Graph {
  const tensors = [['kernel', 3, 8], ['recurrent_kernel', 2, 8], ['bias', 8]] as const
  const named = tensors.map(([name, ...shape], seed) => ({ segments: ['lstm', name], read: () => random(seed, ...shape) }))
  return buildModel(parseModel({ class_name: 'Sequential', config: { name: 'model', layers } }), new NamedWeights(named), { dialect, note: 'a test' })
}

const lstmOf = (graph: Graph): Graph['nodes'][number] => graph.nodes.find(({ op }) => op === 'lstm') as Graph['nodes'][number]

describe('a model', () => {
  it('has inputs and outputs by the names of its layers, with batch and timesteps where sizes are open', () => {
    const { inputs, outputs } = build([input(null, 3), lstm])
    expect(inputs).toEqual([{ name: 'x', dtype: 'float32', shape: ['batch', 'timesteps', 3] }])
    expect(outputs.map(({ name }) => name)).toEqual(['lstm'])
  })

  it('takes the shape of its input from the first layer where there is no InputLayer', () => {
    const first = layer('LSTM', 'lstm', { units: 2, batch_input_shape: [4, 7, 3] })
    expect(build([first]).inputs).toEqual([{ name: 'lstm_input', dtype: 'float32', shape: ['batch', 7, 3] }])
    expectError(() => build([lstm]), 'FORMAT', "Keras: layer 'lstm' (LSTM): its shape is not in the file: give the model an Input layer")
  })

  it.each([
    ['Keras 2', KERAS_2, 'sigmoid', 'hold', 0.2], ['Keras 3', KERAS_3, 'sigmoid', 'hold', 1 / 6], ['TensorFlow.js', TFJS, 'hardSigmoid', 'multiply', 0.2],
  ] as const)('of %s has its defaults and its hard sigmoid', (_name, dialect, gates, maskRule, alpha) => {
    expect(lstmOf(build([input(5, 3), lstm], dialect)).attributes).toMatchObject({ activations: [gates, 'tanh', 'tanh'], maskRule })
    const hard = layer('LSTM', 'lstm', { units: 2, recurrent_activation: 'hard_sigmoid' })
    const { activations, activationAlpha } = lstmOf(build([input(5, 3), hard], dialect)).attributes
    expect(activations).toEqual(['hardSigmoid', 'tanh', 'tanh'])
    expect((activationAlpha as number[])[0]).toBe(alpha)
  })

  it('may have keys in camelCase, as TensorFlow.js writes them', () => {
    const node = lstmOf(build([input(5, 3), layer('LSTM', 'lstm', { units: 2, returnSequences: true, goBackwards: true, recurrentActivation: 'hardSigmoid' })]))
    expect(node.attributes).toMatchObject({ returnSequences: true, reversedOutput: true, direction: 'reverse', activations: ['hardSigmoid', 'tanh', 'tanh'] })
  })
})

describe('the dialect', () => {
  it.each([
    ['1.2.2', 'Keras 2', 'hard_sigmoid'], ['2.1.6-tf', 'Keras 2', 'hard_sigmoid'], ['2.2.4', 'Keras 2', 'hard_sigmoid'], ['2.2.4-tf', 'Keras 2', 'sigmoid'],
    ['2.3.0', 'Keras 2', 'sigmoid'], ['2.15.0', 'Keras 2', 'sigmoid'], ['3.0.5', 'Keras 3.0', 'sigmoid'], ['3.3.3', 'Keras 3.0', 'sigmoid'],
    ['3.4.0', 'Keras 3.4', 'sigmoid'], ['3.10.0', 'Keras 3.4', 'sigmoid'], ['3.11.0', 'Keras 3', 'sigmoid'], ['3.15.1', 'Keras 3', 'sigmoid'], ['4.0', 'Keras 3', 'sigmoid'],
  ])('of version %s is %s, whose LSTMs have %s unless told otherwise', (version, name, gates) => {
    expect(dialectOf(version)).toMatchObject({ name, recurrentActivation: gates })
  })

  const notes = (file: string, dialect?: KerasDialect): readonly string[] | undefined => readKeras(golden(file), dialect && { dialect }).notes

  it('is that of the file, unless the option says another one; a note says so', () => {
    expect(notes('keras3/lstm-3-sequences.keras')).toEqual(['dialect keras3, the numbers of Keras 3: the file is of Keras 3.15.1'])
    expect(notes('keras2/lstm-1.h5')).toEqual(['dialect keras2, the numbers of Keras 2: the file is of Keras 2.15.0'])
    const hard = (dialect?: KerasDialect): unknown => lstmOf(readKeras(golden('keras2/hard-sigmoid.h5'), dialect && { dialect })).attributes.activationAlpha
    expect(hard()).toEqual([0.2, 0, 0])
    expect(hard('keras3')).toEqual([1 / 6, 0, 0])
    expect(notes('keras2/hard-sigmoid.h5', 'tfjs')).toEqual(['dialect tfjs, the numbers of TensorFlow.js: as the option says; the file is of Keras 2.15.0'])
    expectError(() => notes('keras2/lstm-1.h5', 'keras' as KerasDialect), 'VALUE', "Keras: expected 'keras2' or 'keras3.0' or 'keras3.4' or 'keras3' or 'tfjs' for 'dialect', got \"keras\"")
  })

  it('stays in the note of a saved model, and in its summary, and changes no hash', async () => {
    const graph = readKeras(golden('keras2/lstm-1.h5'))
    const saved = await readModelFile(onlyBytes(saveGraph(graph)))
    expect(saved.notes).toEqual(graph.notes)
    expect(formatSummary(summarise(saved))).toContain('\nnote    dialect keras2, the numbers of Keras 2: the file is of Keras 2.15.0\n')
    expect(hashGraph(saved)).toEqual(hashGraph({ ...saved, notes: [] }))
    expect(fixInputs(graph, { x: new NdArray(new Float32Array(12), [1, 4, 3]) }, 'Keras').notes).toEqual(graph.notes)
    expect(withoutBatch(graph).notes).toEqual(graph.notes)
    expectError(() => graphFromJson('{"version":1,"inputs":[],"outputs":[],"nodes":[],"notes":[1]}', new Map()), 'FORMAT', 'graph: expected a string at notes[0], got 1')
  })
})

describe('what a layer is called with', () => {
  const called = (kwargs: Json, name: string, settings: Readonly<Record<string, Json>> = {}): Json => ({
    class_name: 'Functional',
    config: {
      name: 'm', input_layers: ['x', 0, 0], output_layers: ['y', 0, 0],
      layers: [{ ...input(5, 3) as Record<string, Json>, inbound_nodes: [] }, { ...layer(name, 'y', settings) as Record<string, Json>, inbound_nodes: [[['x', 0, 0, kwargs]]] }],
    },
  })
  const read = (json: Json): Graph => buildModel(parseModel(json), new NamedWeights([]), { dialect: KERAS_2, note: 'a test' })

  it.each([
    ['Dropout', { training: true }, 'called as in training'], ['GlobalAveragePooling1D', { mask: [['x', 0, 0], ['x', 0, 0]] }, 'called with mask'],
    ['Flatten', { order: 'F' }, 'called with order'],
  ] as const)('%s: %j is refused, not left out', (name, kwargs, message) => {
    expectError(() => read(called(kwargs, name)), 'UNSUPPORTED', `Keras: not supported: layer 'y' (${name}): ${message}`)
    expect(read(called({ training: false, mask: null }, name)).outputs).toHaveLength(1)
  })

  it('a mask, by layers that are no LSTMs too', () => {
    const json = called({ mask: ['m', 0, 0] }, 'GlobalAveragePooling1D') as { config: { layers: Json[], input_layers: Json } }
    json.config.layers.push({ class_name: 'InputLayer', config: { name: 'm', batch_input_shape: [null, 5], dtype: 'bool' }, inbound_nodes: [] })
    json.config.input_layers = [['x', 0, 0], ['m', 0, 0]]
    expect(read(json as unknown as Json).nodes.map(({ op }) => op)).toContain('div')
  })
})

describe('what is said of a model', () => {
  it('a batch that the file fixes binds where states are kept', () => {
    const first = layer('LSTM', 'lstm', { units: 2, batch_input_shape: [4, 7, 3], stateful: true })
    expect(build([first]).inputs[0]?.shape).toEqual([4, 7, 3])
    const both = layer('Bidirectional', 'both', { layer: first, batch_input_shape: [4, 7, 3] })
    expectError(() => build([both]), 'FORMAT', /no weights for its kernel/)
  })

  it('a stateful model takes another batch as an option, and has states for it', async () => {
    const bytes = golden('keras3/stateful.keras')
    const [three, two] = [readKeras(bytes), readKeras(bytes, { batch: 1 })]
    const [fixed] = three.inputs[0]?.shape as [number]
    expect(fixed).toBeGreaterThan(1)
    expect(two.inputs[0]?.shape).toEqual([1, ...three.inputs[0]?.shape.slice(1) ?? []])
    expect(three.notes?.at(-1)).toBe(`the batch of 'x' is ${fixed}, as the file says; layers keep states for it`)
    expect(two.notes?.at(-1)).toBe("the batch of 'x' is 1, as the option batch says; layers keep states for it")
    // Each row by itself is what it is among the others, from call to call.
    const shape = three.inputs[0]?.shape.map((size) => (typeof size === 'number' ? size : 4)) as number[]
    const calls = [random(5, ...shape), random(6, ...shape)]
    using whole = await compile(three)
    const expected = calls.map((x) => whole.run({ x }))
    const rowOf = ({ data, shape: [rows = 0, ...sizes] }: NdArray, row: number): NdArray => {
      const length = data.length / rows
      return new NdArray(Float32Array.from(data.slice(row * length, (row + 1) * length)), [1, ...sizes])
    }
    for (let row = 0; row < fixed; row++) {
      using alone = await compile(two)
      calls.forEach((x, n) => {
        const results = alone.run({ x: rowOf(x, row) })
        for (const [name, values] of Object.entries(expected[n] ?? {})) expect(results[name]).toEqual(rowOf(values, row))
      })
    }
  })

  it('a batch asked of a model that keeps no states is refused', () => {
    expectError(() => readKeras(golden('keras3/initial-state.h5'), { batch: 2 }), 'VALUE', "Keras 3: 'batch' is for models with stateful layers, and this one has none: each run takes the batch that it is given")
    expectError(() => readKeras(golden('keras3/stateful.keras'), { batch: 0 }), 'VALUE', /expected a whole number >= 1 for 'batch', got 0/)
  })

  it('half precision is a note, quantised weights are refused by name', () => {
    const half = layer('LSTM', 'lstm', { units: 2, dtype: { class_name: 'DTypePolicy', config: { name: 'mixed_float16' } } })
    expect(build([input(5, 3), half]).notes).toEqual(['a test', "float32 is computed, where the file says mixed_float16: 'lstm'"])
    expect(build([input(5, 3), layer('LSTM', 'lstm', { units: 2, dtype: 'float32' })]).notes).toEqual(['a test'])
    for (const [mode, type, name] of [['float8', 'Dense', 'float8_from_float32'], ['int8', 'Reshape', 'int8_from_float32'], ['gptq/4/128', 'Dense', 'gptq/4/128_from_float32']] as const) {
      const dtype = { class_name: 'QuantizedDTypePolicy', config: { mode, source_name: 'float32' } }
      const message = new RegExp(`layer 'd' \\(${type}\\): quantised weights \\(dtype policy ${name}\\)`)
      expectError(() => build([input(5, 3), layer(type, 'd', { units: 2, dtype })]), 'UNSUPPORTED', message)
    }
  })

  it('layers that no output needs are named', () => {
    const node = (json: Json, from: string): Json => ({ ...json as Record<string, Json>, inbound_nodes: [[[from, 0, 0]]] })
    const json: Json = {
      class_name: 'Functional',
      config: {
        name: 'm', input_layers: ['x', 0, 0], output_layers: ['y', 0, 0],
        layers: [{ ...input(5, 3) as Record<string, Json>, inbound_nodes: [] }, node(layer('Dropout', 'y'), 'x'), ...Array.from({ length: 7 }, (_, n) => node(layer('Dense', `d${n}`, { units: 1 }), 'x'))],
      },
    }
    const graph = buildModel(parseModel(json), new NamedWeights([]), { dialect: KERAS_2, note: 'a test' })
    expect(graph.notes).toEqual(['a test', "no output of 'm' needs 'd0', 'd1', 'd2', 'd3', 'd4' and 2 more"])
  })

  it('arguments that a function does not take are refused, not left out', () => {
    const call = (fn: string, kwargs: Json): Json => ({
      class_name: 'Functional',
      config: {
        name: 'm', input_layers: ['x', 0, 0], output_layers: ['f', 0, 0],
        layers: [{ ...input(5, 3) as Record<string, Json>, inbound_nodes: [] }, { ...layer('TFOpLambda', 'f', { function: fn }) as Record<string, Json>, inbound_nodes: [['x', 0, 0, kwargs]] }],
      },
    })
    const read = (json: Json): Graph => buildModel(parseModel(json), new NamedWeights([]), { dialect: KERAS_2, note: 'a test' })
    expectError(() => read(call('nn.relu', { alpha: 0.1 })), 'UNSUPPORTED', "Keras: not supported: layer 'f' (TFOpLambda): its argument alpha")
    expect(read(call('nn.relu', { name: null })).nodes).toHaveLength(1)
    expectError(() => read(call('__operators__.getitem', { slice_spec: [null] })), 'UNSUPPORTED', "Keras: not supported: layer 'f' (TFOpLambda): the key null")
  })

  it('names that were written on Windows have backslashes', () => {
    const [plain, windows] = ['k3_linux', 'k3_windows'].map((name) => readKeras(golden(`keras-files/${name}.keras`))) as [Graph, Graph]
    expect([...windows.constants.values()]).toEqual([...plain.constants.values()])
    expect(readKerasWeights(golden('keras-files/k3_windows.keras'))).toEqual(readKerasWeights(golden('keras-files/k3_linux.keras')))
  })
})

describe('what cannot be run', () => {
  it('is listed all at once, with the names of the layers, in models inside the model and in wrappers too', () => {
    const inner: Json = { class_name: 'Sequential', config: { name: 'inner', layers: [input(5, 3), layer('ConvLSTM1D', 'inside', { filters: 3 })] } }
    const error = expectError(() => build([
      input(5, 3), layer('Lambda', 'scale'), layer('Bidirectional', 'both', { layer: layer('ConvLSTM1D', 'wrapped', { filters: 2 }) }),
      layer('TimeDistributed', 'each', { layer: layer('Conv3D', 'conv') }), inner, layer('Dense', 'dense', { units: 2, activation: 'snake' }),
      layer('Conv1D', 'conv1d', { filters: 2, kernel_size: 3, data_format: 'sideways' }), { ...layer('MyLayer', 'mine') as object, registered_name: 'Custom>MyLayer' },
      layer('RNN', 'cells', { cell: layer('PeepholeLSTMCell', 'cell', { units: 2 }) }), lstm,
    ]), 'UNSUPPORTED', /^Keras 2: layers that are not supported: /)
    for (const part of [
      "layer 'scale' (Lambda): Python code, which is not in the file or not run here", "layer 'both' (Bidirectional): around a layer of class ConvLSTM1D", "layer 'conv' (Conv3D)", "layer 'inside' (ConvLSTM1D)",
      'layer \'dense\' (Dense): activation: activation "snake"', 'layer \'conv1d\' (Conv1D): data_format "sideways"', "layer 'mine' (MyLayer): Python code",
      "layer 'cells' (RNN): cells of class PeepholeLSTMCell",
    ]) expect(error.message).toContain(part)
    expect(error.message).not.toContain("'lstm'")
  })

  it('is a model whose code is not in the file', () => {
    expectError(
      () => parseModel({ class_name: 'Captioner', config: {} }), 'UNSUPPORTED',
      'Keras: the model is a Captioner, whose Python code is not in the file; supported are Sequential and Functional models',
    )
  })

  it('is a file with weights only: the message says what there is and what to do', () => {
    expectError(() => readKeras(weights), 'UNSUPPORTED', /^this file holds weights, but not how they are connected[^]* {2}lstm\.weight_ih_l0 float32 \[12, 3\][^]*readKerasWeights/)
  })
})

describe('a file of Keras 1', () => {
  const text = Buffer.from(golden('keras2/lstm-3-sequences.h5')).toString('latin1')
  const patched = (from: string, to: string): Uint8Array => Buffer.from(text.replaceAll(from, to), 'latin1')

  it('is named, with the way to a file that is read', () => {
    const words = 'which describes layers otherwise. Save it again with Keras 2.0 to 2.2, in Python: keras.models.load_model(\'old.h5\').save(\'new.h5\')'
    expectError(() => readKeras(patched('2.15.0', '1.02.2')), 'UNSUPPORTED', `Keras: this is a file of Keras 1 (1.02.2), ${words}`)
    // The oldest files tell no version: their arguments have other names.
    expect(text).toContain('"kernel_regularizer"')
    expectError(() => readKeras(patched('"kernel_regularizer"', '"W_regularizer"     ')), 'UNSUPPORTED', /^Keras: this is a file of Keras 1 \(2\.15\.0\), which/)
  })
})

describe('weights only', () => {
  it('of Keras before 2.3 come with a word about the gates of its LSTMs, later ones do not', () => {
    const patched = (version: string): Uint8Array => {
      const text = Buffer.from(golden('keras2/lstm-3-sequences.h5')).toString('latin1')
      return Buffer.from(text.replaceAll('model_config', 'model_nothin').replaceAll('2.15.0', version), 'latin1')
    }
    expectError(() => readKeras(patched('2.02.4')), 'UNSUPPORTED', /The file is of Keras 2\.02\.4, whose LSTMs and GRUs have the recurrentActivation \{ name: 'hardSigmoid', keras: 2 \}/)
    expect(expectError(() => readKeras(patched('2.15.0')), 'UNSUPPORTED', /^this file holds weights/).message).not.toContain('hardSigmoid')
  })

  it('go by PyTorch\'s names and in its layout, the second bias zero', () => {
    const tensors = readKerasWeights(weights)
    expect([...tensors].map(([name, { shape }]) => [name, shape])).toEqual([
      ['lstm.weight_ih_l0', [12, 3]], ['lstm.weight_hh_l0', [12, 3]], ['lstm.bias_ih_l0', [12]], ['lstm.bias_hh_l0', [12]],
    ])
    expect(tensors.get('lstm.bias_hh_l0')).toEqual(new NdArray(new Float32Array(12), [12]))
  })

  it('that are listed, but not there, are missed', () => {
    const text = Buffer.from(golden('keras2/lstm-3-sequences.h5')).toString('latin1')
    const listed = [...text.matchAll(/[\w/]+\/recurrent_kernel:0/g)]
    expect(listed).toHaveLength(1)
    const [{ 0: name, index }] = listed as [RegExpExecArray]
    const other = name.replace('recurrent', 'recurring')
    expectError(
      () => readKerasWeights(Buffer.from(text.slice(0, index) + other + text.slice(index + name.length), 'latin1')), 'FORMAT',
      new RegExp(`^Keras: the file has no tensor '${other}' in '[^']*', though it lists it$`),
    )
  })

  it('of both directions are one bidirectional LSTM', () => {
    expect([...readKerasWeights(golden('keras3/bidirectional-mul-sequences.weights.h5')).keys()].sort()).toEqual(
      ['', '_reverse'].flatMap((direction) => ['bias_hh', 'bias_ih', 'weight_hh', 'weight_ih'].map((name) => `bidirectional.${name}_l0${direction}`)).sort(),
    )
  })

  it('of stacked cells are layers, of dense layers [units, in]', () => {
    const shapes = [...readKerasWeights(golden('keras3/stacked-cells.h5'))].map(([name, { shape }]) => `${name} ${shape.join('x')}`)
    expect(shapes).toContain('rnn.weight_hh_l0 20x5')
    expect(shapes).toContain('rnn.weight_ih_l1 12x5')
    expect(readKerasWeights(golden('keras3/dense-last.keras')).get('dense.weight')?.shape).toEqual([1, 8])
  })
})

it('snakeCase is Keras\'s rule', () => {
  expect(['LSTMCell', 'Conv1D', 'MaxPooling1D', 'TFOpLambda', 'PReLU', 'InputLayer', 'LSTM'].map(snakeCase)).toEqual(
    ['lstm_cell', 'conv1d', 'max_pooling1d', 'tf_op_lambda', 'p_re_lu', 'input_layer', 'lstm'],
  )
})

describe('a .keras archive', () => {
  const files = new Map([['config.json', config], ['model.weights.h5', weights]])
  const lying = (lies: Lies): Uint8Array => writeStored(files, lies)

  it('is told from other zips, and read', () => {
    expect(keras.detect(lying({}))).toBe(true)
    expect(keras.detect(writeStored(new Map([['data.pkl', config]])))).toBe(false)
    expect(keras.detect(Uint8Array.of(0x50, 0x4b, 3, 4))).toBe(false)
    expect(readKeras(lying({})).outputs).toHaveLength(1)
  })

  it('is refused when it is encrypted, compressed otherwise, or says what is not so', () => {
    expectError(() => readKeras(lying({ flags: 1 })), 'UNSUPPORTED', 'Keras: "config.json" is encrypted')
    expectError(() => readKeras(lying({ method: 12 })), 'UNSUPPORTED', /^Keras: "config\.json" is compressed by method 12; /)
    expectError(() => readKeras(lying({ crc: 5 })), 'FORMAT', /^Keras: "config\.json": expected the checksum 00000005, got /)
    expectError(() => readKeras(lying({ size: 5 })), 'FORMAT', /^Keras: "config\.json": expected 5 bytes, got \d+$/)
    expectError(() => readKeras(lying({ compressedSize: 2 ** 31 })), 'FORMAT', /^Keras: "config\.json": expected 2147483648 bytes at \d+, got a file of /)
    expectError(() => readKeras(lying({ size: 0xffffffff })), 'UNSUPPORTED', 'Keras: "config.json": zip64 archives are not supported')
    expectError(() => readKeras(writeStored(new Map([['config.json', config]]))), 'FORMAT', 'Keras: expected "model.weights.h5" in the archive')
    expectError(() => readKeras(writeStored(new Map([['metadata.json', config]]))), 'FORMAT', 'Keras: expected "config.json" in the archive')
  })

  it('that is a bomb is refused soon, whatever it says', () => {
    const bomb = deflateRawSync(new Uint8Array(200_000_000))
    const archive = (size: number): Uint8Array => writeStored(new Map([['config.json', bomb]]), { method: 8, size })
    expectError(() => readKeras(archive(200_000_000)), 'FORMAT', /^Keras: "config\.json": a file of \d+ bytes that unpacks to more than \d+ is not read$/)
    expectError(() => readKeras(archive(1000)), 'FORMAT', 'Keras: "config.json": expected 1000 bytes when inflated, got more')
    expectError(() => readKeras(writeStored(new Map([['config.json', deflateRawSync(config).subarray(0, -9)]]), { method: 8, size: config.length })), 'FORMAT', /^Keras: "config\.json": /)
  })

  it('may call layers anything', () => {
    const name = '__proto__'
    const named = (className: string, settings: string, is = name): string => `{"class_name":"${className}","config":{"name":"${is}",${settings}}}`
    const layers = `${named('InputLayer', '"batch_shape":[null,4,3]', 'constructor')},${named('LSTM', '"units":3')}`
    const text = `{"class_name":"Sequential","config":{"name":"m","layers":[${layers}]}}`
    const graph = readKeras(writeStored(new Map([['config.json', new TextEncoder().encode(text)], ['model.weights.h5', weights]])))
    expect(graph.inputs.map((given) => given.name)).toEqual(['constructor'])
    expect(graph.outputs.map((output) => output.name)).toEqual([name])
  })
})

describe('weights of cuDNN', () => {
  const config3 = (className: string, ...before: Json[]): Json => ({
    class_name: 'Sequential', config: { name: 'm', layers: [input(5, 3), ...before, layer(className, 'lstm', { units: 2 })] },
  })
  const tensors = { kernel: random(1, 3, 8), recurrent_kernel: random(2, 2, 8), bias: random(3, 16) }
  const cudnn = (json: Json, dialect: Dialect = KERAS_2): Graph => (
    buildModel(parseModel(json), new NamedWeights(Object.entries(tensors).map(([name, tensor]) => ({ segments: ['lstm', name], read: () => tensor }))), { dialect, note: 'a test' })
  )

  it('are told by two biases; kernels are turned gate by gate', () => {
    for (const className of ['LSTM', 'CuDNNLSTM']) {
      const { parameters } = lstmOf(cudnn(config3(className)))
      const { constants } = cudnn(config3(className))
      const constantOf = (weight: string): ArrayLike => constants.get(parameters[`0.forward.${weight}`] as string) as ArrayLike
      const { kernel, recurrent_kernel: recurrent, bias } = tensors
      expect(constantOf('inputWeights').shape).toEqual([8, 3])
      // Gate 1 of the kernel, columns 2 and 3, row by row.
      expect([...constantOf('inputWeights').data.subarray(6, 12)]).toEqual([2, 3, 10, 11, 18, 19].map((at) => kernel.data[at]))
      expect([...constantOf('recurrentWeights').data.subarray(12, 16)]).toEqual([6, 7, 14, 15].map((at) => recurrent.data[at]))
      expect(['inputBias', 'recurrentBias'].map((weight) => constantOf(weight).data)).toEqual([bias.data.subarray(0, 8), bias.data.subarray(8)])
    }
  })

  it('have sigmoid gates where Keras before 2.3 has hard ones, and no mask', () => {
    expect(lstmOf(cudnn(config3('CuDNNLSTM'), dialectOf('2.2.4'))).attributes).toMatchObject({ activations: ['sigmoid', 'tanh', 'tanh'] })
    expect(lstmOf(cudnn(config3('LSTM'), dialectOf('2.2.4'))).attributes).toMatchObject({ activations: ['hardSigmoid', 'tanh', 'tanh'] })
    expectError(() => cudnn(config3('CuDNNLSTM', layer('Masking', 'mask'))), 'UNSUPPORTED', "Keras: not supported: layer 'lstm' (CuDNNLSTM): a mask")
  })

  it('may be in both directions', () => {
    const both = ['forward_lstm', 'backward_lstm'].flatMap((owner) => Object.entries(tensors).map(([name, tensor]) => ({ segments: ['b', owner, name], read: () => tensor })))
    const inner = layer('CuDNNLSTM', 'lstm', { units: 2, return_sequences: true })
    const json = (...before: Json[]): ReturnType<typeof parseModel> => (
      parseModel({ class_name: 'Sequential', config: { name: 'm', layers: [input(5, 3), ...before, layer('Bidirectional', 'b', { layer: inner })] } })
    )
    expect(lstmOf(buildModel(json(), new NamedWeights(both), { dialect: KERAS_2, note: 'a test' })).attributes).toMatchObject({ direction: 'bidirectional' })
    expectError(() => buildModel(json(layer('Masking', 'mask')), new NamedWeights(both), { dialect: KERAS_2, note: 'a test' }), 'UNSUPPORTED', "Keras: not supported: layer 'lstm' (CuDNNLSTM): a mask")
  })

  it('are PyTorch\'s in a state dict, with both biases', () => {
    const stateDict = readKerasWeights(golden('keras-files/k2_cudnn_class.h5'))
    const graph = readKeras(golden('keras-files/k2_cudnn_class.h5'))
    expect([...stateDict].filter(([name]) => name.startsWith('lstm')).map(([name, { shape }]) => [name, shape])).toEqual([
      ['lstm.weight_ih_l0', [16, 3]], ['lstm.weight_hh_l0', [16, 4]], ['lstm.bias_ih_l0', [16]], ['lstm.bias_hh_l0', [16]],
    ])
    for (const [name, weight] of [['weight_hh', 'recurrentWeights'], ['bias_ih', 'inputBias'], ['bias_hh', 'recurrentBias']]) {
      expect(stateDict.get(`lstm.${name}_l0`)?.data).toEqual(graph.constants.get(lstmOf(graph).parameters[`0.forward.${weight}`] as string)?.data)
    }
    expect(stateDict.get('lstm.bias_hh_l0')?.data.some((value) => value !== 0)).toBe(true)
  })
})

describe('a tensor that no layer reads is refused by name', () => {
  const sequential = (...layers: Json[]): string => JSON.stringify({ class_name: 'Sequential', config: { name: 'm', layers } })
  const lstmOf3 = (settings: Readonly<Record<string, Json>> = {}): Json => layer('LSTM', 'lstm', { units: 3, ...settings })
  const unread = 'the description of the layers is not that of these weights'

  it('by its place in files of Keras 3', () => {
    expectError(() => readKeras(weights, { architecture: sequential(input(4, 3), lstmOf3({ use_bias: false })) }), 'FORMAT', `Keras: no layer reads 'layers/lstm/cell/vars/2', which is a tensor of the file: ${unread}`)
    expectError(
      () => readKeras(weights, { architecture: sequential(input(4, 3), layer('Dropout', 'lstm')) }), 'FORMAT',
      `Keras: no layer reads ${[0, 1, 2].map((index) => `'layers/lstm/cell/vars/${index}'`).join(', ')}, which are tensors of the file: ${unread}`,
    )
    expectError(() => readKeras(golden('keras-files/k3_windows.keras'), { architecture: sequential(input(5, 3)) }), 'FORMAT', /no layer reads 'layers\/[^\\]*\/vars\/0'/)
    expectError(
      () => readKeras(golden('keras3/bidirectional-mul-sequences.weights.h5'), { architecture: sequential(input(5, 3)) }), 'FORMAT',
      /no layer reads '[^']*', '[^']*', '[^']*', '[^']*', '[^']*' and 1 more, which are tensors of the file/,
    )
  })

  it('by its name in files of Keras 2', () => {
    const whole = golden('keras2/lstm-3-sequences.h5')
    expectError(() => readKeras(whole, { architecture: sequential(input(4, 3), lstmOf3({ use_bias: false })) }), 'FORMAT', /^Keras: no layer reads '[^']*\/bias', which is a tensor/)
    expectError(() => readKeras(whole, { architecture: sequential(input(4, 3)) }), 'FORMAT', /^Keras: no layer reads '[^']*\/kernel', '[^']*\/recurrent_kernel', '[^']*\/bias', which are tensors/)
  })

  it('but not those of layers that no output needs, by place or by name', () => {
    const calls = (json: Json, ...from: string[]): Json => ({ ...json as Record<string, Json>, inbound_nodes: from.map((name) => [[name, 0, 0]]) })
    const functional = (...layers: Json[]): string => JSON.stringify({
      class_name: 'Functional', config: { name: 'm', layers: [calls(input(4, 3)), ...layers], input_layers: ['x', 0, 0], output_layers: ['out', 0, 0] },
    })
    const architecture = functional(calls(lstmOf3(), 'x'), calls(layer('Dropout', 'out'), 'x'))
    for (const file of ['keras3/lstm-3-sequences.weights.h5', 'keras2/lstm-3-sequences.h5']) {
      expect(readKeras(golden(file), { architecture }).notes).toContain("no output of 'm' needs 'lstm'")
    }
    const windows = functional(calls(layer('LSTM', 'lstm_a', { units: 3 }), 'x'), calls(layer('Dense', 'd', { units: 1 }), 'x'), calls(layer('Dropout', 'out'), 'x'))
    expect(readKeras(golden('keras-files/k3_windows.keras'), { architecture: windows }).nodes).toEqual([])
  })

  it('but not what training alone needs', () => {
    const named = (...names: string[]): NamedWeights => new NamedWeights(names.map((name, seed) => ({ segments: name.split('/'), read: () => random(seed, 3) })))
    const normal = parseModel({ class_name: 'Sequential', config: { name: 'm', layers: [input(3), layer('BatchNormalization', 'n')] } })
    const own = ['gamma', 'beta', 'moving_mean', 'moving_variance']
    const read = (...more: string[]): Graph => buildModel(normal, named(...[...own, ...more].map((name) => `n/${name}`)), { dialect: KERAS_2, note: 'a test' })
    expect(read('renorm_mean', 'renorm_stddev', 'seed_generator/seed_generator_state').outputs).toHaveLength(1)
    expectError(() => read('renorm_mean', 'moving_skew'), 'FORMAT', `Keras: no layer reads 'n/moving_skew', which is a tensor of the file: ${unread}`)
  })
})

describe('a description that does not hold together is refused', () => {
  const functional = (layers: readonly Json[], outputs: Json = ['lstm', 0, 0]): Json => ({
    class_name: 'Functional', config: { name: 'm', layers, input_layers: ['x', 0, 0], output_layers: outputs },
  })
  const node = (json: Json, ...inbound: Json[]): Json => ({ ...json as Record<string, Json>, inbound_nodes: inbound })
  const x = node(input(5, 3))
  const read = (json: Json): Graph => buildModel(parseModel(json), new NamedWeights([]), { dialect: KERAS_2, note: 'a test' })

  it.each<[string, Json, RegExp]>([
    ['layers in a circle', functional([x, node(layer('Dropout', 'lstm'), [['b', 0, 0]]), node(layer('Dropout', 'b'), [['lstm', 0, 0]])]), /depends on its own output$/],
    ['an output of no layer', functional([x], ['gone', 0, 0]), /no layer 'gone'$/],
    ['an input of no layer', functional([x, node(layer('Dropout', 'lstm'), [['gone', 0, 0]])]), /there is no output 0 of call 0 of the layer 'gone'$/],
    ['an output that a layer has not', functional([x, node(layer('Dropout', 'lstm'), [['x', 0, 3]])]), /there is no output 3 of call 0 of the layer 'x'$/],
    ['two layers of one name', functional([x, x]), /two layers are named 'x'$/],
    ['no weights', functional([x, node(lstm, [['x', 0, 0]])]), /layer 'lstm' \(LSTM\): the file has no weights for its kernel, recurrent_kernel, bias$/],
    ['no layers', { class_name: 'Sequential', config: {} }, /expected a list of layers, got undefined$/],
    ['no class of a model', [], /expected a model with a class_name, got Array$/],
    ['no class of a layer', functional([{ name: 'x' }]), /expected a layer with a class_name, got /],
    ['a layer whose name is empty', functional([{ class_name: 'Dropout', name: '', config: {} }]), /expected a name, got ""$/],
    ['a layer whose name is a number', functional([{ class_name: 'Dropout', name: 3, config: {} }]), /expected a name, got 3$/],
    ['outputs that name nothing', functional([x], 5), /expected names of layers, got 5$/],
    ['calls that are no list', functional([{ ...x as Record<string, Json>, inbound_nodes: 5 }]), /expected a list of inbound_nodes, got 5$/],
    ['a call that is none', functional([{ ...x as Record<string, Json>, inbound_nodes: [5] }]), /expected inbound_nodes, got 5$/],
    ['arguments that are no list', functional([x, node(layer('Dropout', 'lstm'), { args: 'x' })]), /expected a list of args, got "x"$/],
    ['an input that is no list', functional([x, node(layer('Dropout', 'lstm'), [5])]), /expected inputs as lists, got 5$/],
    ['an input without indices', functional([x, node(layer('Dropout', 'lstm'), [['x', 'a', 0]])]), /expected the name of a layer and two indices, got "x"$/],
    ['a tensor without its history', functional([x, node(layer('Dropout', 'lstm'), { args: [{ class_name: '__keras_tensor__', config: {} }] })]), /expected a keras_history, got /],
    ['units that are none', functional([x, node(layer('LSTM', 'lstm', { units: -1 }), [['x', 0, 0]])]), /expected a whole number >= 1 for 'units', got -1$/],
  ])('%s', (_what, json, message) => {
    expectError(() => read(json), 'FORMAT', message)
  })

  it('models inside models without end', () => {
    let json: Json = lstm
    for (let depth = 0; depth < 100; depth++) json = { class_name: 'Sequential', config: { name: 'm', layers: [json] } }
    expectError(() => read(json), 'FORMAT', 'Keras: expected at most 32 models inside each other')
  })

  it('but 20,000 layers in a row are read', () => {
    const layers = [x, ...Array.from({ length: 20_000 }, (_, n) => node(layer('Dropout', `d${n}`), [[n === 0 ? 'x' : `d${n - 1}`, 0, 0]]))]
    expect(read(functional(layers, ['d19999', 0, 0])).nodes).toEqual([])
  })
})
