// What the readers say of GRUs and plain RNNs: weights alone as state dicts, the lines that load them, and what does not fit.
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { addAllOperators } from '../../src/ops/all.ts'
import { dialectOf, KERAS_3 } from '../../src/formats/keras/dialect.ts'
import { parseModel } from '../../src/formats/keras/config.ts'
import { readKeras, readKerasWeights } from '../../src/formats/keras/index.ts'
import { buildModel } from '../../src/formats/keras/network.ts'
import { NamedWeights } from '../../src/formats/keras/weights.ts'
import { graphOfStateDict } from '../../src/formats/pytorch.ts'
import { recurrentTensors } from '../../src/formats/pytorch-names.ts'
import { readTensorflow1, tensorflow1StateDict } from '../../src/formats/tf1/reader.ts'
import { readTensorflow1Variables } from '../../src/formats/tf1/variables.ts'
import { readTfjsStateDict, tfjs } from '../../src/formats/tfjs/index.ts'
import type { ModelFiles } from '../../src/formats/reader.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { formatSummary, summarise } from '../../src/graph/summary.ts'
import { gru, sequential, simpleRnn, type Layer } from '../../src/layers/index.ts'
import { compile } from '../../src/model/load.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError, expectRejection } from '../expect-error.ts'
import { random } from '../weights.ts'

addAllOperators()

const golden = (name: string): Uint8Array => readFileSync(new URL(`../golden/${name}`, import.meta.url))

/** The only output for one input [2, 5, features]. */
async function outputOf(graph: Parameters<typeof compile>[0], features: number): Promise<NdArray> {
  using model = await compile(graph)
  const [output] = Object.values(model.run({ [model.inputs[0]?.name ?? '']: random(3, 2, 5, features) }))
  return output as NdArray
}

describe('weights of Keras alone', () => {
  it.each<[string, (options: object) => Layer, string]>([
    ['gru-3', (options) => gru(3, { name: 'gru', ...options }), "gru(3, { name: 'gru', returnSequences: true })"],
    ['gru-before-3', (options) => gru(3, { name: 'gru', resetAfter: false, ...options }), "gru(3, { name: 'gru', resetAfter: false, returnSequences: true })"],
    ['rnn-3', (options) => simpleRnn(3, options), "simpleRnn(3, { name: 'simple_rnn', returnSequences: true })"],
  ])('%s: the numbers of the whole model, and the line that gives them', async (name, layer, line) => {
    const weights = golden(`keras3/${name}.weights.h5`)
    const whole = await outputOf(readKeras(golden(`keras3/${name}.keras`)), 3)
    expect(await outputOf(sequential([layer({ returnSequences: true })]).loadStateDict(readKerasWeights(weights)), 3)).toEqual(whole)
    expect(expectError(() => readKeras(weights), 'UNSUPPORTED', /^this file holds weights/).message).toContain(`  ${line}, // ${line.startsWith('simpleRnn') ? "its function is not in the file: tanh, unless activation: 'relu' is added; " : ''}returnSequences`)
  })

  it('in the layout of cuDNN have two biases', () => {
    const tensors = readKerasWeights(golden('keras-files/k2_gru_cudnn_6u.h5'))
    const plain = readKerasWeights(golden('keras-files/k2_gru_plain.h5'))
    expect([...tensors]).toEqual([...plain])
    expect(plain.get('gru.bias_hh_l0')?.shape).toEqual([12])
  })

  it('in both directions are PyTorch\'s names', () => {
    expect([...readKerasWeights(golden('keras3/gru-bidirectional-concat.weights.h5')).keys()].sort()).toEqual(
      ['', '_reverse'].flatMap((suffix) => ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh'].map((name) => `bidirectional.${name}_l0${suffix}`)).sort(),
    )
  })
})

describe('layers of Keras', () => {
  const tensors = { kernel: random(1, 3, 6), recurrent_kernel: random(2, 2, 6) }
  const build = (className: string, config: object, bias: NdArray | undefined, dialect = KERAS_3): Graph => {
    const named = Object.entries({ ...tensors, ...(bias && { bias }) }).map(([name, tensor]) => ({ segments: ['gru', name], read: () => tensor }))
    const input = { class_name: 'InputLayer', config: { name: 'x', batch_input_shape: [null, 5, 3] } }
    const mask = { class_name: 'Masking', config: { name: 'mask' } }
    const layers = [input, ...('masked' in config ? [mask] : []), { class_name: className, config: { name: 'gru', units: 2, ...config } }]
    return buildModel(parseModel({ class_name: 'Sequential', config: { name: 'm', layers } }), new NamedWeights(named), { dialect, note: 'a test' })
  }
  const attributesOf = (graph: Graph): unknown => graph.nodes.find(({ op }) => op === 'gru')?.attributes

  it('that do not say which rule of the reset gate they have are of the time of one', () => {
    expect(attributesOf(build('GRU', {}, random(3, 6)))).toMatchObject({ resetAfter: false, activations: ['sigmoid', 'tanh'] })
    expect(attributesOf(build('GRU', { reset_after: true }, random(3, 2, 6)))).toMatchObject({ resetAfter: true })
    expect(attributesOf(build('GRU', {}, random(3, 6), dialectOf('2.2.4')))).toMatchObject({ activations: ['hardSigmoid', 'tanh'] })
    expect(attributesOf(build('CuDNNGRU', {}, random(3, 12), dialectOf('2.2.4')))).toMatchObject({ resetAfter: true, activations: ['sigmoid', 'tanh'] })
  })

  it('have the biases of their rule', () => {
    expectError(() => build('GRU', {}, random(3, 2, 6)), 'FORMAT', "Keras: layer 'gru' (GRU): expected a bias [6], got [2, 6]")
    expectError(() => build('GRU', { reset_after: true }, random(3, 6)), 'FORMAT', "Keras: layer 'gru' (GRU): expected a bias [2, 6], got [6]")
    expectError(() => build('GRU', {}, random(3, 12)), 'FORMAT', "Keras: layer 'gru' (GRU): expected a bias [6], got [12]")
    expectError(() => build('CuDNNGRU', { masked: true }, random(3, 12)), 'UNSUPPORTED', "Keras: not supported: layer 'gru' (CuDNNGRU): a mask")
  })
})

describe('TensorFlow.js', () => {
  it('has GRUs with the reset gate before the product, in the lines for weights alone too', async () => {
    const folder = new URL('../golden/tfjs/gru-recurrent-sigmoid/', import.meta.url)
    const files: ModelFiles = { bytes: golden('tfjs/gru-recurrent-sigmoid/model.json'), name: 'model.json', sibling: (name) => readFile(new URL(name, folder)) }
    const { weightsManifest } = JSON.parse(new TextDecoder().decode(files.bytes)) as { weightsManifest: unknown }
    const alone = { ...files, bytes: new TextEncoder().encode(JSON.stringify(weightsManifest)) }
    const tensors = await readTfjsStateDict(alone)
    const [layer] = [...tensors.keys()].map((name) => name.slice(0, name.lastIndexOf('.')))
    const error = await expectRejection(tfjs.read(alone, {}), 'UNSUPPORTED', /^TensorFlow\.js: this file holds weights/)
    expect(error.message).toContain(`gru(5, { name: '${layer}', resetAfter: false, returnSequences: true })`)
    const net = sequential([gru(5, { name: layer, resetAfter: false, returnSequences: true })]).loadStateDict(tensors)
    expect(await outputOf(net, 3)).toEqual(await outputOf(await tfjs.read(files, {}), 3))
  })
})

describe('TensorFlow 1', () => {
  it.each(['gru-5', 'rnn-5', 'gru-cudnn-compatible'])('%s: layers have the numbers of the graph, and lines that make them', async (name) => {
    const { cases } = JSON.parse(new TextDecoder().decode(golden('tf1/cases.json'))) as { cases: { name: string, file: string }[] }
    const url = new URL(`../golden/tf1/${cases.find((one) => one.name === name)?.file}`, import.meta.url)
    const files: ModelFiles = { bytes: readFileSync(url), name: 'file', sibling: (other) => readFile(new URL(other, url)) }
    const variables = await readTensorflow1Variables(files)
    const scope = [...variables.keys()].map((key) => /^(.*cell)\//.exec(key)?.[1])[0] as string
    const isGru = name.startsWith('gru')
    const tensors = tensorflow1StateDict(variables, isGru ? { gru: { layer: [scope] } } : { simpleRnn: { layer: [scope] } })
    const options = { name: 'layer', returnSequences: true }
    const net = sequential([isGru ? gru(5, { ...options, resetAfter: name.includes('cudnn') }) : simpleRnn(5, options)]).loadStateDict(tensors)
    using model = await compile(await readTensorflow1(files))
    const x = random(3, 2, 5, 3)
    expect(await outputOf(net, 3)).toEqual(model.run({ input: x }).output)
    await expectRejection(readTensorflow1(files, { forgetBias: 0 }), 'VALUE', `TensorFlow 1: 'forgetBias' is for LSTM cells, and '${scope}' is a ${isGru ? 'GRU' : 'plain RNN'}`)
    expectError(() => tensorflow1StateDict(variables, { lstm: { layer: [scope] } }), 'VALUE', `tensorflow1StateDict: no cell '${scope}'; there are none`)
  })
})

describe('state dicts of PyTorch', () => {
  const shape = { inputSize: 3, hiddenSize: 5, numLayers: 1, bidirectional: false, bias: true }
  const stateDict = (op: 'gru' | 'rnn', prefix = ''): Map<string, NdArray> => (
    new Map(recurrentTensors(op, shape).map((spec, n) => [prefix + spec.name, random(n, ...spec.shape)]))
  )

  it('of a plain RNN are read with tanh, which the summary says; those of a GRU are told by their rows', () => {
    const rnn = graphOfStateDict(stateDict('rnn'))
    expect(formatSummary(summarise(rnn))).toContain("nonlinearity='tanh'")
    expect(rnn.inputs.map(({ name }) => name)).toEqual(['input', 'h_0'])
    expect(graphOfStateDict(stateDict('gru')).notes).toBeUndefined()
    expect(graphOfStateDict(stateDict('gru', 'encoder.')).nodes).toMatchObject([{ name: 'encoder', op: 'gru', outputs: ['output', 'h_n'] }])
  })

  it('that do not fit each other are no module', () => {
    for (const [op, what] of [['gru', 'a GRU'], ['rnn', 'a plain RNN']] as const) {
      const tensors = stateDict(op, 'core.')
      tensors.set('core.bias_ih_l0', random(1, 4))
      expectError(() => graphOfStateDict(tensors), 'UNSUPPORTED', new RegExp(`'core' is ${what} whose tensors do not fit each other`))
    }
  })
})
