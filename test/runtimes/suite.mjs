// The golden cases, run against PyTorch's outputs. Plain JavaScript without imports: it is the same file in every runtime.

const METADATA_KEY = 'lstm-golden'
const TOLERANCE = 5e-6

/**
 * Runs every case in one runtime of lstm-wasm: that of `module` if given, else of `variant`.
 *
 * @param api the exports of lstm-wasm and of lstm-wasm/safetensors
 * @param golden bytes of lstm-pytorch.safetensors
 * @returns who ran it and what came out, as plain data
 */
export async function runSuite({ api, golden, variant, module }) {
  const identity = identify()
  let runtime
  try {
    runtime = await api.createRuntime(module === undefined ? { variant } : { module })
  } catch (error) {
    const isRejected = error.message.includes(`does not accept the '${variant}' binary`) || error.message.includes('has no WebAssembly SIMD, which lstm-wasm needs')
    if (error.code === 'ENVIRONMENT' && isRejected) {
      return { identity, notAccepted: error.message }
    }
    throw error
  }
  const { tensors, metadata } = api.readSafetensors(golden)
  const { cases } = JSON.parse(metadata.get(METADATA_KEY))
  const failures = []
  let largest = 0
  let hash = new Uint8Array()
  for (const testCase of cases) {
    try {
      const results = await runCase(api, runtime, testCase)
      for (const [key, { data }] of Object.entries(results)) {
        hash = await sha256(hash, data)
        largest = Math.max(largest, distance(testCase, key, data, tensors))
      }
    } catch (error) {
      failures.push(`${testCase.name}: ${error.message}`)
    }
  }
  const { products, layer } = await runInt8(api, runtime).catch((error) => {
    failures.push(`8 bits: ${error.message}`)
    return { products: new Float32Array(), layer: new Float32Array() }
  })
  const threads = await runThreads(api, variant, module).catch((error) => {
    failures.push(`threads: ${error.message}`)
    return undefined
  })
  return {
    identity, threads, variant: runtime.variant, cases: cases.length + 1, failures, largest, hash: hex(await sha256(hash, layer)),
    int8: { products: runtime.int8Products, hash: hex(await sha256(new Uint8Array(), products)) },
  }
}

/** Layers of a batch, of both directions, and of one sequence: so many calls each that some of them are shared. */
const THREAD_CASES = [
  { seed: 8_000, layers: 1, bidirectional: false, bias: true, hiddenSize: 128, inputSize: 64, batch: 8, timesteps: 30, batchFirst: true, initialState: true },
  { seed: 8_001, layers: 2, bidirectional: true, bias: true, hiddenSize: 65, inputSize: 33, batch: 1, timesteps: 60, batchFirst: true, initialState: false },
  { seed: 8_002, layers: 1, bidirectional: false, bias: true, hiddenSize: 160, inputSize: 64, batch: 1, timesteps: 70, batchFirst: false, initialState: true },
]
const THREAD_CALLS = 24

/**
 * Models on a runtime with two threads and on one with one give the same bits.
 * @returns what the runtime says of its threads
 * @throws where a bit differs
 */
async function runThreads(api, variant, module) {
  const [one, two] = await Promise.all([1, 2].map((threads) => api.createRuntime(module === undefined ? { variant, threads } : { module, threads })))
  const { threads } = two
  for (const testCase of THREAD_CASES) {
    const { graph, inputs } = makeCase(testCase)
    const [alone, shared] = await Promise.all([one, two].map((runtime) => api.compile(graph, { runtime, streams: false })))
    const expected = Object.entries(alone.run(inputs))
    for (let call = 0; call < THREAD_CALLS; call++) {
      const got = shared.run(inputs)
      for (const [name, { data }] of expected) {
        if (data.some((value, n) => !Object.is(value, got[name].data[n]))) throw new Error(`'${name}' of ${testCase.hiddenSize} units differs in call ${call}`)
      }
    }
    alone.dispose()
    shared.dispose()
  }
  two.dispose()
  return threads
}

/** Rows of the product, its terms, its columns. */
const INT8_SIZES = [[1, 1, 1], [1, 300, 67], [7, 33, 130], [25, 515, 48]]

/**
 * Weights of 8 bits: products, whose sums are whole numbers and which no engine may round otherwise, and an LSTM. Twice, so that compilers
 * have seen them.
 */
async function runInt8({ load, safetensors, writeSafetensors }, runtime) {
  let nextSeed = 7_000_000
  const floats = (shape, scale) => ({ dtype: 'float32', shape, data: pseudoRandom(nextSeed++, shape, scale) })
  const narrow = (rows, k) => {
    const q = Int8Array.from(pseudoRandom(nextSeed++, [rows * k], 127.49), Math.round)
    const scales = pseudoRandom(nextSeed++, [rows], 0.01)
    const parts = [{ suffix: '', dtype: 'I8', shape: [rows, k], data: q }, { suffix: '.scale', dtype: 'F32', shape: [rows, 1], data: scales }]
    return { dtype: 'float32', shape: [rows, k], data: new Float32Array(), parts }
  }
  const run = async (tensors, node, shape) => {
    const graph = { version: 1, inputs: [{ name: 'x', dtype: 'float32', shape }], outputs: [{ name: 'y', value: 'y' }], nodes: [{ name: 'layer', inputs: ['x'], outputs: ['y'], ...node }] }
    const bytes = writeSafetensors(new Map(Object.entries(tensors)), new Map([['lstm-wasm', JSON.stringify(graph)]]))
    const model = await load(bytes, { runtime, readers: [safetensors], streams: false })
    const x = floats(shape, 2)
    const results = [model.run({ x }).y.data, model.run({ x }).y.data]
    model.dispose()
    return results
  }
  const products = []
  for (const [rows, k, columns] of INT8_SIZES) {
    const tensors = { w: narrow(columns, k), b: floats([columns], 1) }
    products.push(...await run(tensors, { op: 'linear', parameters: { weight: 'w', bias: 'b' }, attributes: {} }, [rows, k]))
  }
  const tensors = { w: narrow(4 * 37, 19), u: narrow(4 * 37, 37), b: floats([4 * 37], 1) }
  const parameters = { '0.forward.inputWeights': 'w', '0.forward.recurrentWeights': 'u', '0.forward.inputBias': 'b' }
  const layer = await run(tensors, { op: 'lstm', parameters, attributes: { hiddenSize: 37, numLayers: 1, returnSequences: true } }, [3, 40, 19])
  return { products: joined(products), layer: joined(layer) }
}

function joined(arrays) {
  const result = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const array of arrays) {
    result.set(array, at)
    at += array.length
  }
  return result
}

/** What the JavaScript engine says of itself. */
function identify() {
  return {
    userAgent: globalThis.navigator?.userAgent,
    node: globalThis.process?.versions?.node,
    arch: globalThis.process?.arch,
    deno: globalThis.Deno?.version?.deno,
    bun: globalThis.Bun?.version,
  }
}

async function runCase({ compile }, runtime, testCase) {
  const { graph, inputs } = makeCase(testCase)
  const model = await compile(graph, { runtime })
  try {
    const { output, h_n, c_n } = model.run(inputs)
    return { output, h_n, c_n }
  } finally {
    model.dispose()
  }
}

/** The case's LSTM, and its inputs. Seeds count up in the order of torch.nn.LSTM.parameters(), then x, h_0, c_0. */
export function makeCase({ seed, layers, bidirectional, bias, hiddenSize, inputSize, batch, timesteps, batchFirst, initialState }) {
  let nextSeed = seed * 1000
  const array = (shape, scale) => ({ dtype: 'float32', shape, data: pseudoRandom(nextSeed++, shape, scale) })
  const directions = bidirectional ? ['forward', 'reverse'] : ['forward']
  const gates = 4 * hiddenSize
  const constants = new Map()
  for (let layer = 0; layer < layers; layer++) {
    const features = layer === 0 ? inputSize : directions.length * hiddenSize
    const shapes = { inputWeights: [gates, features], recurrentWeights: [gates, hiddenSize] }
    if (bias) Object.assign(shapes, { inputBias: [gates], recurrentBias: [gates] })
    for (const direction of directions) {
      for (const [weight, shape] of Object.entries(shapes)) {
        constants.set(`${layer}.${direction}.${weight}`, array(shape, 1 / Math.sqrt(hiddenSize)))
      }
    }
  }
  const inputs = { input: array([...(batchFirst ? [batch, timesteps] : [timesteps, batch]), inputSize], 2) }
  const stateShape = [layers * directions.length, batch, hiddenSize]
  if (initialState) {
    inputs.h_0 = array(stateShape, 1)
    inputs.c_0 = array(stateShape, 1)
  }
  const state = { dtype: 'float32', shape: [stateShape[0], 'batch', hiddenSize], optional: true }
  const leading = batchFirst ? ['batch', 'timesteps'] : ['timesteps', 'batch']
  const graph = {
    inputs: [
      { name: 'input', dtype: 'float32', shape: [...leading, inputSize] },
      { name: 'h_0', ...state },
      { name: 'c_0', ...state },
    ],
    outputs: ['output', 'h_n', 'c_n'].map((name) => ({ name, value: name })),
    nodes: [{
      name: 'lstm',
      op: 'lstm',
      inputs: ['input', 'h_0', 'c_0'],
      outputs: ['output', 'h_n', 'c_n'],
      parameters: Object.fromEntries([...constants.keys()].map((role) => [role, role])),
      attributes: {
        hiddenSize,
        numLayers: layers,
        direction: bidirectional ? 'bidirectional' : 'forward',
        timeMajor: !batchFirst,
        returnSequences: true,
      },
    }],
    constants,
  }
  return { graph, inputs }
}

/** `pseudo_random` of test/python/golden_lstm.py: every step is exact or rounded to float32 once. */
function pseudoRandom(seed, shape, scale) {
  const start = mix32(seed)
  const singleScale = Math.fround(scale)
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1))
  for (let n = 0; n < values.length; n++) {
    values[n] = ((mix32(start + n) >>> 8) - 2 ** 23) / 2 ** 23 * singleScale
  }
  return values
}

function mix32(z) {
  z ^= z >>> 16
  z = Math.imul(z, 0x21f0aaad)
  z ^= z >>> 15
  z = Math.imul(z, 0x735a2d97)
  return (z ^ (z >>> 15)) >>> 0
}

/** The largest distance of one result from PyTorch's samples of it. */
function distance(testCase, key, data, tensors) {
  const expected = tensors.get(`${testCase.name}/${key}`).data
  const stride = key === 'output' ? testCase.outputStride : testCase.stateStride
  if (expected.length !== Math.ceil(data.length / stride)) {
    throw new Error(`${key} has ${data.length} elements, which does not fit ${expected.length} samples at every ${stride}`)
  }
  let largest = 0
  for (let n = 0; n < expected.length; n++) {
    const apart = Math.abs(data[n * stride] - expected[n])
    // Not `apart > TOLERANCE`: NaN must not pass.
    if (!(apart <= TOLERANCE)) throw new Error(`${key}[${n * stride}] is ${data[n * stride]}, PyTorch has ${expected[n]}`)
    largest = Math.max(largest, apart)
  }
  return largest
}

/** The hash of a hash so far and of all bytes of a result. */
async function sha256(before, data) {
  const bytes = new Uint8Array(before.length + data.byteLength)
  bytes.set(before)
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), before.length)
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
