// What the backends of TensorFlow.js have in common: the cells of its layers, with their weights.
import { draw, generated } from '../generation.ts'
import { cellsOf, isRecurrent, outputSizeOf, type RecurrentLayer, type TensorData } from '../network.ts'
import { loadPeer } from '../peers/load.ts'
import { ROOT } from '../places.ts'
import type { PreparedCase } from '../cases.ts'
import type { Instance } from './engine.ts'

/** The module: not installed where types are checked. */
export type Tf = any

/** Weights are given: the initial ones need not be good, and the usual ones take minutes to make. */
const LSTM_SETTINGS = { recurrentActivation: 'sigmoid', kernelInitializer: 'zeros', recurrentInitializer: 'zeros' }

export async function loadTfjs(): Promise<Tf> {
  const tf = await importTfjs()
  tf.enableProdMode()
  return tf
}

async function importTfjs() {
  if (typeof document !== 'undefined') {
    await import(new URL('bench/peers/node_modules/@tensorflow/tfjs/dist/tf.min.js', ROOT).href)
    return (globalThis as any).tf
  }
  const module = await loadPeer('@tensorflow/tfjs')
  return module.default ?? module
}

export async function createTfjs(tf: Tf, backend: string, prepared: PreparedCase): Promise<Instance> {
  const activate = () => (tf.getBackend() === backend ? Promise.resolve() : tf.setBackend(backend))
  await activate()
  const isBidirectional = prepared.layers.some((layer) => isRecurrent(layer) && layer.bidirectional)
  const instance = isBidirectional ? createBidirectional(tf, prepared) : createSteps(tf, prepared)
  return { async: false, activate, ...instance }
}

/** Kernel [inputs, 4 units], recurrent kernel [units, 4 units] and bias [4 units] in Keras's gate order, which is PyTorch's. */
function cellWeights(tf: Tf, tensors: ReadonlyMap<string, TensorData>, layer: string, suffix: string) {
  const get = (name: string) => {
    const { data, shape } = tensors.get(`${layer}.${name}_${suffix}`) as TensorData
    return tf.tensor(data, shape)
  }
  return [get('weight_ih').transpose(), get('weight_hh').transpose(), get('bias_ih').add(get('bias_hh'))]
}

interface CellOf {
  readonly inputSize: number
  readonly suffix: string
}

function makeCell(tf: Tf, { tensors, batch }: PreparedCase, { name, hiddenSize }: RecurrentLayer, { inputSize, suffix }: CellOf) {
  const cell = tf.layers.lstmCell({ ...LSTM_SETTINGS, units: hiddenSize })
  cell.build([batch, inputSize])
  tf.tidy(() => cell.setWeights(cellWeights(tf, tensors, name, suffix)))
  return cell
}

/**
 * A GRU of operations, as its own LSTMCell is one: its GRUCell has no reset gate after the recurrent product.
 * @param held tensors that are disposed of with the instance
 */
function makeGruCell(tf: Tf, { tensors }: PreparedCase, { name, hiddenSize }: RecurrentLayer, suffix: string, held: any[]) {
  const get = (kind: string) => {
    const { data, shape } = tensors.get(`${name}.${kind}_${suffix}`) as TensorData
    const tensor = tf.tidy(() => (shape.length === 2 ? tf.tensor(data, shape).transpose() : tf.tensor(data, shape)))
    held.push(tensor)
    return tensor
  }
  const [inputWeights, recurrentWeights, inputBias, recurrentBias] = ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh'].map(get)
  return {
    call([x, h]: any[]) {
      const ofX = tf.add(tf.matMul(x, inputWeights), inputBias)
      const ofH = tf.add(tf.matMul(h, recurrentWeights), recurrentBias)
      const [rx, zx, nx] = tf.split(ofX, [hiddenSize, hiddenSize, hiddenSize], 1)
      const [rh, zh, nh] = tf.split(ofH, [hiddenSize, hiddenSize, hiddenSize], 1)
      const z = tf.sigmoid(tf.add(zx, zh))
      const n = tf.tanh(tf.add(nx, tf.mul(tf.sigmoid(tf.add(rx, rh)), nh)))
      const next = tf.add(n, tf.mul(z, tf.sub(h, n)))
      return [next, next]
    },
  }
}

/**
 * The steps of a batch of sequences, each [batch, features]: its callers are taken to have them so, as onnxruntime's are.
 * @param x [batch, timesteps, features]
 */
function framesOf(x: Float32Array, batch: number, timesteps: number) {
  const features = x.length / batch / timesteps
  return Array.from({ length: timesteps }, (_, t) => {
    const frame = new Float32Array(batch * features)
    for (let b = 0; b < batch; b++) frame.set(x.subarray((b * timesteps + t) * features, (b * timesteps + t + 1) * features), b * features)
    return frame
  })
}

/**
 * One step goes through all layers before the next: faster than the layers' own loops over time, which take sequences apart and
 * join them again.
 */
function createSteps(tf: Tf, prepared: PreparedCase) {
  const { layers, tensors, inputs, mode, batch, timesteps, features, chances } = prepared
  const states: any[] = []
  const held: any[] = []
  const stages = layers.map((layer) => {
    if (isRecurrent(layer)) {
      const cells = cellsOf(layer).map(([first]) => {
        const at = states.length
        const count = layer.kind === 'gru' ? 1 : 2
        for (let n = 0; n < count; n++) states.push(tf.zeros([batch, layer.hiddenSize]))
        const cell = layer.kind === 'gru' ? makeGruCell(tf, prepared, layer, first.suffix, held) : makeCell(tf, prepared, layer, first)
        return { cell, at, count }
      })
      return (x: any, next: any[]) => cells.reduce((from, { cell, at, count }) => {
        const [y, ...made] = cell.call([from, ...states.slice(at, at + count)], {})
        next.push(...made)
        return y
      }, x)
    }
    const { data, shape } = tensors.get(`${layer.name}.weight`) as TensorData
    const weight = tf.tidy(() => (layer.kind === 'dense' ? tf.tensor(data, shape).transpose() : tf.tensor(data, shape)))
    held.push(weight)
    if (layer.kind === 'embedding') return (x: any) => tf.gather(weight, x)
    const bias = tf.tensor(tensors.get(`${layer.name}.bias`)?.data)
    held.push(bias)
    return (x: any) => {
      const y = tf.add(tf.matMul(x, weight), bias)
      return layer.activation === 'softmax' ? tf.softmax(y) : y
    }
  })
  /** Layers that run at every step; those after one that gives only its last step run then. */
  const ending = layers.findIndex((layer) => isRecurrent(layer) && !layer.returnSequences) + 1
  /** Runs the layers on an input; the states are kept and those before them let go. */
  const step = (makeInput: () => any, count: number) => {
    const next: any[] = []
    let output = new Float32Array(0)
    // Nothing is returned from tidy: it would look for tensors among the numbers, one by one.
    tf.tidy(() => {
      const y = stages.slice(0, count).reduce((x, stage) => stage(x, next), makeInput())
      next.forEach((tensor) => tf.keep(tensor))
      if (count === stages.length) output = y.dataSync()
    })
    states.forEach((tensor, n) => {
      tensor.dispose()
      states[n] = next[n]
    })
    return output
  }
  const forget = () => states.forEach((tensor, n) => {
    states[n] = tf.zeros(tensor.shape)
    tensor.dispose()
  })
  const dispose = () => [...states, ...held].forEach((tensor) => tensor.dispose())
  const all = stages.length
  if (mode === 'generate') {
    const tokens = new Int32Array(chances.length)
    let probabilities = new Float32Array(0)
    return {
      run() {
        forget()
        let token = 0
        for (let n = 0; n < chances.length; n++) {
          probabilities = step(() => tf.tensor1d([token], 'int32'), all)
          token = tokens[n] = draw(probabilities, chances[n])
        }
      },
      output: () => generated(tokens, probabilities),
      dispose,
    }
  }
  if (mode === 'sequence') {
    const frames = framesOf(inputs[0], batch, timesteps)
    const width = outputSizeOf(layers)
    const output = new Float32Array(batch * (ending > 0 ? 1 : timesteps) * width)
    return {
      run() {
        forget()
        frames.forEach((frame, t) => {
          const y = step(() => tf.tensor2d(frame, [batch, features]), ending > 0 && t < timesteps - 1 ? ending : all)
          if (ending > 0) {
            output.set(y)
          } else writeStep(output, y, { t, batch, timesteps })
        })
      },
      output: () => output,
      dispose,
    }
  }
  let call = 0
  let output = new Float32Array(0)
  return {
    run() {
      const x = inputs[call]
      call = call + 1 === inputs.length ? 0 : call + 1
      output = step(() => tf.tensor2d(x, [batch, features]), all)
    },
    output: () => output,
    dispose,
  }
}

/**
 * @param output [batch, timesteps, width]
 * @param y [batch, width]
 */
function writeStep(output: Float32Array, y: Float32Array, { t, batch, timesteps }: { t: number, batch: number, timesteps: number }) {
  const width = y.length / batch
  for (let b = 0; b < batch; b++) output.set(y.subarray(b * width, (b + 1) * width), (b * timesteps + t) * width)
}

/** Layer after layer, both directions of each. */
function createBidirectional(tf: Tf, prepared: PreparedCase) {
  const { layers, inputs, batch, timesteps, features } = prepared
  const levels = layers.flatMap((layer) => {
    if (layer.kind !== 'lstm' || !layer.returnSequences) throw new Error('bidirectional cases have LSTMs alone, with all their steps')
    return cellsOf(layer).map((directions) => ({ units: layer.hiddenSize, cells: directions.map((direction) => makeCell(tf, prepared, layer, direction)) }))
  })
  const frames = framesOf(inputs[0], batch, timesteps)
  const output = new Float32Array(batch * timesteps * outputSizeOf(layers))
  return {
    run() {
      tf.tidy(() => {
        let xs = frames.map((frame) => tf.tensor2d(frame, [batch, features]))
        for (const { units, cells } of levels) {
          const parts = cells.map((cell, direction) => {
            let [h, c] = [tf.zeros([batch, units]), tf.zeros([batch, units])]
            const ys = Array(timesteps)
            for (let n = 0; n < timesteps; n++) {
              const t = direction === 0 ? n : timesteps - 1 - n
              const from = [xs[t], h, c]
              ;[, h, c] = tf.tidy(() => cell.call(from, {}))
              ys[t] = h
            }
            return ys
          })
          xs = xs.map((_, t) => (parts.length === 1 ? parts[0][t] : tf.concat(parts.map((ys) => ys[t]), 1)))
        }
        xs.forEach((y, t) => writeStep(output, y.dataSync(), { t, batch, timesteps }))
      })
    },
    output: () => output,
    dispose: () => undefined,
  }
}
