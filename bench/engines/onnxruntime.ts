// What onnxruntime-web and onnxruntime-node have in common: the same JavaScript API over the same ONNX file.
import { DTLN_PORTS, DTLN_STATE } from '../dtln.ts'
import { draw, generated } from '../generation.ts'
import { SILERO_SAMPLE_RATE, SILERO_SAMPLES, SILERO_UNITS } from '../silero.ts'
import type { StatePorts } from '../network.ts'
import { writeNetwork } from './onnx-file.ts'
import type { PreparedCase } from '../cases.ts'
import type { Instance } from './engine.ts'

/** The module of either package: they have one API, and are not installed where types are checked. */
export type Ort = any

/** [timesteps, batch, width] <-> [batch, timesteps, width] */
function swapAxes(values: ArrayLike<number>, rows: number, columns: number) {
  const width = values.length / rows / columns
  return Float32Array.from({ length: values.length }, (_, at) => {
    const k = at % width
    const cell = (at - k) / width
    return values[((cell % rows) * columns + Math.floor(cell / rows)) * width + k]
  })
}

export async function createOnnxruntime(ort: Ort, sessionOptions: object, prepared: PreparedCase): Promise<Instance> {
  const { mode, batch, timesteps, inputs, file, files } = prepared
  if (file !== undefined) {
    const sessions = await Promise.all(files.map((bytes) => ort.InferenceSession.create(bytes, sessionOptions)))
    return file === 'silero' ? createSilero(ort, sessions[0], inputs) : createDtln(ort, sessions, inputs)
  }
  const network = prepared.network ?? writeNetwork(prepared)
  const session = await ort.InferenceSession.create(network.bytes, sessionOptions)
  const zeros = Object.fromEntries(network.states.map(({ before, dims }) => (
    [before, new ort.Tensor('float32', new Float32Array(dims.reduce((a, b) => a * b)), dims)]
  )))
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

/** The states that come out go in again, as they are. */
function carry(feeds: Record<string, unknown>, results: Record<string, unknown>, states: readonly StatePorts[]) {
  for (const { before, after } of states) feeds[before] = results[after]
}

function createGenerator(
  ort: Ort, session: any, network: ReturnType<typeof writeNetwork>, zeros: Record<string, unknown>, { chances }: PreparedCase,
): Instance {
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

function createSilero(ort: Ort, session: any, inputs: readonly Float32Array[]): Instance {
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

function createDtln(ort: Ort, sessions: readonly any[], inputs: readonly Float32Array[]): Instance {
  let begin = 0
  const networks = DTLN_PORTS.map((ports, n) => {
    const part = [begin, begin += ports.size] as const
    const given = inputs.map((x) => new ort.Tensor('float32', x.slice(...part), [1, 1, ports.size]))
    const state = new ort.Tensor('float32', new Float32Array(DTLN_STATE.reduce((a, b) => a * b)), DTLN_STATE)
    const feeds: Record<string, unknown> = { [ports.before]: state }
    return { ...ports, session: sessions[n], given, feeds, part }
  })
  const output = new Float32Array(begin)
  let call = 0
  return {
    async: true,
    async run() {
      for (const { session, given, feeds, part, ...ports } of networks) {
        feeds[ports.input] = given[call]
        const results = await session.run(feeds)
        feeds[ports.before] = results[ports.after]
        output.set(results[ports.output].data, part[0])
      }
      call = call + 1 === inputs.length ? 0 : call + 1
    },
    output: () => output,
    dispose: () => Promise.all(sessions.map((session) => session.release())),
  }
}
