// Silero VAD from its plain tensors, with the graph written by hand. These tensors are of another training than those in the
// ONNX files, so that outputs differ by up to 0.24: expected.json, which was made from ONNX, is for the graph with ONNX's weights.
import { expect } from 'vitest'
import { readOnnx } from '../../src/formats/onnx/index.ts'
import { readSafetensors } from '../../src/formats/safetensors/safetensors.ts'
import { GraphBuilder } from '../../src/graph/builder.ts'
import type { Graph, GraphNode } from '../../src/graph/graph.ts'
import { addAllOperators } from '../../src/ops/all.ts'
import { compile } from '../../src/model/load.ts'
import { NdArray, type ArrayLike } from '../../src/values/ndarray.ts'
import { distance, itWithModels } from './model-folder.ts'
import { CONTEXT, FRAME, samplesOf } from './speech.ts'

const STEP = 128
const BINS = 129

/** Every 25th frame's probability from the safetensors file, by PyTorch 2.13 in float32. */
const BY_PYTORCH = [
  0.4507129, 0.9995444, 0.9997844, 0.0164092, 0.9998925, 0.999696, 0.0420326, 0.9999436,
  0.999965, 0.0167311, 0.0332637, 0.0027156, 0.9976076, 0.9849067, 0.9992445, 0.9998517,
]
const APART = 25

interface Expected {
  readonly frames: number
  readonly probs: readonly number[]
}

/** input [1, 576] and the state h, c [1, 1, 128] -> output [1, 1, 1] and the next state. */
function graphOf(tensors: ReadonlyMap<string, ArrayLike>): Graph {
  addAllOperators()
  const graph = new GraphBuilder()
  for (const [name, tensor] of tensors) graph.constant(name, tensor)
  const integers = (...values: number[]): string => {
    const name = `integers ${values.join(' ')}`
    if (!graph.types.has(name)) graph.constant(name, new NdArray(Int32Array.from(values), [values.length]))
    return name
  }
  let count = 0
  const add = (op: string, inputs: readonly string[], attributes: GraphNode['attributes'] = {}): string => {
    const name = `${count++}.${op}`
    graph.add({ name, op, inputs, outputs: [name], parameters: {}, attributes })
    return name
  }
  graph.input({ name: 'input', dtype: 'float32', shape: ['batch', CONTEXT + FRAME] })
  for (const name of ['h', 'c']) graph.input({ name, dtype: 'float32', shape: [1, 'batch', 128], optional: true })
  // The spectrum: windows of 256 samples every 128, the end mirrored; sine and cosine parts are rows of one convolution.
  const wave = add('pad', [add('unsqueeze', ['input', integers(1)]), integers(0, 0, 0, 0, 0, CONTEXT)], { mode: 'reflect' })
  const spectrum = add('conv', [wave, 'stft_conv.weight'], { strides: [STEP] })
  const part = (begin: number): string => add('square', [add('slice', [spectrum, integers(begin), integers(begin + BINS), integers(1)])])
  let x = add('sqrt', [add('add', [part(0), part(BINS)])])
  for (const [n, stride] of [1, 2, 2, 1].entries()) {
    x = add('relu', [add('conv', [x, `conv${n + 1}.weight`, `conv${n + 1}.bias`], { strides: [stride], pads: [1, 1] })])
  }
  const sequence = add('transpose', [x], { perm: [0, 2, 1] })
  graph.add({
    name: 'lstm_cell', op: 'lstm', inputs: [sequence, 'h', 'c'], outputs: ['y', 'last h', 'last c'],
    parameters: {
      '0.forward.inputWeights': 'lstm_cell.weight_ih', '0.forward.recurrentWeights': 'lstm_cell.weight_hh',
      '0.forward.inputBias': 'lstm_cell.bias_ih', '0.forward.recurrentBias': 'lstm_cell.bias_hh',
    },
    attributes: { hiddenSize: 128, numLayers: 1, returnSequences: true },
  })
  const positive = add('relu', [add('transpose', ['y'], { perm: [0, 2, 1] })])
  const output = add('sigmoid', [add('conv', [positive, 'final_conv.weight', 'final_conv.bias'])])
  return graph.finish([{ name: 'output', value: output }, { name: 'h', value: 'last h' }, { name: 'c', value: 'last c' }])
}

/** The probability of speech in each frame. */
async function probabilitiesOf(tensors: ReadonlyMap<string, ArrayLike>, samples: Float32Array, frames: number): Promise<number[]> {
  using model = await compile(graphOf(tensors))
  const frame = new Float32Array(CONTEXT + FRAME)
  let state: Readonly<Record<string, NdArray>> = {}
  const probabilities: number[] = []
  for (let n = 0; n < frames; n++) {
    frame.copyWithin(0, FRAME)
    frame.set(samples.subarray(n * FRAME, (n + 1) * FRAME), CONTEXT)
    const { output, h, c } = model.run({ input: new NdArray(frame, [1, CONTEXT + FRAME]), ...state })
    probabilities.push(output?.data[0] as number)
    state = { h: h as NdArray, c: c as NdArray }
  }
  return probabilities
}

/** The weights of an ONNX file under the names of the safetensors file. */
function weightsOf(graph: Graph): Map<string, ArrayLike> {
  const tensors: Map<string, ArrayLike> = new Map()
  const take = (name: string, constant: string | undefined): void => {
    if (constant !== undefined) tensors.set(name, graph.constants.get(constant) as ArrayLike)
  }
  const names = ['stft_conv', 'conv1', 'conv2', 'conv3', 'conv4', 'final_conv']
  graph.nodes.filter(({ op }) => op === 'conv').forEach(({ inputs }, n) => {
    take(`${names[n]}.weight`, inputs[1])
    take(`${names[n]}.bias`, inputs[2])
  })
  const cell = graph.nodes.find(({ op }) => op === 'lstm')
  const roles = { weight_ih: 'inputWeights', weight_hh: 'recurrentWeights', bias_ih: 'inputBias', bias_hh: 'recurrentBias' }
  for (const [name, role] of Object.entries(roles)) take(`lstm_cell.${name}`, cell?.parameters[`0.forward.${role}`])
  return tensors
}

itWithModels('silero-vad', 'silero_vad_16k.safetensors: frames of speech within 1e-5 of PyTorch', async ({ read, json }) => {
  const { frames, probs } = json('expected.json') as Expected
  const got = await probabilitiesOf(readSafetensors(read('silero_vad_16k.safetensors')).tensors, samplesOf(read('test.wav')), frames)
  expect(distance(got.filter((_, n) => n % APART === 0), BY_PYTORCH)).toBeLessThan(1e-5)
  // Trained otherwise, it hears speech in the same frames, but for one.
  expect(got.filter((value, n) => (value > 0.5) !== ((probs[n] as number) > 0.5))).toHaveLength(1)
})

itWithModels('silero-vad', 'the same graph with the weights of the ONNX file: 400 frames within 1e-5 of onnxruntime', async ({ read, json }) => {
  const { frames, probs } = json('expected.json') as Expected
  const tensors = weightsOf(readOnnx(read('silero_vad_openvino_16k.onnx'), {}))
  expect(frames).toBe(400)
  expect(distance(await probabilitiesOf(tensors, samplesOf(read('test.wav')), frames), probs)).toBeLessThan(1e-5)
})
