// What onnxruntime-web and onnxruntime-node have in common: the same JavaScript API over the same ONNX file.
import { draw, generated } from '../generation.mjs'
import { SILERO_SAMPLE_RATE, SILERO_SAMPLES, SILERO_UNITS } from '../silero.mjs'
import { writeNetwork } from './onnx-file.mjs'

/** @typedef {any} Ort the module of either package: they have one API, and are not installed where types are checked */

/**
 * [timesteps, batch, width] <-> [batch, timesteps, width]
 * @param {ArrayLike<number>} values
 * @param {number} rows
 * @param {number} columns
 */
function swapAxes(values, rows, columns) {
  const width = values.length / rows / columns
  return Float32Array.from({ length: values.length }, (_, at) => {
    const k = at % width
    const cell = (at - k) / width
    return values[((cell % rows) * columns + Math.floor(cell / rows)) * width + k]
  })
}

/**
 * @param {Ort} ort
 * @param {object} sessionOptions
 * @param {import('../cases.mjs').PreparedCase} prepared
 * @returns {Promise<import('./index.mjs').Instance>}
 */
export async function createOnnxruntime(ort, sessionOptions, prepared) {
  const { mode, batch, timesteps, inputs, file, bytes } = prepared
  if (file === 'silero') return createSilero(ort, await ort.InferenceSession.create(bytes, sessionOptions), inputs)
  const network = prepared.network ?? writeNetwork(prepared)
  const session = await ort.InferenceSession.create(network.bytes, sessionOptions)
  const zeros = Object.fromEntries(network.states.flatMap(({ h0, c0, dims }) => [h0, c0].map((name) => (
    [name, new ort.Tensor('float32', new Float32Array(dims.reduce((a, b) => a * b)), dims)]
  ))))
  if (mode === 'generate') return createGenerator(ort, session, network, zeros, prepared)
  // Its sequences are time-major: the caller is taken to have them so, and nothing is turned around while it is timed.
  const given = inputs.map((x) => new ort.Tensor('float32', batch === 1 ? x : swapAxes(x, batch, timesteps), network.inputDims))
  const feeds = { x: given[0], ...zeros }
  let call = 0
  let y = new Float32Array(0)
  return {
    async: true,
    async run() {
      feeds.x = given[call]
      call = call + 1 === given.length ? 0 : call + 1
      const results = await session.run(feeds)
      carry(feeds, results, network.states)
      y = results.y.data
    },
    output: () => (batch === 1 || network.rank === 2 ? y : swapAxes(y, timesteps, batch)),
    dispose: () => session.release(),
  }
}

/**
 * The states that come out go in again, as they are.
 * @param {Record<string, unknown>} feeds
 * @param {Record<string, unknown>} results
 * @param {readonly import('./onnx-file.mjs').StatePorts[]} states
 */
function carry(feeds, results, states) {
  for (const { h0, c0, h, c } of states) {
    feeds[h0] = results[h]
    feeds[c0] = results[c]
  }
}

/**
 * @param {Ort} ort
 * @param {any} session
 * @param {ReturnType<typeof writeNetwork>} network
 * @param {Record<string, unknown>} zeros
 * @param {import('../cases.mjs').PreparedCase} prepared
 * @returns {import('./index.mjs').Instance}
 */
function createGenerator(ort, session, network, zeros, { chances }) {
  const token = new Int32Array(1)
  const x = new ort.Tensor('int32', token, network.inputDims)
  const tokens = new Int32Array(chances.length)
  let probabilities = new Float32Array(0)
  return {
    async: true,
    async run() {
      const feeds = { x, ...zeros }
      token[0] = 0
      for (let n = 0; n < chances.length; n++) {
        const results = await session.run(feeds)
        carry(feeds, results, network.states)
        probabilities = results.y.data
        token[0] = tokens[n] = draw(probabilities, chances[n])
      }
    },
    output: () => generated(tokens, probabilities),
    dispose: () => session.release(),
  }
}

/**
 * @param {Ort} ort
 * @param {any} session
 * @param {readonly Float32Array[]} inputs
 * @returns {import('./index.mjs').Instance}
 */
function createSilero(ort, session, inputs) {
  const given = inputs.map((frame) => new ort.Tensor('float32', frame, [1, SILERO_SAMPLES]))
  const feeds = {
    input: given[0],
    sr: new ort.Tensor('int64', BigInt64Array.of(BigInt(SILERO_SAMPLE_RATE)), []),
    state: new ort.Tensor('float32', new Float32Array(2 * SILERO_UNITS), [2, 1, SILERO_UNITS]),
  }
  let call = 0
  let output = new Float32Array(0)
  return {
    async: true,
    async run() {
      feeds.input = given[call]
      call = call + 1 === given.length ? 0 : call + 1
      const results = await session.run(feeds)
      feeds.state = results.stateN
      output = results.output.data
    },
    output: () => output,
    dispose: () => session.release(),
  }
}
