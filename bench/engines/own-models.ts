// Models of lstm-wasm, through its public API. Inputs are arrays of the caller, outputs are written to arrays of the caller.
import { DTLN_PORTS, DTLN_STATE } from '../dtln.ts'
import { draw, generated } from '../generation.ts'
import { isRecurrent, outputSizeOf, type Layer } from '../network.ts'
import { SILERO_SAMPLE_RATE, SILERO_SAMPLES } from '../silero.ts'
import type { Instance } from './engine.ts'
import type { Model, Runtime, Stream } from 'lstm-wasm'
import { INT8_TOLERANCE, type PreparedCase } from '../cases.ts'

/** Loaded when it is needed, as the other engines are. */
export const loadLstmWasm = () => Promise.all([import('lstm-wasm'), import('lstm-wasm/layers')])

function layerOf({ dense, embedding, gru, lstm }: typeof import('lstm-wasm/layers'), layer: Layer) {
  if (layer.kind === 'embedding') return embedding(layer.vocabulary, layer.width, { name: layer.name })
  if (layer.kind === 'dense') return dense(layer.units, { name: layer.name, activation: layer.activation })
  const { name, hiddenSize, numLayers, bidirectional, returnSequences } = layer
  return (layer.kind === 'gru' ? gru : lstm)(hiddenSize, { name, numLayers, bidirectional, returnSequences })
}

export async function createLstmWasm(prepared: PreparedCase, variant: string, isInt8: boolean, threads: number = 1): Promise<Instance> {
  const [{ compile, createRuntime, load }, words] = await loadLstmWasm()
  const runtime = await createRuntime({ variant: (variant as 'simd'), threads })
  if (prepared.file === 'silero') {
    const whole = await load(prepared.files[0], { runtime, constants: { sr: SILERO_SAMPLE_RATE } })
    const model = isInt8 ? (await (await import('lstm-wasm/quantization')).quantize(whole, { runtime })).model : whole
    return createSteps(model, model.stream({ sizes: { 'input.1': SILERO_SAMPLES } }), prepared.inputs, new Float32Array(1))
  }
  if (prepared.file === 'dtln') return createDtln(prepared, runtime, isInt8)
  const { layers, tensors, inputs, mode, batch, timesteps, features } = prepared
  const steps = mode === 'sequence' ? timesteps : 'timesteps'
  const described = mode === 'generate' ? words.input([steps], { dtype: 'int32' }) : words.input([steps, features])
  const net = words.sequential([described, ...layers.map((layer) => layerOf(words, layer))], { input: 'x', output: 'y' }).loadStateDict(tensors)
  // Sequences need no streams; models that only run can do without that part of the library.
  const model = isInt8
    ? (await (await import('lstm-wasm/quantization')).quantize(net, { runtime })).model
    : await compile(net, mode === 'sequence' ? { runtime, streams: false } : { runtime })
  const rows = layers.some((layer) => isRecurrent(layer) && !layer.returnSequences) ? batch : batch * timesteps
  if (mode === 'generate') return createGenerator(model, prepared, isInt8)
  const y = new Float32Array(rows * outputSizeOf(layers))
  if (mode === 'step') return createSteps(model, model.stream({ batch }), inputs, y)
  const given = { x: inputs[0] }
  const options = { into: { y } }
  return {
    async: false, run: () => model.run(given, options), output: () => y,
    dispose() {
      model.dispose()
      runtime.dispose()
    },
  }
}

/** @param inputs used in turn */
function createSteps(model: Model, stream: Stream, inputs: readonly Float32Array[], output: Float32Array): Instance {
  let call = 0
  return {
    async: false,
    run() {
      stream.step(inputs[call], output)
      call = call + 1 === inputs.length ? 0 : call + 1
    },
    output: () => output,
    dispose() {
      stream.dispose()
      model.dispose()
    },
  }
}

/** States go in and come out as arrays of the caller, by turns. */
async function createDtln({ files, inputs }: PreparedCase, runtime: Runtime, isInt8: boolean): Promise<Instance> {
  const [{ load }] = await loadLstmWasm()
  const { quantize } = await import('lstm-wasm/quantization')
  const output = new Float32Array(DTLN_PORTS.reduce((sum, { size }) => sum + size, 0))
  const networks: { readonly model: Model, readonly run: (call: number) => unknown }[] = []
  // An even number, so that the turns go on.
  const calls = 2 * inputs.length
  let begin = 0
  for (const [n, ports] of DTLN_PORTS.entries()) {
    const whole = await load(files[n], { runtime })
    const model = isInt8 ? (await quantize(whole, { runtime })).model : whole
    const part = [begin, begin += ports.size] as const
    const into = output.subarray(...part)
    const [one, other] = [0, 1].map(() => ({ data: new Float32Array(DTLN_STATE.reduce((a, b) => a * b)), shape: DTLN_STATE, dtype: 'float32' as const }))
    const turns = [[one, other], [other, one]].map(([before, after]) => ({ before, options: { into: { [ports.output]: into, [ports.after]: after } } }))
    const given = Array.from({ length: calls }, (_, call) => (
      { [ports.input]: inputs[call % inputs.length].subarray(...part), [ports.before]: turns[call % 2].before }
    ))
    networks.push({ model, run: (call) => model.run(given[call], turns[call % 2].options) })
  }
  let call = 0
  return {
    async: false,
    run() {
      for (const network of networks) network.run(call)
      call = call + 1 === calls ? 0 : call + 1
    },
    output: () => output,
    dispose() {
      for (const { model } of networks) model.dispose()
    },
  }
}

/** @param isRead whether the characters are those that float64 writes, so that every step can be compared with it: one that differs makes another text */
function createGenerator(model: Model, { layers, chances, expected }: PreparedCase, isRead: boolean): Instance {
  const written = isRead ? expected[0] : undefined
  const stream = model.stream()
  const token = new Int32Array(1)
  const tokens = new Int32Array(chances.length)
  const probabilities = new Float32Array(outputSizeOf(layers))
  return {
    async: false,
    run() {
      stream.reset()
      token[0] = 0
      for (let n = 0; n < chances.length; n++) {
        stream.step(token, probabilities)
        const drawn = draw(probabilities, chances[n])
        token[0] = tokens[n] = written?.[n] ?? drawn
      }
    },
    output() {
      // Beside tokens, which are whole numbers up to 64, probabilities would be allowed any distance.
      const last = Array.from(written?.subarray(tokens.length) ?? [])
      const worst = Math.max(0, ...last.map((value, n) => Math.abs(value - probabilities[n])))
      if (worst > INT8_TOLERANCE) throw new Error(`its last probabilities are ${worst.toExponential(1)} away from the float64 reference; ${INT8_TOLERANCE} is allowed`)
      return generated(tokens, probabilities)
    },
    dispose() {
      stream.dispose()
      model.dispose()
    },
  }
}
