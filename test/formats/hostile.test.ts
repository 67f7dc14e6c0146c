// Files that would take memory or time out of all proportion to their size: each is refused by what it is charged, or read for what its size
// allows. What is counted is the budget's: no clock says whether these pass.
import { deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { addAllOperators } from '../../src/ops/all.ts'
import { LstmError } from '../../src/errors.ts'
import { Budget } from '../../src/formats/budget.ts'
import { openHdf5, type Hdf5Object } from '../../src/formats/hdf5/hdf5.ts'
import { parseModel } from '../../src/formats/keras/config.ts'
import { KERAS_2 } from '../../src/formats/keras/dialect.ts'
import { buildModel } from '../../src/formats/keras/network.ts'
import type { Json } from '../../src/formats/json.ts'
import { NamedWeights } from '../../src/formats/keras/weights.ts'
import { writeNpy } from '../../src/formats/npy.ts'
import { readNpz } from '../../src/formats/npz.ts'
import { onnx } from '../../src/formats/onnx/index.ts'
import { onlyBytes, type FormatReader, type ModelFiles } from '../../src/formats/reader.ts'
import { readTorch } from '../../src/formats/torch/state-dict.ts'
import { readTable } from '../../src/formats/tf1/table.ts'
import { tensorflow1 } from '../../src/formats/tf1/reader.ts'
import { tfjs } from '../../src/formats/tfjs/index.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { typeGraph } from '../../src/graph/infer.ts'
import { readModelFile } from '../../src/formats/model-file.ts'
import { compile } from '../../src/model/load.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError, expectRejection } from '../expect-error.ts'
import { writeStored } from '../fuzz/stored-zip.ts'
import { chunkedHdf5, emptyBlocks, oneBodyZip, torchFile, type ChunkSpec } from './hostile-files.ts'
import { floatTensor, writeOnnx, type NodeSpec } from './onnx-writer.ts'
import { writeTable } from './table-writer.ts'

addAllOperators()

const TOO_MUCH = /: a file of \d+ bytes that (unpacks to more than \d+|goes through its own parts so often) is not read$/
const many = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n))
const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Reads a file, and returns what that was charged. */
async function spent(reader: FormatReader, files: ModelFiles): Promise<{ graph: Graph, bytes: number, work: number }> {
  const budget = new Budget(files.bytes.length)
  const graph = await reader.read(files, {}, budget)
  return { graph, ...budget.spent }
}

describe('a budget', () => {
  it('is so many bytes and units of work for any file, and so many for each of its bytes', () => {
    for (const [charge, most, each] of [['take', 2 ** 25, 8], ['work', 2 ** 25, 64]] as const) {
      const budget = new Budget(1000)
      budget[charge](most + each * 1000, 'all of it')
      expectError(() => budget[charge](1, 'more'), 'FORMAT', /^more: a file of 1000 bytes /)
      budget.addFile(1)
      budget[charge](each - 1, 'for another byte')
      expectError(() => budget[charge](1, 'more'), 'FORMAT', TOO_MUCH)
    }
  })

  it('takes no sizes that are no numbers', () => {
    expectError(() => new Budget(10).take(NaN, 'x'), 'FORMAT', TOO_MUCH)
    expectError(() => new Budget(10).work(Infinity, 'x'), 'FORMAT', TOO_MUCH)
  })

  it('pays for all that is charged', () => {
    const budget = new Budget(0)
    budget.copy(3, 12, 'x')
    budget.inflate(10, 100, 'x')
    budget.visit('x')
    budget.build('name')
    budget.json(5, 'x')
    expect(budget.spent).toEqual({ bytes: 12 + 100 + 96 + 1504 + 20, work: 3 + 420 + 40 + 1000 + 5 })
  })
})

describe('pickles that copy what they have', () => {
  const copies = (items: string, callable: string, count: number): string => `${items}q\x00\x85q\x01${callable}q\x020(${'h\x02h\x01R'.repeat(count)}l.`

  it.each([
    ['lists', copies(`(${'N'.repeat(50_000)}l`, 'cbuiltins\nlist\n', 5000)],
    ['dictionaries', copies(`(${many(20_000, (n) => `(I${n}\nNt`).join('')}l`, 'ccollections\nOrderedDict\n', 5000)],
  ])('%s', (_, pickle) => {
    expectError(() => readTorch(torchFile(pickle)), 'FORMAT', TOO_MUCH)
  })

  it('attributes, of which nothing is kept', () => {
    const state = many(20_000, (n) => `S'${n}'\nN`).join('')
    const pickle = `}q\x00(${state}u0cfoo\nBar\nq\x010(${'h\x01)Rh\x00b'.repeat(20_000)}l.`
    expectError(() => readTorch(torchFile(pickle)), 'UNSUPPORTED', /^torch: the pickle asks for foo\.Bar/)
  })

  it('one dictionary under many names, looked through once', () => {
    const dict = `(d${many(5000, (n) => `S'${n}'\nh\x05s`).join('')}`
    const tensor = "ctorch._utils\n_rebuild_tensor_v2\n((S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\nI1\ntQI0\n(I1\nt(I1\ntI00\nNtRq\x050"
    const pickle = `${tensor}${dict}q\x060(d${many(20_000, (n) => `I${n}\nh\x06s`).join('')}.`
    expectError(() => readTorch(torchFile(pickle)), 'UNSUPPORTED', /^torch: the file holds several state dicts, under the keys 0, 1, /)
  })

  it('tensors that share a storage are charged each', () => {
    const storage = new Uint8Array(2 ** 20)
    const tensor = (n: number): string => `S'${n}'\nctorch._utils\n_rebuild_tensor_v2\n((S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\nI262144\ntQI0\n(I262144\nt(I1\ntI00\nNtRs`
    const file = (count: number): Uint8Array => writeStored(new Map([
      ['x/data.pkl', encode(`(d${many(count, tensor).join('')}.`)], ['x/data/0', storage],
    ]))
    expect(readTorch(file(10)).size).toBe(10)
    expectError(() => readTorch(file(50)), 'FORMAT', TOO_MUCH)
  })
})

describe('zip archives whose entries have one body', () => {
  const npy = writeNpy(new NdArray(Float32Array.of(1), [1]))

  it('of empty blocks, as a .npz', () => {
    const names = (count: number): string[] => many(count, (n) => `v${n}.npy`)
    const body = emptyBlocks(50_000, npy)
    expect(readNpz(oneBodyZip(new Map(), names(3), body, npy, 8)).size).toBe(3)
    expectError(() => readNpz(oneBodyZip(new Map(), names(100), body, npy, 8)), 'FORMAT', TOO_MUCH)
  })

  it('of empty blocks, as a .pt', () => {
    const data = many(100, (n) => `x/data/${n}`)
    const file = oneBodyZip(new Map([['x/data.pkl', encode('}.')]]), data, emptyBlocks(50_000, new Uint8Array(0)), new Uint8Array(0), 8)
    expectError(() => readTorch(file), 'FORMAT', TOO_MUCH)
  })

  it('of elements that are converted', () => {
    // float64, which become float32.
    const header = '{\'descr\': \'<f8\', \'fortran_order\': False, \'shape\': (100000,), }'
    const doubles = Buffer.concat([Buffer.from('\x93NUMPY\x01\x00v\x00', 'latin1'), Buffer.from(`${header.padEnd(117)}\n`), Buffer.alloc(800_000)])
    const file = (count: number): Uint8Array => oneBodyZip(new Map(), many(count, (n) => `v${n}.npy`), doubles, doubles, 0)
    expect(readNpz(file(2)).size).toBe(2)
    expectError(() => readNpz(file(100)), 'FORMAT', TOO_MUCH)
  })
})

describe('HDF5 chunks', () => {
  const dataset = (spec: ChunkSpec): Hdf5Object => openHdf5(chunkedHdf5(spec)).find('x') as Hdf5Object
  const four = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer)
  const shuffled = Uint8Array.from({ length: 16 }, (_, n) => four[(n % 4) * 4 + Math.floor(n / 4)] as number)
  const withChecksum = (bytes: Uint8Array): Uint8Array => Uint8Array.of(...bytes, 1, 2, 3, 4)
  const shuffle = { id: 2, values: [4] }
  const deflate = { id: 1, values: [] }
  const fletcher32 = { id: 3, values: [] }

  it.each<[string, Omit<ChunkSpec, 'shape'>]>([
    ['without filters', { body: four }],
    ['shuffled', { body: shuffled, filters: [shuffle] }],
    ['shuffled, by the size of elements where no other is said', { body: shuffled, filters: [{ id: 2, values: [] }] }],
    ['with a checksum', { body: withChecksum(four), filters: [fletcher32] }],
    ['shuffled and deflated', { body: deflateSync(shuffled), filters: [shuffle, deflate] }],
    ['with a checksum, deflated', { body: deflateSync(withChecksum(four)), filters: [fletcher32, deflate] }],
    ['deflated, with a checksum', { body: withChecksum(deflateSync(four)), filters: [deflate, fletcher32] }],
    ['without the first filter, as the mask says', { body: four, filters: [shuffle], mask: 1 }],
    ['without the second filter, as the mask says', { body: shuffled, filters: [shuffle, deflate], mask: 2 }],
    ['without the first of two filters, as the mask says', { body: deflateSync(four), filters: [shuffle, deflate], mask: 1 }],
    ['without the last of 32 filters, as the mask says', { body: four, filters: [...Array<typeof shuffle>(31).fill(shuffle), deflate], mask: 2 ** 32 - 1 }],
  ])('%s are read', (_, spec) => {
    expect(dataset({ shape: [2, 2], ...spec }).read()).toMatchObject({ shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) })
  })

  it('with more filters than the mask has bits are refused', () => {
    expectError(() => dataset({ shape: [2, 2], body: four, filters: Array<typeof shuffle>(33).fill(shuffle) }).read(), 'FORMAT', /expected at most 32 filters, got 33$/)
  })

  it('without room for their checksum are refused', () => {
    expectError(() => dataset({ shape: [2, 2], body: four, filters: [fletcher32] }).read(), 'FORMAT', "HDF5: the dataset 'x': expected 16 bytes of elements, got 12")
  })

  it('shuffled by 0 bytes are refused', () => {
    expectError(() => dataset({ shape: [1, 1], body: new Uint8Array(4), filters: [{ id: 2, values: [0] }] }).read(), 'FORMAT', /expected elements of at least a byte to be shuffled, got 0$/)
  })

  it('shuffled again and again are charged each time', () => {
    const spec = { shape: [500_000, 1], body: new Uint8Array(2_000_000) }
    expect(dataset({ ...spec, filters: [shuffle] }).read().data).toHaveLength(500_000)
    expectError(() => dataset({ ...spec, filters: Array<typeof shuffle>(32).fill(shuffle) }).read(), 'FORMAT', TOO_MUCH)
  })

  it('that have one body are charged each time', () => {
    const body = Uint8Array.of(0x78, 0x9c, ...emptyBlocks(20_000, new Uint8Array(4)), 0, 0, 0, 0)
    const spec = { shape: [1, 1], body, filters: [deflate] }
    expect(dataset({ ...spec, keys: 2 }).read().data).toEqual(Float32Array.of(0))
    expectError(() => dataset({ ...spec, keys: 1000 }).read(), 'FORMAT', TOO_MUCH)
  })
})

describe('Keras models', () => {
  const input = { class_name: 'InputLayer', name: 'x', config: { name: 'x', batch_input_shape: [null, 4] }, inbound_nodes: [] }
  const layer = (className: string, name: string, sources: readonly string[], config: Json = {}): Json => ({
    class_name: className, name, config: { name, ...config as object }, inbound_nodes: [sources.map((source) => [source, 0, 0, {}])],
  })
  const functional = (layers: readonly Json[], outputs: readonly string[], name = 'm'): Json => ({
    class_name: 'Functional', name, config: { name, layers: [input, ...layers], input_layers: [['x', 0, 0]], output_layers: outputs.map((output) => [output, 0, 0]) },
  })
  const nested = (levels: number, innermost: Json): Json => {
    let inner = innermost as Record<string, Json>
    for (let level = 1; level <= levels; level++) {
      const name = `m${level - 1}`
      inner = {
        class_name: 'Functional', name: `m${level}`, config: {
          name: `m${level}`, input_layers: [['x', 0, 0]], output_layers: [[name, 1, 0]],
          layers: [input, { ...inner, inbound_nodes: [[['x', 0, 0, {}]], [[name, 0, 0, {}]]] }],
        },
      }
    }
    return inner
  }
  const build = (json: Json, budget = new Budget(JSON.stringify(json).length)): Graph => buildModel(parseModel(json), new NamedWeights([]), { dialect: KERAS_2, note: 'a test' }, budget)
  const activation = { class_name: 'Activation', name: 'm0', config: { name: 'm0', activation: 'tanh' } }

  it('within models that are called twice are charged for each call', () => {
    expect(build(nested(8, activation)).nodes).toHaveLength(256)
    expectError(() => build(nested(24, activation)), 'FORMAT', TOO_MUCH)
  })

  it('whose calls make no nodes are charged, too', () => {
    expectError(() => build(nested(24, { class_name: 'Dropout', name: 'm0', config: { name: 'm0', rate: 0.5 } })), 'FORMAT', TOO_MUCH)
  })

  it('as wide as they may be are sorted without recursion, in as many steps as they have calls', () => {
    const wide = many(200, (n) => layer('Add', `a${n}`, Array<string>(100).fill(n === 0 ? 'x' : `a${n - 1}`)))
    expect(build(functional(wide, ['a199'])).nodes).toHaveLength(200 * 99)
    const fan = many(20_000, (n) => layer('Dropout', `d${n}`, ['x']))
    const sum = layer('Concatenate', 'sum', many(20_000, (n) => `d${n}`))
    expect(build(functional([...fan, sum], ['sum'])).nodes).toHaveLength(1)
  })

  it('deep within wrappers are refused', () => {
    let inner: Json = { class_name: 'Dense', config: { name: 'd', units: 1 } }
    for (let level = 0; level < 5000; level++) inner = { class_name: 'TimeDistributed', config: { name: `t${level}`, layer: inner } }
    const json = functional([{ ...inner, name: 't', inbound_nodes: [[['x', 0, 0, {}]]] }], ['t'])
    expectError(() => buildModel(parseModel(json), new NamedWeights([]), { dialect: KERAS_2, note: 'a test' }), 'FORMAT', 'Keras: expected at most 32 layers inside each other')
  })

  it('with one output many times have as many names', () => {
    const graph = build(functional([layer('ReLU', 'r', ['x'])], Array<string>(5000).fill('r')))
    expect(new Set(graph.outputs.map(({ name }) => name)).size).toBe(5000)
    expect(graph.outputs[4999]).toEqual({ name: 'r_4999', value: 'r/relu' })
  })

  it('with long names pay for every one that is made of them', () => {
    const relus = many(2000, (n) => layer('ReLU', `r${n}`, [n === 0 ? 'x' : `r${n - 1}`]))
    const within = (name: string): Json => (
      functional([{ ...functional(relus, ['r1999'], name) as Record<string, Json>, inbound_nodes: [[['x', 0, 0, {}]]] }], [name])
    )
    expect(build(within('inner')).nodes).toHaveLength(2000)
    expectError(() => build(within('r'.repeat(50_000))), 'FORMAT', TOO_MUCH)
  })

  it('with inputs of more axes than arrays have are refused', () => {
    const json = { class_name: 'Sequential', config: { name: 'm', layers: [{ class_name: 'ReLU', config: { name: 'r', batch_input_shape: Array<null>(1000).fill(null) } }] } }
    expectError(() => build(json), 'FORMAT', /expected at most 64 axes, got 1000$/)
  })

  it('find the weights of many layers by their names, each its own', async () => {
    const count = 3000
    const json = {
      modelTopology: { class_name: 'Sequential', config: { name: 'm', layers: many(count, (n) => ({ class_name: 'Dense', config: { name: `d${n}`, units: 1, use_bias: false, batch_input_shape: [null, 1] } })) } },
      weightsManifest: [{ paths: ['w.bin'], weights: many(count, (n) => ({ name: `d${count - 1 - n}/kernel`, shape: [1, 1], dtype: 'float32' })) }],
    }
    const shard = new Uint8Array(Float32Array.from({ length: count }, (_, n) => count - 1 - n).buffer)
    const { graph, work } = await spent(tfjs, { ...onlyBytes(encode(JSON.stringify(json))), sibling: async () => shard })
    graph.nodes.forEach(({ parameters }, n) => expect(graph.constants.get(parameters.weight as string)?.data[0]).toBe(n))
    expect(work).toBeLessThan(1500 * count)
  })
})

describe('ONNX', () => {
  it('tensors over one range of a file are charged each', async () => {
    const file = (count: number): ModelFiles => ({
      ...onlyBytes(writeOnnx({
        nodes: many(count, (n): NodeSpec => ({ op: 'Add', inputs: [n === 0 ? 'x' : `v${n - 1}`, `w${n}`], outputs: [`v${n}`] })),
        inputs: [{ name: 'x', shape: ['b', 4] }], outputs: [{ name: `v${count - 1}` }],
        initializers: many(count, (n) => ({ name: `w${n}`, dims: [65536, 4], type: n % 2 === 0 ? 1 : 10, external: { location: 'data.bin', length: n % 2 === 0 ? '1048576' : '524288' } })),
      })),
      sibling: async () => new Uint8Array(2 ** 20),
    })
    const { bytes } = await spent(onnx, file(4))
    expect(bytes).toBeGreaterThan(4 * 2 ** 20)
    await expectRejection(onnx.read(file(100), {}), 'FORMAT', TOO_MUCH)
  })

  it('nodes without an operator are counted, and some of them named', async () => {
    const bytes = writeOnnx({ nodes: many(20_000, (n) => ({ op: 'Foo', name: 'n'.repeat(20), inputs: ['x'], outputs: [`y${n}`] })), inputs: [{ name: 'x', shape: [1] }], outputs: many(20_000, (n) => ({ name: `y${n}` })) })
    const error = await expectRejection(onnx.read(onlyBytes(bytes), {}), 'UNSUPPORTED', /operator Foo \(node 'n+'.* and 19950 more\)$/)
    expect(error.message.length).toBeLessThan(4096)
  })

  it('sizes that are squared, joined or flattened again and again get a name of their own', async () => {
    const long = 'n'.repeat(100_000)
    const rows = (op: string, inputs: (n: number) => string[], first: NodeSpec[], attributes: NodeSpec['attributes'] = {}): NodeSpec[] => [
      ...first, ...many(300, (n): NodeSpec => ({ op, inputs: inputs(n), outputs: [`${op}${n + 1}`], attributes })),
    ]
    const bytes = writeOnnx({
      nodes: [
        ...rows('Mul', (n) => [`Mul${n}`, `Mul${n}`], [{ op: 'Shape', inputs: ['x'], outputs: ['Mul0'] }]),
        ...rows('Concat', (n) => (n < 19 ? [`Concat${n}`, `Concat${n}`] : ['Concat19']), [{ op: 'Shape', inputs: ['x'], outputs: ['Concat0'] }], { axis: 0 }),
        ...rows('Flatten', () => ['x'], []),
      ],
      inputs: [{ name: 'x', shape: ['b', long, long] }], outputs: [{ name: 'Mul300' }, { name: 'Concat300' }, { name: 'Flatten300' }],
    })
    const { sizes, types } = typeGraph(await onnx.read(onlyBytes(bytes), {}))
    expect(Math.max(...[...sizes.values()].map((list) => list.length))).toBeLessThanOrEqual(64)
    expect(Math.max(...[...sizes.values()].flatMap((list) => list.map((size) => String(size).length)))).toBeLessThan(1000 + long.length)
    expect([...types.values()].filter(({ shape }) => shape.some((size) => String(size).length > long.length))).toEqual([])
  })

  it('names of sizes are charged, and axes counted', async () => {
    const bytes = writeOnnx({ nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }], inputs: [{ name: 'x', shape: Array<null>(1000).fill(null) }], outputs: [{ name: 'y' }] })
    await expectRejection(onnx.read(onlyBytes(bytes), {}), 'FORMAT', /expected at most 64 axes for the input 'x', got 1000$/)
  })
})

describe('nodes over one weight', () => {
  const features = 64
  const lstms = (count: number): Uint8Array => writeOnnx({
    nodes: many(count, (n) => ({ op: 'LSTM', inputs: ['x', 'W', 'R'], outputs: [`y${n}`] })),
    inputs: [{ name: 'x', shape: ['t', 'b', features] }], outputs: many(count, (n) => ({ name: `y${n}` })),
    initializers: ['W', 'R'].map((name) => floatTensor(name, [1, 256, 64], Array<number>(256 * 64).fill(0.01))),
  })

  it('share the packed copy', async () => {
    const used = await Promise.all([1, 50].map(async (count) => {
      const runtime = await createRuntime()
      using model = await compile(await readModelFile(onlyBytes(lstms(count))), { runtime })
      expect(model.outputs).toHaveLength(count)
      return runtime.memory().usedBytes
    }))
    // Besides it, a node takes a block for an axis.
    expect((used[1] as number) - (used[0] as number)).toBeLessThan(50 * 128)
  })

  it('and constants under several names are uploaded once', async () => {
    const data = new Float32Array(65536).fill(1)
    const graph = (count: number): Graph => ({
      inputs: [{ name: 'x', dtype: 'float32', shape: ['b', 65536] }], outputs: many(count, (n) => ({ name: `y${n}`, value: `y${n}` })),
      nodes: many(count, (n) => ({ name: `n${n}`, op: 'add', inputs: ['x', `w${n}`], outputs: [`y${n}`], parameters: {}, attributes: {} })),
      constants: new Map(many(count, (n) => [`w${n}`, new NdArray(data, [65536])])),
    })
    const used = await Promise.all([1, 20].map(async (count) => {
      const runtime = await createRuntime()
      using model = await compile(graph(count), { runtime })
      expect(model.outputs).toHaveLength(count)
      return runtime.memory().usedBytes
    }))
    expect(used[1]).toBe(used[0])
  })

  it('are told apart by their attributes, and refused where these make far more of a weight than it is', async () => {
    const constants = new Map([['w', new NdArray(new Float32Array(256 * 64), [256, 64])], ['r', new NdArray(new Float32Array(256 * 64), [256, 64])]])
    const graph = (count: number): Graph => ({
      inputs: [{ name: 'x', dtype: 'float32', shape: ['b', 't', 64] }], outputs: many(count, (n) => ({ name: `y${n}`, value: `y${n}` })), constants,
      nodes: many(count, (n) => ({
        name: `n${n}`, op: 'lstm', inputs: ['x'], outputs: [`y${n}`], parameters: { '0.forward.inputWeights': 'w', '0.forward.recurrentWeights': 'r' },
        attributes: { hiddenSize: 64, numLayers: 1, direction: 'forward', returnSequences: true, clip: 1 + n },
      })),
    })
    const runtime = await createRuntime()
    using model = await compile(graph(2), { runtime })
    const x = Float32Array.from({ length: 128 }, (_, n) => Math.sin(n))
    expect(Object.keys(model.run({ x: { dtype: 'float32', shape: [1, 2, 64], data: x } }))).toEqual(['y0', 'y1'])
    const before = runtime.memory().usedBytes
    await expectRejection(compile(graph(2000), { runtime }), 'MEMORY', /use the same weights in too many ways/)
    expect(runtime.memory().usedBytes).toBe(before)
  })
})

describe('TensorFlow 1', () => {
  it('variables over one file are charged each', async () => {
    const manifest = (count: number): Uint8Array => encode(JSON.stringify(Object.fromEntries(many(count, (n) => [`v${n}`, { filename: 'data', shape: [262144] }]))))
    const files = (count: number): ModelFiles => ({ ...onlyBytes(manifest(count)), sibling: async () => new Uint8Array(2 ** 20) })
    await expectRejection(tensorflow1.read(files(5), {}), 'UNSUPPORTED', /^this file holds variables/)
    await expectRejection(tensorflow1.read(files(100), {}), 'FORMAT', TOO_MUCH)
  })

  it('keys that share most of the one before are charged whole', () => {
    // Each key: 1021 bytes of the one before, and three of its own.
    const first = { own: Array<number>(1024).fill(65), value: [] }
    const others = many(60_000, (n) => ({ shared: 1021, own: [1, 61, 3721].map((unit) => 66 + Math.floor(n / unit) % 61), value: [] }))
    const bytes = writeTable([{ entries: [first, ...others] }])
    expectError(() => readTable(bytes, new Budget(bytes.length)), 'FORMAT', TOO_MUCH)
  })
})

describe('a load', () => {
  it('has one budget for all its parts', async () => {
    // Each of the two alone would be read.
    const pickle = `(${'}'.repeat(60_000)}lq\x00\x85q\x01cbuiltins\nlist\nq\x020(${'h\x02h\x01R'.repeat(6)}l.`
    expectError(() => readTorch(torchFile(`(${'}'.repeat(60_000)}l.`)), 'UNSUPPORTED', /got a list$/)
    expectError(() => readTorch(torchFile(pickle)), 'FORMAT', TOO_MUCH)
  })

  it('ends in an LstmError whatever a reader runs into', async () => {
    const reader: FormatReader = {
      name: 'Broken', options: [], detect: () => true,
      async read() {
        const deep = (): number => deep() + 1
        throw new Error(String(deep()))
      },
    }
    const error = await expectRejection(readModelFile(onlyBytes(new Uint8Array(8)), { readers: [reader] }), 'FORMAT', /^Broken: the file cannot be read: RangeError: /)
    expect(error.cause).toBeInstanceOf(RangeError)
  })

  it('of any number of inputs and outputs pairs, follows and lays them out in one go', async () => {
    const count = 3000
    const bytes = writeOnnx({
      nodes: many(count, (n) => ({ op: 'Relu', inputs: [`h${n}_in`], outputs: [`h${n}_out`] })),
      inputs: many(count, (n) => ({ name: `h${n}_in`, shape: ['b', 4] })), outputs: many(count, (n) => ({ name: `h${n}_out` })),
    })
    using model = await compile(await readModelFile(onlyBytes(bytes)))
    expect(Object.keys(model.describe().carry)).toHaveLength(0)
    const x = new Float32Array(4).fill(-1)
    const outputs = model.run(Object.fromEntries(model.inputs.map(({ name }) => [name, x])))
    expect(Object.keys(outputs)).toHaveLength(count)
    try {
      model.stream().dispose()
    } catch (error) {
      expect(error).toBeInstanceOf(LstmError)
    }
  })
})
