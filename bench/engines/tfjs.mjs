// What the backends of TensorFlow.js have in common: layers, and cells for single steps.
import { draw, generated } from '../generation.mjs'
import { cellsOf, outputSizeOf } from '../network.mjs'
import { loadPeer } from '../peers/load.mjs'

/** @typedef {any} Tf the module: not installed where types are checked */

/** Weights are given: the initial ones need not be good, and the usual ones take minutes to make. */
const LSTM_SETTINGS = { recurrentActivation: 'sigmoid', kernelInitializer: 'zeros', recurrentInitializer: 'zeros' }

/** Long sequences go through the layers in chunks, the state carried on: its loop over time takes longer than in proportion to its length. */
const CHUNK = 500

/** @returns {Promise<Tf>} */
export async function loadTfjs() {
  const tf = await importTfjs()
  tf.enableProdMode()
  return tf
}

async function importTfjs() {
  if (typeof document !== 'undefined') {
    await import(new URL('../peers/node_modules/@tensorflow/tfjs/dist/tf.min.js', import.meta.url).href)
    return /** @type {any} */ (globalThis).tf
  }
  const module = await loadPeer('@tensorflow/tfjs')
  return module.default ?? module
}

/**
 * @param {Tf} tf
 * @param {string} backend
 * @param {import('../cases.mjs').PreparedCase} prepared
 * @returns {Promise<import('./index.mjs').Instance>}
 */
export async function createTfjs(tf, backend, prepared) {
  const activate = () => (tf.getBackend() === backend ? Promise.resolve() : tf.setBackend(backend))
  await activate()
  const { mode, layers, timesteps } = prepared
  const isLong = timesteps > CHUNK && layers.every((layer) => layer.kind === 'dense' || (layer.kind === 'lstm' && layer.returnSequences && !layer.bidirectional))
  const instance = mode === 'step' || mode === 'generate' ? createSteps(tf, prepared) : isLong ? createChunks(tf, prepared) : createSequence(tf, prepared)
  return { async: false, activate, ...instance }
}

/**
 * Kernel [inputs, 4 units], recurrent kernel [units, 4 units] and bias [4 units] in Keras's gate order, which is PyTorch's.
 * @param {Tf} tf
 * @param {ReadonlyMap<string, import('../network.mjs').TensorData>} tensors
 * @param {string} layer
 * @param {string} suffix
 */
function cellWeights(tf, tensors, layer, suffix) {
  const get = (/** @type {string} */ name) => {
    const { data, shape } = /** @type {import('../network.mjs').TensorData} */ (tensors.get(`${layer}.${name}_${suffix}`))
    return tf.tensor(data, shape)
  }
  return [get('weight_ih').transpose(), get('weight_hh').transpose(), get('bias_ih').add(get('bias_hh'))]
}

/**
 * The layers with their weights, one LSTM of one or two directions each.
 * @param {Tf} tf
 * @param {import('../cases.mjs').PreparedCase} prepared
 * @param {boolean} returnState
 * @returns {any[]}
 */
function makeLayers(tf, { layers, tensors, batch, features }, returnState) {
  const stack = layers.flatMap((layer) => {
    if (layer.kind === 'embedding') throw new Error('no sequence of tokens among the cases')
    if (layer.kind === 'dense') {
      const made = tf.layers.dense({ units: layer.units, activation: layer.activation, kernelInitializer: 'zeros' })
      const [weight, bias] = ['weight', 'bias'].map((name) => tensors.get(`${layer.name}.${name}`))
      return [{ made, weights: () => [tf.tensor(weight?.data, weight?.shape).transpose(), tf.tensor(bias?.data)] }]
    }
    return cellsOf(layer).map((cells, level) => {
      const single = tf.layers.lstm({
        ...LSTM_SETTINGS, units: layer.hiddenSize, returnState,
        returnSequences: layer.returnSequences || level < layer.numLayers - 1,
      })
      const made = layer.bidirectional ? tf.layers.bidirectional({ layer: single, mergeMode: 'concat' }) : single
      return { made, weights: () => cells.flatMap(({ suffix }) => cellWeights(tf, tensors, layer.name, suffix)) }
    })
  })
  tf.tidy(() => {
    stack.reduce((x, { made, weights }) => {
      const y = made.apply(x)
      made.setWeights(weights())
      return Array.isArray(y) ? y[0] : y
    }, tf.zeros([batch, 1, features]))
  })
  return stack.map(({ made }) => made)
}

/**
 * @param {Tf} tf
 * @param {import('../cases.mjs').PreparedCase} prepared
 */
function createSequence(tf, prepared) {
  const { inputs, batch, timesteps, features } = prepared
  const stack = makeLayers(tf, prepared, false)
  let output = new Float32Array(0)
  return {
    run() {
      output = tf.tidy(() => stack.reduce((x, layer) => layer.apply(x), tf.tensor3d(inputs[0], [batch, timesteps, features])).dataSync())
    },
    output: () => output,
    dispose: () => stack.forEach((layer) => layer.dispose()),
  }
}

/**
 * @param {Tf} tf
 * @param {import('../cases.mjs').PreparedCase} prepared
 */
function createChunks(tf, prepared) {
  const { inputs: [input], batch, timesteps, features } = prepared
  const stack = makeLayers(tf, prepared, true)
  const width = outputSizeOf(prepared.layers)
  const output = new Float32Array(batch * timesteps * width)
  /** States of the LSTMs, by layer; none of a dense layer. @type {any[][]} */
  let states = []
  const forget = () => {
    states.flat().forEach((tensor) => tensor.dispose())
    states = stack.map(() => [])
  }
  const runChunk = (/** @type {any} */ x) => tf.tidy(() => {
    const y = stack.reduce((from, layer, n) => {
      const result = layer.apply(from, states[n].length > 0 ? { initialState: states[n] } : undefined)
      if (!Array.isArray(result)) return result
      const [sequence, ...next] = result
      states[n].forEach((tensor) => tensor.dispose())
      states[n] = next.map((tensor) => tf.keep(tensor))
      return sequence
    }, x)
    return y.dataSync()
  })
  return {
    run() {
      forget()
      for (let begin = 0; begin < timesteps; begin += CHUNK) {
        const steps = Math.min(CHUNK, timesteps - begin)
        const chunk = tf.tidy(() => tf.tensor3d(input, [batch, timesteps, features]).slice([0, begin, 0], [batch, steps, features]))
        const y = runChunk(chunk)
        chunk.dispose()
        for (let b = 0; b < batch; b++) output.set(y.subarray(b * steps * width, (b + 1) * steps * width), (b * timesteps + begin) * width)
      }
    },
    output: () => output,
    dispose() {
      forget()
      stack.forEach((layer) => layer.dispose())
    },
  }
}

/**
 * Steps by the cells themselves: without the loop over time, and with the state in hand.
 * @param {Tf} tf
 * @param {import('../cases.mjs').PreparedCase} prepared
 */
function createSteps(tf, { layers, tensors, inputs, mode, batch, features, chances }) {
  /** @type {any[]} */
  const states = []
  /** @type {any[]} */
  const held = []
  const keep = (/** @type {any} */ tensor) => {
    held.push(tensor)
    return tensor
  }
  const stages = layers.map((layer) => {
    if (layer.kind === 'lstm') {
      const cells = cellsOf(layer).map(([first]) => {
        const { inputSize, suffix } = /** @type {{ inputSize: number, suffix: string }} */ (first)
        const cell = tf.layers.lstmCell({ ...LSTM_SETTINGS, units: layer.hiddenSize })
        cell.build([batch, inputSize])
        tf.tidy(() => cell.setWeights(cellWeights(tf, tensors, layer.name, suffix)))
        const at = states.length
        states.push(tf.zeros([batch, layer.hiddenSize]), tf.zeros([batch, layer.hiddenSize]))
        return { cell, at }
      })
      return (/** @type {any} */ x, /** @type {any[]} */ next) => cells.reduce((from, { cell, at }) => {
        const [y, h, c] = cell.call([from, states[at], states[at + 1]], {})
        next.push(h, c)
        return y
      }, x)
    }
    const { data, shape } = /** @type {import('../network.mjs').TensorData} */ (tensors.get(`${layer.name}.weight`))
    const weight = keep(tf.tidy(() => (layer.kind === 'dense' ? tf.tensor(data, shape).transpose() : tf.tensor(data, shape))))
    if (layer.kind === 'embedding') return (/** @type {any} */ x) => tf.gather(weight, x)
    const bias = keep(tf.tensor(tensors.get(`${layer.name}.bias`)?.data))
    return (/** @type {any} */ x) => {
      const y = tf.add(tf.matMul(x, weight), bias)
      return layer.activation === 'softmax' ? tf.softmax(y) : y
    }
  })
  /** Runs all layers; the states are kept and those before them let go. */
  const step = (/** @type {() => any} */ makeInput) => {
    /** @type {any[]} */
    const next = []
    const output = tf.tidy(() => {
      const y = stages.reduce((x, stage) => stage(x, next), makeInput())
      next.forEach((tensor) => tf.keep(tensor))
      return y.dataSync()
    })
    states.forEach((tensor, n) => {
      tensor.dispose()
      states[n] = next[n]
    })
    return output
  }
  const dispose = () => [...states, ...held].forEach((tensor) => tensor.dispose())
  if (mode === 'generate') {
    const tokens = new Int32Array(chances.length)
    let probabilities = new Float32Array(0)
    return {
      run() {
        states.forEach((tensor, n) => {
          states[n] = tf.zeros(tensor.shape)
          tensor.dispose()
        })
        let token = 0
        for (let n = 0; n < chances.length; n++) {
          probabilities = step(() => tf.tensor1d([token], 'int32'))
          token = tokens[n] = draw(probabilities, chances[n])
        }
      },
      output: () => generated(tokens, probabilities),
      dispose,
    }
  }
  let call = 0
  let output = new Float32Array(0)
  return {
    run() {
      const x = inputs[call]
      call = call + 1 === inputs.length ? 0 : call + 1
      output = step(() => tf.tensor2d(x, [batch, features]))
    },
    output: () => output,
    dispose,
  }
}
