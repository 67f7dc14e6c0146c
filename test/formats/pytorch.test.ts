import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { graphOfStateDict } from '../../src/formats/pytorch.ts'
import { lstmTensors, type StateDict } from '../../src/formats/pytorch-names.ts'
import { readSafetensors } from '../../src/formats/safetensors/safetensors.ts'
import { compile } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'
import * as layers from '../../src/layers/index.ts'
import { NdArray, type Nested } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { PYTORCH_DISTANCE } from '../tolerance.ts'

type Expected = Readonly<Record<'input' | 'output' | 'h_n' | 'c_n', Nested>>

const folder = new URL('../golden/state-dicts/', import.meta.url)
const expected = JSON.parse(await readFile(new URL('expected.json', folder), 'utf8')) as Record<string, Expected>
const bytesOf = async (name: string): Promise<Buffer> => readFile(new URL(name, folder))
const tensorsOf = async (name: string): Promise<StateDict> => readSafetensors(await bytesOf(name)).tensors
const zeros = (...shape: number[]): NdArray => new NdArray(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape)

/** The largest difference between an output and the nested arrays that PyTorch gave. */
function distance(actual: NdArray | undefined, wanted: Nested): number {
  const reference = NdArray.from(wanted)
  expect(actual?.shape).toEqual(reference.shape)
  return Math.max(...reference.data.map((value, n) => Math.abs(value - (actual?.data[n] ?? NaN))))
}

/** The JavaScript that an error message shows, run as it stands: only the imports are the modules under test. */
async function runShownLines(message: string, bytes: Uint8Array): Promise<Model> {
  const lines = message.split('\n')
  const begin = lines.findIndex((line) => line.startsWith('  import '))
  const shown = lines.slice(begin)
  const imports = shown.filter((line) => line.startsWith('  import '))
  expect(imports).toHaveLength(3)
  const names = (line: string | undefined): string => /^ {2}import (\{.*\}) from '/.exec(line ?? '')?.[1] ?? 'no import'
  const body = shown.filter((line) => !imports.includes(line))
  const source = [`const ${names(imports[0])} = core`, `const ${names(imports[1])} = layers`, `const ${names(imports[2])} = core`, ...body, 'return model'].join('\n')
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  const run = new Function('core', 'layers', 'bytes', `return (async () => {\n${source}\n})()`) as (...parts: unknown[]) => Promise<Model>
  return run({ compile, readSafetensors }, layers, bytes)
}

function messageOf(stateDict: StateDict): string {
  return expectError(() => graphOfStateDict(stateDict), 'UNSUPPORTED', /^this file holds weights/).message
}

describe('graphOfStateDict', () => {
  it.each([
    'lstm-1layer.safetensors', 'lstm-2layer-bidirectional.safetensors', 'lstm-nobias.safetensors', 'lstm-prefixed.safetensors', 'lstm-f64.safetensors',
  ])('makes %s a model with the outputs of torch.nn.LSTM within 5e-6', async (name) => {
    using model = await compile(graphOfStateDict(await tensorsOf(name)))
    const { input, output, h_n, c_n } = expected[name] as Expected
    const result = model.run({ input })
    expect(Object.keys(result)).toEqual(['output', 'h_n', 'c_n'])
    expect(distance(result.output, output)).toBeLessThan(PYTORCH_DISTANCE)
    expect(distance(result.h_n, h_n)).toBeLessThan(PYTORCH_DISTANCE)
    expect(distance(result.c_n, c_n)).toBeLessThan(PYTORCH_DISTANCE)
  })

  it('describes inputs, outputs and settings', async () => {
    const tensors = await tensorsOf('lstm-2layer-bidirectional.safetensors')
    const graph = graphOfStateDict(tensors)
    expect(graph.inputs).toEqual([
      { name: 'input', dtype: 'float32', shape: ['batch', 'timesteps', 3] },
      { name: 'h_0', dtype: 'float32', shape: [4, 'batch', 5], optional: true },
      { name: 'c_0', dtype: 'float32', shape: [4, 'batch', 5], optional: true },
    ])
    expect(graph.nodes[0]?.attributes).toEqual({ hiddenSize: 5, numLayers: 2, direction: 'bidirectional', returnSequences: true })
    expect(graph.nodes[0]?.name).toBe('lstm')
    expect(graph.constants).toBe(tensors)
    expect(graphOfStateDict(await tensorsOf('lstm-prefixed.safetensors')).nodes[0]?.name).toBe('rnn')
  })

  it('lists the tensors of any other state dict, and the lines that would load it', async () => {
    expect(messageOf(await tensorsOf('classifier.safetensors'))).toBe([
      'this file holds weights, but not how they are connected (it is a plain state dict). Its tensors:',
      '  embed.weight float32 [11, 3]',
      '  fc.bias float32 [4]',
      '  fc.weight float32 [4, 5]',
      '  lstm.bias_hh_l0 float32 [20]',
      '  lstm.bias_hh_l1 float32 [20]',
      '  lstm.bias_ih_l0 float32 [20]',
      '  lstm.bias_ih_l1 float32 [20]',
      '  lstm.weight_hh_l0 float32 [20, 5]',
      '  lstm.weight_hh_l1 float32 [20, 5]',
      '  lstm.weight_ih_l0 float32 [20, 3]',
      '  lstm.weight_ih_l1 float32 [20, 5]',
      'Say what the layers are, in the order they run, and load the weights into them:',
      "  import { compile } from 'lstm-wasm'",
      "  import { dense, embedding, lstm, sequential } from 'lstm-wasm/layers'",
      "  import { readSafetensors } from 'lstm-wasm/safetensors'",
      '  const { tensors } = await readSafetensors(bytes)',
      '  // Activations, dropout and other functions without weights are not in the file: add those that the model has.',
      '  const net = sequential([',
      "    embedding(11, 3, { name: 'embed' }),",
      "    lstm(5, { name: 'lstm', numLayers: 2, returnSequences: true }), // returnSequences: false gives the last step only",
      "    dense(4, { name: 'fc' }),",
      '  ]).loadStateDict(tensors)',
      '  const model = await compile(net)',
    ].join('\n'))
  })

  it.each([
    'classifier.safetensors', 'classifier-f16.safetensors', 'classifier-bf16.safetensors',
  ])('shows lines for %s that run, and give what PyTorch gives within 5e-6', async (name) => {
    using model = await runShownLines(messageOf(await tensorsOf(name)), await bytesOf(name))
    const { input, output } = expected[name] as Expected
    const result = model.run({ input })
    expect(Object.keys(result)).toEqual(['output'])
    expect(distance(result.output, output)).toBeLessThan(PYTORCH_DISTANCE)
  })

  it('shows lines for two LSTMs that run, in the order of their names where sizes do not tell', async () => {
    const message = messageOf(await tensorsOf('two-lstms.safetensors'))
    expect(message).toContain([
      '  const net = sequential([',
      "    lstm(5, { name: 'encoder', returnSequences: true }),",
      "    lstm(5, { name: 'decoder', returnSequences: true }), // returnSequences: false gives the last step only",
      "    dense(4, { name: 'out' }),",
      '  ]).loadStateDict(tensors)',
    ].join('\n'))
    using model = await runShownLines(message, await bytesOf('two-lstms.safetensors'))
    expect(model.run({ input: expected['two-lstms.safetensors']?.input as Nested }).output?.shape).toEqual([2, 7, 4])
  })

  it('shows options wherever they differ from the defaults, and orders layers by their sizes', () => {
    const rnn = lstmTensors({ inputSize: 6, hiddenSize: 4, numLayers: 1, bidirectional: true, bias: false })
    const message = messageOf(new Map([
      ['a.weight', zeros(2, 7)], ['b.weight', zeros(7, 8)], ['b.bias', zeros(7)],
      ...rnn.map(({ name, shape }) => [`core.rnn.${name}`, zeros(...shape)] as const), ['char_emb.weight', zeros(9, 6)],
    ]))
    expect(message).toContain([
      "    embedding(9, 6, { name: 'char_emb' }),",
      "    lstm(4, { name: 'core.rnn', bidirectional: true, bias: false, returnSequences: true }), // returnSequences: false gives the last step only",
      "    dense(7, { name: 'b' }),",
      "    dense(2, { name: 'a', bias: false }),",
    ].join('\n'))
  })

  it('says which tensors belong to no layer it recognises', () => {
    const lstm = lstmTensors({ inputSize: 2, hiddenSize: 1, numLayers: 1, bidirectional: false, bias: true })
    const tensors = new Map(lstm.map(({ name, shape }) => [`rnn.${name}`, zeros(...shape)]))
    const norm = messageOf(new Map([...tensors, ['norm.weight', zeros(1)]]))
    expect(norm).toContain("lstm-wasm/layers cannot describe it: 'norm' is a normalisation.\nExport the model as ONNX")
    expect(norm).not.toContain('import ')
    expect(messageOf(new Map([...tensors, ['rnn.weight_hx_l0', zeros(1, 1)]]))).toContain("'rnn' is an LSTM whose tensors do not fit each other")
    expect(messageOf(new Map([...tensors].slice(1)))).toContain("'rnn' is an LSTM whose tensors do not fit each other")
    expect(messageOf(new Map([...tensors, ['rnn.scale', zeros(1)]]))).toContain("'rnn' is an LSTM whose tensors do not fit each other")
    expect(messageOf(new Map([...tensors, ['scale', zeros(1)]]))).toContain(".loadStateDict(tensors, { ignore: ['scale'] })\n")
    expect(messageOf(new Map())).toContain('Its tensors:\nlstm-wasm/layers cannot describe it: there is no layer in it.')
  })

  it('takes no time over state dicts of many layers, whatever their sizes', () => {
    const alike = Array.from({ length: 40 }, (_, n) => [`l${n}.weight`, zeros(2, 2)] as const)
    expect(messageOf(new Map(alike))).toMatch(/dense\(2, \{ name: 'l0', bias: false \}\),\n {4}dense\(2, \{ name: 'l1'/)
    // A search without bounds would take for ever: of these, no order is a chain.
    const dead = [...alike, ['x.weight', zeros(3, 2)], ['y.weight', zeros(4, 2)]] as const
    expect(messageOf(new Map(dead))).toContain('cannot describe it')
    expect(messageOf(new Map(Array.from({ length: 99 }, (_, n) => [`l${n}.weight`, zeros(2, 2)])))).toContain('in more lines than a message holds.\nExport the model as ONNX')
    expect(messageOf(new Map(Array.from({ length: 3000 }, (_, n) => [`l${n}.weight`, zeros(2, 2)])))).toMatch(/\n {2}and \d+ more\n.* cannot describe it/)
  })

  it('shows lines that stay code whatever the tensors are called', () => {
    const names = ["it's", 'a"b', 'back\\slash', 'two\nlines', '${x}', '*/', '\u2028']
    for (const prefix of names) {
      expect(messageOf(new Map([[prefix, zeros(1)]]))).toContain('there is no layer in it')
      const tensors = new Map([[`${prefix}.weight`, zeros(2, 3)], [`${prefix}.bias`, zeros(2)]])
      const net = layers.sequential([layers.dense(2, { name: prefix })]).loadStateDict(tensors)
      expect(net.toGraph().nodes[0]?.name).toBe(prefix)
      const message = messageOf(new Map([...tensors, [`${prefix}x.gamma`, zeros(1)]]))
      const shown = message.slice(message.indexOf('const net'))
      // Valid JavaScript, and no statement but the two of every message.
      // eslint-disable-next-line @typescript-eslint/no-implied-eval
      expect(() => new Function('sequential', 'dense', 'tensors', 'compile', `return async () => { ${shown} }`)).not.toThrow()
      expect(shown.split('\n')).toHaveLength(4)
    }
  })
})
