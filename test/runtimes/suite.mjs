// The golden cases, run against PyTorch's outputs. Plain JavaScript without imports: it is the same file in every runtime.

const METADATA_KEY = 'lstm-golden'
const TOLERANCE = 5e-6

/**
 * Runs every case in one runtime of lstm-wasm: that of `module` if given, else of `variant`.
 *
 * @param api the exports of lstm-wasm, and readSafetensors
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
  return { identity, variant: runtime.variant, cases: cases.length, failures, largest, hash: hex(hash) }
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
function makeCase({ seed, layers, bidirectional, bias, hiddenSize, inputSize, batch, timesteps, batchFirst, initialState }) {
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
