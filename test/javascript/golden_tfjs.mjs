// Layers models saved by TensorFlow.js, with the outputs of its cpu backend.
//
//   npm i --prefix DIRECTORY @tensorflow/tfjs@4.22.0
//   node test/javascript/golden_tfjs.mjs DIRECTORY            write test/golden/tfjs
//   node test/javascript/golden_tfjs.mjs DIRECTORY --check    compare a fresh run with the files
//
// Each case is a folder with model.json and its weights, read back by tf.loadLayersModel before it
// is run; what a recurrent layer is told to do must matter to the result. A folder with weights_manifest.json
// instead has weights only. cases.json is as test/python/golden_cases.py describes it; inputs and
// outputs are in the model's order, and an input that has no name of its own in the file is "x".
//
// The float64 outputs are TensorFlow.js's as well: of a process in which `Float32Array` holds doubles.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, cpSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const MATTERS = 1e-3
const TOLERANCE = 1e-6
const GOLDEN = 'test/golden/tfjs'
const DEFAULTS = {
  LSTM: { activation: 'tanh', recurrent_activation: 'hard_sigmoid', go_backwards: false },
  LSTMCell: { activation: 'tanh', recurrent_activation: 'hard_sigmoid' },
  GRU: { activation: 'tanh', recurrent_activation: 'hard_sigmoid', go_backwards: false },
  GRUCell: { activation: 'tanh', recurrent_activation: 'hard_sigmoid' },
  SimpleRNN: { activation: 'tanh', go_backwards: false },
  SimpleRNNCell: { activation: 'tanh' },
  Embedding: { mask_zero: false },
  Masking: { mask_value: 12345 },
}
const MASK = ['11100', '00111', '10101', '00000', '11111'].map((row) => [...row].map(Number))

const [modules, check, written] = process.argv.slice(2)
const isExact = check === '--float64'

/** float64 under the name of float32; bytes that come from elsewhere are float32 still. */
class Doubles extends Float64Array {
  static #own = new WeakSet()

  constructor(source, ...range) {
    if (source instanceof ArrayBuffer && !Doubles.#own.has(source)) super(new Singles(source, ...range))
    else super(source, ...range)
    Doubles.#own.add(this.buffer)
  }
}
const Singles = Float32Array
if (isExact) globalThis.Float32Array = Doubles

const tf = createRequire(resolve(modules, 'package.json'))('@tensorflow/tfjs')
await tf.setBackend('cpu')
if (isExact) tf.env().platform.isTypedArray = (value) => ArrayBuffer.isView(value) && !(value instanceof DataView)
const { layers } = tf

const directory = isExact ? written : mkdtempSync(join(tmpdir(), 'golden-tfjs-'))
const cases = []
const tensors = {}
let seed = 0

/** The lowbias32 hash, as in test/python/golden_lstm.py. */
function mix32(value) {
  let z = value ^ (value >>> 16)
  z = Math.imul(z, 0x21f0aaad)
  z ^= z >>> 15
  z = Math.imul(z, 0x735a2d97)
  return (z ^ (z >>> 15)) >>> 0
}

/** Float32 values in [-scale, scale), other ones with every call. */
function uniform(shape, scale) {
  const start = mix32(++seed)
  const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, n) =>
    Math.fround(((mix32(start + n) >>> 8) / 2 ** 23 - 1) * scale))
  return tf.tensor(values, shape)
}

/** Gives every weight of a model new values; a variance is positive. */
function fill(model) {
  model.setWeights(model.weights.map(({ name, shape }) =>
    name.includes('variance') ? uniform(shape, 0.8).abs().add(0.1) : uniform(shape, 0.8)))
}

function list(value) {
  return Array.isArray(value) ? value : [value]
}

/** Runs a model on inputs in its order; the outputs are named after theirs. */
function run(model, inputs) {
  const outputs = list(model.predict(Object.values(inputs)))
  return Object.fromEntries(outputs.map((output, n) => [outputs.length === 1 ? 'output' : `output_${n}`, output]))
}

async function artifactsOf(model) {
  let artifacts
  await model.save(tf.io.withSaveHandler((saved) => {
    artifacts = saved
    return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(saved) }
  }))
  return artifacts
}

function modelJson({ modelTopology, format, generatedBy, convertedBy }, weightsManifest) {
  return { modelTopology, format, generatedBy, convertedBy, weightsManifest }
}

// Ways to lay out weights in files: specs and their bytes in, manifest out.

function oneFile(folder, specs, bytes) {
  writeFileSync(join(folder, 'weights.bin'), bytes)
  return [{ paths: ['weights.bin'], weights: specs }]
}

/** Groups of two weights, each cut into shards of 100 bytes: weights go on from shard to shard. */
function shards(folder, specs, bytes) {
  const manifest = []
  let start = 0
  for (let first = 0; first < specs.length; first += 2) {
    const weights = specs.slice(first, first + 2)
    const length = weights.reduce((sum, { shape }) => sum + 4 * tf.util.sizeFromShape(shape), 0)
    const count = Math.ceil(length / 100)
    const paths = Array.from({ length: count }, (_, n) => `group${first / 2 + 1}-shard${n + 1}of${count}.bin`)
    paths.forEach((path, n) => writeFileSync(join(folder, path), bytes.subarray(start + 100 * n, start + Math.min(100 * (n + 1), length))))
    manifest.push({ paths, weights })
    start += length
  }
  return manifest
}

/** The nearest float16, as bits, of a number that is normal in float16 or zero. */
function float16(value) {
  if (Math.abs(value) < 2 ** -14) return value < 0 ? 0x8000 : 0
  const exponent = Math.floor(Math.log2(Math.abs(value)))
  const fraction = Math.round((Math.abs(value) / 2 ** exponent - 1) * 1024)
  return (value < 0 ? 0x8000 : 0) + ((exponent + 15) << 10) + fraction
}

/** Quantised as the converter of tensorflowjs does it: an affine range for each weight, or float16. */
function quantised(dtype) {
  const Integers = dtype === 'uint8' ? Uint8Array : Uint16Array
  const levels = dtype === 'uint8' ? 255 : 65535
  const layOut = (folder, specs, bytes) => {
    const parts = []
    let start = 0
    const weights = specs.map((spec) => {
      const length = tf.util.sizeFromShape(spec.shape)
      const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + start + 4 * length))
      start += 4 * length
      if (dtype === 'float16') {
        parts.push(new Uint8Array(Uint16Array.from(values, float16).buffer))
        return { ...spec, quantization: { dtype, original_dtype: 'float32' } }
      }
      const min = Math.min(...values)
      const scale = (Math.max(...values) - min) / levels
      parts.push(new Uint8Array(Integers.from(values, (value) => Math.round((value - min) / scale)).buffer))
      return { ...spec, quantization: { dtype, min, scale, original_dtype: 'float32' } }
    })
    return oneFile(folder, weights, Buffer.concat(parts))
  }
  Object.defineProperty(layOut, 'name', { value: dtype })
  return layOut
}

function load(folder, { modelTopology, weightsManifest }) {
  const weightSpecs = weightsManifest.flatMap(({ weights }) => weights)
  const weightData = Buffer.concat(weightsManifest.flatMap(({ paths }) => paths.map((path) => readFileSync(join(folder, path)))))
  return tf.loadLayersModel(tf.io.fromMemory({
    modelTopology, weightSpecs, weightData: weightData.buffer.slice(weightData.byteOffset, weightData.byteOffset + weightData.length),
  }))
}

/** Calls `visit` with every option that can be put back to its default, while it is. */
async function withoutEachOption(node, visit, inBidirectional = false) {
  if (node === null || typeof node !== 'object') return
  for (const [key, value] of Object.entries(DEFAULTS[node.class_name] ?? {})) {
    const kept = node.config[key]
    if (kept === undefined || kept === value || (inBidirectional && key === 'go_backwards')) continue
    node.config[key] = value
    await visit(key)
    node.config[key] = kept
  }
  for (const [key, child] of Object.entries(node)) {
    // An RNN has the cells of its stack twice; it is made from those within `cell`.
    if (key === 'cells' && 'cell' in node) continue
    await withoutEachOption(child, visit, inBidirectional || node.class_name === 'Bidirectional')
  }
}

function farthest(left, right) {
  return Math.max(...Object.keys(left).map((key) => tf.max(tf.abs(tf.sub(left[key], right[key]))).dataSync()[0]))
}

function describe(prefix, values) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => {
    tensors[`${prefix}/${name}`] = value
    return [name, { shape: value.shape, dtype: value.dtype }]
  }))
}

/** What is to be added to outputs to get those of float64, by tensor name; nothing where they are integers. */
const rests = {}

function record(name, file, rows, options, calls, notes = '') {
  const described = calls.map(({ inputs, outputs, reset }, n) => {
    const prefix = calls.length === 1 ? name : `${name}/${n}`
    return {
      inputs: describe(`${prefix}/in`, inputs),
      outputs: describe(`${prefix}/out`, outputs),
      float64Distance: distancesOf(prefix, outputs),
      ...(reset && { reset }),
    }
  })
  cases.push({
    name, file, rows, framework: 'tfjs, cpu backend', options, notes, ...(calls.length === 1 ? described[0] : { calls: described }),
  })
}

/** Filled in when the float64 outputs are there. */
const distances = []

function distancesOf(prefix, outputs) {
  const found = {}
  distances.push({ prefix, keys: Object.keys(outputs), found })
  return found
}

/** Runs everything again on the files that were written, in float64. */
function addFloat64() {
  const { status, stdout } = spawnSync(process.execPath, [process.argv[1], modules, '--float64', directory], {
    encoding: 'utf8', maxBuffer: 2 ** 28, stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status !== 0) throw new Error('the float64 run failed')
  const exact = JSON.parse(stdout)
  for (const { prefix, keys, found } of distances) {
    for (const key of keys) {
      const single = tensors[`${prefix}/out/${key}`]
      const rest = Singles.from(single.dataSync(), (value, n) => exact[`${prefix}/out/${key}`][n] - value)
      found[key] = Math.max(...rest.map(Math.abs))
      if (!(found[key] < MATTERS / 100)) throw new Error(`${prefix}: ${key} is ${found[key]} from float64`)
      if (found[key] > 0) rests[`${prefix}/rest/${key}`] = tf.tensor(rest, single.shape)
    }
  }
}

/** One case: `model` with random weights, saved, loaded, and run on `inputs`, or on each of a list that may ask for a reset. */
async function add(name, rows, model, inputs = batch(), { options = {}, layOut = oneFile, notes } = {}) {
  fill(model)
  const folder = join(directory, name)
  if (isExact) return addExact(name, folder, inputs)
  mkdirSync(folder)
  const artifacts = await artifactsOf(model)
  const manifest = layOut(folder, artifacts.weightSpecs, new Uint8Array(tf.io.concatenateArrayBuffers(list(artifacts.weightData))))
  const json = modelJson(artifacts, manifest)
  writeFileSync(join(folder, 'model.json'), JSON.stringify(json))

  const loaded = await load(folder, JSON.parse(JSON.stringify(json)))
  const calls = list(inputs).map(({ reset = false, ...fed }) => {
    if (reset) loaded.resetStates()
    return { inputs: fed, outputs: run(loaded, fed), reset }
  })
  const topology = JSON.parse(JSON.stringify(json))
  await withoutEachOption(topology.modelTopology, async (key) => {
    const other = await load(folder, structuredClone(topology))
    if (!(farthest(run(other, calls[0].inputs), calls[0].outputs) > MATTERS)) throw new Error(`${name}: ${key} does not matter`)
  })
  for (const key of Object.keys(calls[0].inputs)) {
    const without = { ...calls[0].inputs, [key]: tf.zerosLike(calls[0].inputs[key]) }
    if (!(farthest(run(loaded, without), calls[0].outputs) > MATTERS)) throw new Error(`${name}: ${key} does not matter`)
  }
  record(name, `${name}/model.json`, rows, { ...options, weights: layOut.name }, calls, notes)
}

async function addExact(name, folder, inputs) {
  const loaded = await load(folder, JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8')))
  // Those that were quantised are rounded, as they are in float32.
  loaded.setWeights(loaded.getWeights().map((weight) => tf.tensor(Float32Array.from(weight.dataSync(), Math.fround), weight.shape)))
  record(name, '', [], {}, list(inputs).map(({ reset = false, ...fed }) => {
    if (reset) loaded.resetStates()
    return { inputs: fed, outputs: run(loaded, fed), reset }
  }))
}

function sequential(...parts) {
  return tf.sequential({ layers: parts })
}

/** One LSTM over [batch, any, 3]. */
function lstm(config) {
  return sequential(layers.lstm({ units: 5, inputShape: [null, 3], ...config }))
}

function batch(shape = [2, 4, 3]) {
  return { x: uniform(shape, 2) }
}

async function addLstms() {
  for (const [units, returnSequences] of [[1, false], [3, true], [8, true], [17, false]]) {
    await add(`lstm-${units}`, [2, 5], lstm({ units, returnSequences }), batch([3, 5, 3]), { options: { units, returnSequences } })
  }
  const several = {
    'no-bias': [[24], { useBias: false }],
    'go-backwards': [[10], { goBackwards: true }],
    'go-backwards-sequences': [[10], { goBackwards: true, returnSequences: true }],
    'recurrent-sigmoid': [[23], { recurrentActivation: 'sigmoid', returnSequences: true }],
    'recurrent-tanh': [[23], { recurrentActivation: 'tanh', returnSequences: true }],
    'activation-relu': [[23], { activation: 'relu', returnSequences: true }],
    'activation-softsign': [[23], { activation: 'softsign', recurrentActivation: 'sigmoid', returnSequences: true }],
    'activation-elu': [[23], { activation: 'elu', returnSequences: true }],
    'activation-linear': [[23], { activation: 'linear', returnSequences: true }],
    'activation-hard-sigmoid': [[23], { activation: 'hardSigmoid', returnSequences: true }],
    'unit-forget-bias': [[2], { unitForgetBias: true, implementation: 1 }],
  }
  for (const [name, [rows, options]] of Object.entries(several)) {
    await add(name, [2, ...rows], lstm(options), batch([5, 4, 3]), { options })
  }

  const stateful = sequential(layers.lstm({ units: 5, batchInputShape: [2, 3, 4], stateful: true, returnSequences: true }))
  const calls = [false, false, true].map((reset) => ({ ...batch([2, 3, 4]), reset }))
  await add('stateful', [2, 8, 9], stateful, calls, { options: { stateful: true } })

  const [x, h, c] = [tf.input({ shape: [null, 3], name: 'x' }), tf.input({ shape: [5], name: 'h' }), tf.input({ shape: [5], name: 'c' })]
  const states = () => ({ x: uniform([5, 5, 3], 2), h: uniform([5, 5], 1), c: uniform([5, 5], 1) })
  // With more outputs than one tfjs refuses to run such a layer: it calls it again for each of them.
  const apply = (input, config) => layers.lstm({ units: 5, ...config }).apply(input, { initialState: [h, c] })
  await add('initial-state', [2, 7], tf.model({ inputs: [x, h, c], outputs: apply(x) }), states())
  await add('initial-state-sequences', [2, 7], tf.model({ inputs: [x, h, c], outputs: apply(x, { returnSequences: true }) }), states())
  const masked = tf.model({ inputs: [x, h, c], outputs: apply(layers.masking({ maskValue: 0 }).apply(x), { returnSequences: true }) })
  const fed = states()
  fed.x = fed.x.mul(tf.tensor(MASK).expandDims(2))
  await add('masking-initial-state', [2, 7, 25, 26], masked, fed, { notes: 'at a masked first step the held output is h' })
  const [output, hLast, cLast] = layers.lstm({ units: 5, returnState: true, returnSequences: true }).apply(x)
  await add('return-state', [2, 6], tf.model({ inputs: x, outputs: [output, hLast, cLast] }), { x: uniform([2, 4, 3], 2) })

  const target = tf.input({ shape: [null, 4], name: 'target' })
  const decoded = layers.lstm({ units: 5, returnSequences: true }).apply(target, { initialState: [hLast, cLast] })
  await add('encoder-decoder', [2, 6, 7, 13], tf.model({ inputs: [x, target], outputs: decoded }), {
    x: uniform([2, 4, 3], 2), target: uniform([2, 3, 4], 2),
  })
}

async function addMasks() {
  const masking = async (name, rows, ...parts) => {
    const model = sequential(layers.masking({ maskValue: 0, inputShape: [5, 3] }), ...parts)
    await add(name, [2, 25, 26, ...rows], model, { x: uniform([5, 5, 3], 2).mul(tf.tensor(MASK).expandDims(2)) })
  }
  await masking('masking', [], layers.lstm({ units: 5 }))
  await masking('masking-sequences', [], layers.lstm({ units: 3, returnSequences: true }))
  await masking('masking-stacked', [13], layers.lstm({ units: 3, returnSequences: true }), layers.lstm({ units: 5 }))
  await masking('masking-backwards', [10], layers.lstm({ units: 5, goBackwards: true, returnSequences: true }))
  const tokens = tf.tensor(MASK.map((row, n) => row.map((bit, t) => bit * (1 + (3 * n + 5 * t) % 10))))
  for (const maskZero of [true, false]) {
    const model = sequential(
      layers.embedding({ inputDim: 11, outputDim: 4, maskZero, inputShape: [null] }),
      layers.lstm({ units: 5 }),
      layers.dense({ units: 3, activation: 'softmax' }),
    )
    const settings = { options: { maskZero } }
    await add(`embedding${maskZero ? '-mask-zero' : ''}`, maskZero ? [2, 25, 26] : [2], model, { tokens }, settings)
  }
}

async function addBidirectional() {
  for (const mergeMode of ['concat', 'sum', 'mul', 'ave']) {
    const returnSequences = mergeMode !== 'sum'
    const layer = layers.lstm({ units: 5, returnSequences })
    const model = sequential(layers.bidirectional({ layer, mergeMode, inputShape: [4, 3] }))
    await add(`bidirectional-${mergeMode}`, [2, 11], model, batch(), { options: { mergeMode, returnSequences } })
  }
  const stacked = sequential(
    layers.bidirectional({ layer: layers.lstm({ units: 3, returnSequences: true }), mergeMode: 'concat', inputShape: [4, 3] }),
    layers.bidirectional({ layer: layers.lstm({ units: 5, recurrentActivation: 'sigmoid' }), mergeMode: 'concat' }),
    layers.dense({ units: 2 }),
  )
  await add('bidirectional-stacked', [2, 11, 13], stacked)
}

async function addStacks() {
  await add('stacked', [2, 13], sequential(
    layers.lstm({ units: 5, returnSequences: true, inputShape: [null, 3] }),
    layers.lstm({ units: 3, returnSequences: true }),
    layers.timeDistributed({ layer: layers.dense({ units: 2, activation: 'softmax' }) }),
  ))
  const cells = () => [layers.lstmCell({ units: 3 }), layers.lstmCell({ units: 5, recurrentActivation: 'sigmoid' })]
  await add('stacked-cells', [2, 13], sequential(
    layers.rnn({ cell: layers.stackedRNNCells({ cells: cells() }), returnSequences: true, inputShape: [4, 3] }),
  ))

  const x = tf.input({ shape: [4, 3], name: 'x' })
  const states = [['h_1', 5], ['c_1', 5], ['h_0', 3], ['c_0', 3]].map(([name, size]) => tf.input({ shape: [size], name }))
  const stack = (config) => layers.rnn({ cell: layers.stackedRNNCells({ cells: cells() }), ...config })
  const begun = tf.model({ inputs: [x, ...states], outputs: stack({ returnSequences: true }).apply(x, { initialState: states }) })
  await add('stacked-cells-initial-state', [2, 7, 13], begun, {
    x: uniform([2, 4, 3], 2), h_1: uniform([2, 5], 1), c_1: uniform([2, 5], 1), h_0: uniform([2, 3], 1), c_0: uniform([2, 3], 1),
  }, { notes: 'initial states begin with those of the last cell' })
  await add('stacked-cells-return-state', [2, 6, 13], tf.model({ inputs: x, outputs: stack({ returnState: true }).apply(x) }), batch(), {
    notes: 'after the output, the states of the last cell come first',
  })
}

async function addModels() {
  await add('convolution', [2], sequential(
    layers.conv1d({ filters: 5, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu', inputShape: [8, 3] }),
    layers.batchNormalization(),
    layers.lstm({ units: 3, returnSequences: true }),
    layers.dropout({ rate: 0.5 }),
    layers.globalMaxPooling1d({}),
  ), batch([2, 8, 3]))
  await add('repeat-vector', [2, 13], sequential(
    layers.lstm({ units: 3, inputShape: [6, 3] }),
    layers.repeatVector({ n: 4 }),
    layers.lstm({ units: 5, returnSequences: true }),
    layers.flatten(),
    layers.dense({ units: 2, useBias: false }),
    layers.leakyReLU({ alpha: 0.2 }),
  ), batch([2, 6, 3]))

  const x = tf.input({ shape: [6, 5], name: 'x' })
  const y = layers.lstm({ units: 5, returnSequences: true }).apply(x)
  const sum = layers.layerNormalization().apply(layers.add().apply([x, y]))
  const both = layers.concatenate().apply([sum, y])
  const outputs = [layers.globalAveragePooling1d().apply(both), layers.dense({ units: 2 }).apply(both)]
  await add('residual', [2, 28], tf.model({ inputs: x, outputs }), { x: uniform([2, 6, 5], 2) })
}

async function addLayouts() {
  const model = () => sequential(
    layers.lstm({ units: 5, returnSequences: true, inputShape: [null, 3] }),
    layers.lstm({ units: 8, returnSequences: true }),
    layers.dense({ units: 3 }),
  )
  await add('shards', [2, 13], model(), batch(), { layOut: shards })
  for (const dtype of ['uint8', 'uint16', 'float16']) {
    await add(`quantised-${dtype}`, dtype === 'float16' ? [2, 13, 31] : [2, 13], model(), batch(), { layOut: quantised(dtype) })
  }
}

/** Weights only, for cells that are functions and not layers: BasicLSTMCell of TensorFlow 1. */
function addBasicCells() {
  const basic = (name, rows, forgetBias, sizes) => {
    const specs = []
    const values = []
    const cells = []
    let features = 3
    for (const [n, units] of sizes.entries()) {
      const [kernel, bias] = [uniform([features + units, 4 * units], 0.8), uniform([4 * units], 0.8)]
      cells.push((data, c, h) => tf.basicLSTMCell(tf.scalar(forgetBias), kernel, bias, data, c, h))
      for (const [part, value] of [['kernel', kernel], ['bias', bias]]) {
        specs.push({ name: `rnn/multi_rnn_cell/cell_${n}/basic_lstm_cell/${part}`, shape: value.shape, dtype: 'float32' })
        values.push(Buffer.from(value.dataSync().slice().buffer))
      }
      features = units
    }
    const folder = join(directory, name)
    if (!isExact) mkdirSync(folder)
    if (!isExact) writeFileSync(join(folder, 'weights_manifest.json'), JSON.stringify(oneFile(folder, specs, Buffer.concat(values))))
    const c = sizes.map((units) => uniform([2, units], 1))
    const h = sizes.map((units) => uniform([2, units], 1))
    const x = uniform([2, 3], 2)
    const [cNext, hNext] = tf.multiRNNCell(cells, x, c, h)
    const states = (parts, prefix) => Object.fromEntries(parts.map((part, n) => [`${prefix}_${n}`, part]))
    record(name, `${name}/weights_manifest.json`, [1, 6, 7, 21, ...rows], { forgetBias, cells: sizes, weights: 'oneFile' }, [
      { inputs: { x, ...states(c, 'c'), ...states(h, 'h') }, outputs: { ...states(cNext, 'c'), ...states(hNext, 'h') } },
    ], 'one step of tf.multiRNNCell with tf.basicLSTMCell: gates i, j, f, o, forgetBias added at run time')
  }
  basic('basic-lstm-cell', [], 1, [5])
  basic('basic-lstm-cell-forget-bias', [], 0.25, [8])
  basic('multi-rnn-cell', [13], 1, [5, 3])
}

/** GRUs, whose reset gate always comes before the recurrent product, and plain RNNs. */
async function addGrus() {
  for (const [kind, make, row] of [['gru', layers.gru, 35], ['rnn', layers.simpleRNN, 37]]) {
    const one = (config) => sequential(make({ units: 5, inputShape: [null, 3], ...config }))
    for (const [units, returnSequences] of [[1, false], [3, true], [8, true], [17, false]]) {
      await add(`${kind}-${units}`, [2, 5, row], one({ units, returnSequences }), batch([3, 5, 3]), { options: { units, returnSequences } })
    }
    const several = {
      'no-bias': [[24], { useBias: false }],
      'go-backwards': [[10], { goBackwards: true }],
      'go-backwards-sequences': [[10], { goBackwards: true, returnSequences: true }],
      'activation-relu': [[23], { activation: 'relu', returnSequences: true }],
      'activation-softsign': [[23], { activation: 'softsign', returnSequences: true }],
      'activation-hard-sigmoid': [[23], { activation: 'hardSigmoid', returnSequences: true }],
      ...(kind === 'gru' && {
        'recurrent-sigmoid': [[23], { recurrentActivation: 'sigmoid', returnSequences: true }],
        'recurrent-tanh': [[23], { recurrentActivation: 'tanh', returnSequences: true, implementation: 1 }],
      }),
    }
    for (const [name, [rows, options]] of Object.entries(several)) await add(`${kind}-${name}`, [2, row, ...rows], one(options), batch([5, 4, 3]), { options })

    const stateful = sequential(make({ units: 5, batchInputShape: [2, 3, 4], stateful: true, returnSequences: true }))
    const calls = [false, false, true].map((reset) => ({ ...batch([2, 3, 4]), reset }))
    await add(`${kind}-stateful`, [2, 8, 9, row], stateful, calls, { options: { stateful: true } })

    const [x, h] = [tf.input({ shape: [null, 3], name: 'x' }), tf.input({ shape: [5], name: 'h' })]
    const states = () => ({ x: uniform([5, 5, 3], 2), h: uniform([5, 5], 1) })
    const apply = (input, config) => make({ units: 5, ...config }).apply(input, { initialState: [h] })
    await add(`${kind}-initial-state`, [2, 7, row], tf.model({ inputs: [x, h], outputs: apply(x, { returnSequences: true }) }), states())
    const masked = tf.model({ inputs: [x, h], outputs: apply(layers.masking({ maskValue: 0 }).apply(x), { returnSequences: true }) })
    const fed = states()
    fed.x = fed.x.mul(tf.tensor(MASK).expandDims(2))
    await add(`${kind}-masking-initial-state`, [2, 7, 25, 26, row], masked, fed, { notes: 'at a masked first step the held output is h' })
    const [output, hLast] = make({ units: 5, returnState: true, returnSequences: true }).apply(x)
    await add(`${kind}-return-state`, [2, 6, row], tf.model({ inputs: x, outputs: [output, hLast] }), { x: uniform([2, 4, 3], 2) })

    for (const mergeMode of ['concat', 'sum']) {
      const layer = make({ units: 5, returnSequences: mergeMode === 'concat' })
      const both = sequential(layers.bidirectional({ layer, mergeMode, inputShape: [4, 3] }))
      await add(`${kind}-bidirectional-${mergeMode}`, [2, 11, row], both, batch(), { options: { mergeMode } })
    }
    const model = sequential(layers.masking({ maskValue: 0, inputShape: [5, 3] }), make({ units: 3, returnSequences: true }), make({ units: 5 }))
    await add(`${kind}-masking-stacked`, [2, 13, 25, 26, row], model, { x: uniform([5, 5, 3], 2).mul(tf.tensor(MASK).expandDims(2)) })
  }
  const cells = () => [layers.gruCell({ units: 3 }), layers.lstmCell({ units: 5, recurrentActivation: 'sigmoid' }), layers.simpleRNNCell({ units: 2 })]
  const stack = (config) => layers.rnn({ cell: layers.stackedRNNCells({ cells: cells() }), ...config })
  await add('gru-stacked-cells', [2, 13, 35, 37], sequential(stack({ returnSequences: true, inputShape: [4, 3] })))
  const x = tf.input({ shape: [4, 3], name: 'x' })
  await add('gru-stacked-cells-return-state', [2, 6, 13, 35, 37], tf.model({ inputs: x, outputs: stack({ returnState: true }).apply(x) }), batch(), {
    notes: 'after the output, the states of the last cell come first',
  })
}

/** A safetensors file of float32 and int32 tensors. */
function safetensors(values) {
  const header = {}
  const parts = []
  let start = 0
  for (const [name, value] of Object.entries(values)) {
    const data = value.dataSync()
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    header[name] = { dtype: value.dtype === 'int32' ? 'I32' : 'F32', shape: value.shape, data_offsets: [start, start + bytes.length] }
    parts.push(bytes)
    start += bytes.length
  }
  const text = JSON.stringify(header)
  const padded = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(padded.length))
  return Buffer.concat([length, padded, ...parts])
}

function readSafetensors(path) {
  const bytes = readFileSync(path)
  const start = 8 + Number(bytes.readBigUInt64LE())
  const header = JSON.parse(bytes.toString('utf8', 8, start))
  return Object.fromEntries(Object.entries(header).map(([name, { dtype, data_offsets: [from, to] }]) => {
    const data = bytes.buffer.slice(bytes.byteOffset + start + from, bytes.byteOffset + start + to)
    return [name, dtype === 'I32' ? new Int32Array(data) : new Float32Array(data)]
  }))
}

/** Masks that means over time leave alone, and that recurrent layers take from layers before; sizes that follow from others. */
async function addLingering() {
  const x = tf.input({ shape: [5, 3], name: 'x' })
  const y = layers.masking({ maskValue: 0 }).apply(x)
  const outputs = layers.lstm({ units: 3, returnSequences: true }).apply(y)
  const means = [y, outputs].map((sequence) => layers.globalAveragePooling1d({}).apply(sequence))
  const fed = () => uniform([5, 5, 3], 2).mul(tf.tensor(MASK).expandDims(2))
  await add('masked-average', [2, 25], tf.model({ inputs: x, outputs: means }), { x: fed() })
  const pooled = sequential(
    layers.masking({ maskValue: 0, inputShape: [5, 3] }), layers.averagePooling1d({ poolSize: 2, strides: 1, padding: 'same' }), layers.lstm({ units: 3 }),
    layers.repeatVector({ n: 5 }), layers.bidirectional({ layer: layers.gru({ units: 2, returnSequences: true, resetAfter: false }) }),
  )
  await add('masks-linger', [2, 11, 25], pooled, { x: fed() }, { notes: 'the mask of a layer before is that of recurrent layers that have none' })
  const z = tf.input({ shape: [5, 3], name: 'z' })
  const ways = [
    layers.concatenate({}).apply([layers.lstm({ units: 2 }).apply(z), layers.lstm({ units: 2 }).apply(layers.masking({ maskValue: 0 }).apply(x))]),
    layers.concatenate({}).apply([layers.lstm({ units: 3 }).apply(layers.masking({ maskValue: 0 }).apply(x)), layers.lstm({ units: 2 }).apply(z)]),
  ]
  for (const [n, way] of ways.entries()) await add(`masks-linger-${n}`, [2, 25], tf.model({ inputs: [x, z], outputs: way }), { x: fed(), z: uniform([5, 5, 3], 2) })
  const rest = sequential(
    layers.lstm({ units: 4, returnSequences: true, inputShape: [5, 3] }), layers.reshape({ targetShape: [null, 2] }), layers.lstm({ units: 2 }),
  )
  await add('reshape-rest', [2], rest, { x: uniform([2, 5, 3], 2) })
}

function differences() {
  const read = (folder) => [JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8')).cases, readSafetensors(join(folder, 'cases.safetensors'))]
  const [[stored, old], [fresh, now]] = [read(GOLDEN), read(directory)]
  const plain = (list) => JSON.stringify(list, (key, value) => (key === 'float64Distance' ? undefined : value))
  const found = plain(stored) === plain(fresh) ? [] : ['the cases differ']
  for (const name of new Set([...Object.keys(old), ...Object.keys(now)])) {
    if (name.includes('/rest/')) continue // roundings, which may be others on another machine
    const same = old[name]?.length === now[name]?.length
      && old[name].every((value, n) => Math.abs(value - now[name][n]) <= TOLERANCE * (1 + Math.abs(value)))
    if (!same) found.push(`${name}: differs`)
  }
  return found
}

await addLstms()
await addMasks()
await addBidirectional()
await addStacks()
await addModels()
await addLayouts()
addBasicCells()
await addGrus()
await addLingering()

if (isExact) {
  process.stdout.write(JSON.stringify(Object.fromEntries(Object.entries(tensors).map(([name, value]) => [name, [...value.dataSync()]]))))
  process.exit()
}
addFloat64()

const versions = { node: process.versions.node, tfjs: tf.version.tfjs }
const lines = cases.map((one) => JSON.stringify(one)).join(',\n')
writeFileSync(join(directory, 'cases.json'), `{"versions": ${JSON.stringify(versions)},\n"cases": [\n${lines}\n]}\n`)
writeFileSync(join(directory, 'cases.safetensors'), safetensors({ ...tensors, ...rests }))
const rows = [...new Set(cases.flatMap((one) => one.rows))].sort((a, b) => a - b)
console.log(`${cases.length} cases, rows ${rows.join(', ')}`)
if (check === '--check') {
  const found = differences()
  console.log(found.join('\n') || `agrees with ${GOLDEN}`)
  process.exitCode = found.length > 0 ? 1 : 0
} else {
  rmSync(GOLDEN, { recursive: true, force: true })
  cpSync(directory, GOLDEN, { recursive: true })
}
rmSync(directory, { recursive: true })
