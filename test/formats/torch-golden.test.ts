// Files of torch.save against the outputs of the modules they were saved from: test/python has the script.
import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { graphOfStateDict } from '../../src/formats/pytorch.ts'
import { type StateDict } from '../../src/formats/pytorch-names.ts'
import { onlyBytes } from '../../src/formats/reader.ts'
import { readSafetensors } from '../../src/formats/safetensors/safetensors.ts'
import { readTorch, torch } from '../../src/formats/torch/reader.ts'
import { batchedOrNot } from '../../src/formats/unbatched.ts'
import type { Graph } from '../../src/graph/graph.ts'
import {
  activation, batchNorm, conv1d, dense, embedding, gruCell, lastStep, layerNorm, lstm, lstmCell, rnnCell, sequential, type Layer,
} from '../../src/layers/index.ts'
import { compile } from '../../src/model/load.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectRejection } from '../expect-error.ts'
import { checkOutput } from '../golden-outputs.ts'
import { describeBinaries, runtimeOf } from '../variants.ts'

interface Case {
  readonly name: string
  readonly file: string
  readonly options: {
    readonly hidden_size?: number
    readonly layers?: string
    readonly proj_size?: number
    readonly batch_first?: boolean
    readonly content?: string
    readonly module?: string
    readonly nonlinearity?: string
  }
  readonly inputs: Readonly<Record<string, unknown>>
  readonly outputs: Readonly<Record<string, unknown>>
}

const folder = new URL('../golden/pytorch/', import.meta.url)
const { cases } = JSON.parse(await readFile(new URL('cases.json', folder), 'utf8')) as { cases: Case[] }
const { tensors: arrays } = readSafetensors(await readFile(new URL('cases.safetensors', folder)))

async function stateDictOf({ file }: Case): Promise<StateDict> {
  const bytes = await readFile(new URL(file, folder))
  return file.endsWith('.safetensors') ? readSafetensors(bytes).tensors : readTorch(bytes, { only: (name) => name !== 'steps' })
}

/** The tensors of the one recurrent module in a state dict, without their prefix. */
function recurrentTensorsOf(stateDict: StateDict): StateDict {
  const first = [...stateDict.keys()].find((name) => /(^|\.)weight_ih(_l0)?$/.test(name)) as string
  const prefix = first.slice(0, first.search(/weight_ih(_l0)?$/))
  const names = [...stateDict].filter(([name]) => name.startsWith(prefix) && /^(weight|bias)_(ih|hh|hr)(_l\d+(_reverse)?)?$/.test(name.slice(prefix.length)))
  return new Map(names.map(([name, tensor]) => [name.slice(prefix.length), tensor]))
}

function recurrentGraphOf(stateDict: StateDict, { options, inputs }: Case): Graph {
  const graph = graphOfStateDict(recurrentTensorsOf(stateDict))
  const timeMajor = options.batch_first !== true
  const lengths = inputs.lengths === undefined ? [] : [{ name: 'lengths', dtype: 'int32', shape: ['batch'] } as const]
  return {
    ...graph,
    inputs: [
      ...graph.inputs.map((input) => (timeMajor && input.name === 'input' ? { ...input, shape: ['timesteps', 'batch', input.shape[2] as number] } : input)),
      ...lengths,
    ],
    nodes: graph.nodes.map((node) => ({
      ...node, inputs: [...node.inputs, ...lengths.flatMap(({ name }) => ['', name])],
      attributes: { ...node.attributes, timeMajor, ...(options.nonlinearity !== undefined && { activations: graph.nodes[0]?.attributes.direction === 'bidirectional' ? ['relu', 'relu'] : ['relu'] }) },
    })),
  }
}

function classifierGraphOf(stateDict: StateDict, { options }: Case): Graph {
  const [rows, width] = stateDict.get('embed.weight')?.shape as [number, number]
  const hiddenSize = stateDict.get('lstm.weight_ih_l0')?.shape[0] as number / 4
  const projSize = options.proj_size === 0 ? undefined : options.proj_size
  const numLayers = stateDict.has('lstm.weight_ih_l1') ? 2 : 1
  return sequential([
    embedding(rows, width, { name: 'embed' }),
    lstm(hiddenSize, { name: 'lstm', numLayers, returnSequences: true, ...(projSize !== undefined && { projSize }) }),
    dense(stateDict.get('fc.weight')?.shape[0] as number, { name: 'fc', bias: stateDict.has('fc.bias') }),
  ]).loadStateDict(stateDict).toGraph()
}

/** What the cases of layers one after the other are in our words, by their option `layers`. */
const LAYERS: Readonly<Record<string, () => Layer[]>> = {
  'conv': () => [
    conv1d(6, 3, { name: 'conv', padding: 1 }), batchNorm({ name: 'bn', epsilon: 1e-3 }), activation('relu'), lstm(5, { name: 'lstm', returnSequences: true }),
    layerNorm({ name: 'ln' }), dense(2, { name: 'fc' }),
  ],
  'causal': () => [conv1d(6, 3, { name: 'conv', padding: 'causal', dilation: 2, groups: 3, bias: false }), conv1d(5, 1, { name: 'mix' })],
  'strided': () => [
    conv1d(4, 4, { name: 'conv', stride: 2, padding: 2, activation: 'gelu' }), conv1d(5, 4, { name: 'same', padding: 'same', dilation: 2 }),
    batchNorm({ name: 'norm', affine: false }),
  ],
  'last-step': () => [
    lstm(5, { name: 'lstm', bidirectional: true, returnSequences: true }), lastStep(), batchNorm({ name: 'bn' }), dense(4, { name: 'fc' }), activation('logSoftmax'),
  ],
  'cells': () => [lstmCell(5, { name: 'lstm' }), gruCell(4, { name: 'gru' }), rnnCell(6, { name: 'rnn', bias: false, nonlinearity: 'relu' }), dense(2, { name: 'fc' })],
}
const LAYER_NAMES: Readonly<Record<string, string>> = { x: 'input', h0: 'lstm_h0', c0: 'lstm_c0', g0: 'gru_h0', r0: 'rnn_h0', output: 'output', h: 'lstm_h', c: 'lstm_c', g: 'gru_h', r: 'rnn_h' }

/** Ours to the names of the cases: of an LSTM, of a cell, of a classifier. */
const NAMES: Readonly<Record<string, string>> = {
  x: 'input', h0: 'h_0', c0: 'c_0', tokens: 'input', lengths: 'lengths', output: 'output', h_n: 'h_n', c_n: 'c_n', logits: 'output',
}
const CELL_NAMES: Readonly<Record<string, string>> = { ...NAMES, h_n: 'h_1', c_n: 'c_1' }
/** Our operator by the name of PyTorch's module. */
const OPERATORS: Readonly<Record<string, string>> = { GRU: 'gru', GRUCell: 'gru', RNN: 'rnn', RNNCell: 'rnn' }

const isLayers = (entry: Case): boolean => entry.options.layers !== undefined
const isClassifier = (entry: Case): boolean => entry.inputs.tokens !== undefined
const isCell = (entry: Case): boolean => !isClassifier(entry) && !isLayers(entry) && entry.outputs.output === undefined
/** PyTorch's unbatched input has an axis less. */
const isUnbatched = (entry: Case): boolean => (
  !isClassifier(entry) && !isLayers(entry) && (arrays.get(`${entry.name}/in/x`) as NdArray).shape.length === (isCell(entry) ? 1 : 2)
)

function graphOf(stateDict: StateDict, entry: Case): Graph {
  if (isLayers(entry)) return sequential((LAYERS[entry.options.layers as string] as () => Layer[])()).loadStateDict(stateDict).toGraph()
  if (isClassifier(entry)) return classifierGraphOf(stateDict, entry)
  // Without batch, PyTorch has the same shapes for batch_first and time-major sequences.
  return batchedOrNot(isCell(entry) ? graphOfStateDict(recurrentTensorsOf(stateDict)) : recurrentGraphOf(stateDict, entry), isUnbatched(entry))
}

describeBinaries('files of torch.save', (binary) => {
  it.each(cases.map((entry) => [entry.name, entry] as const))('%s', async (_, entry) => {
    const names = isLayers(entry) ? LAYER_NAMES : isCell(entry) ? CELL_NAMES : NAMES
    const runtime = await runtimeOf(binary)
    using model = await compile(graphOf(await stateDictOf(entry), entry), { runtime })
    const inputs = Object.fromEntries(Object.keys(entry.inputs).map((name): [string, NdArray] => (
      [names[name] as string, arrays.get(`${entry.name}/in/${name}`) as NdArray]
    )))
    const outputs = model.run(inputs)
    for (const name of Object.keys(entry.outputs)) checkOutput(arrays, entry.name, name, outputs[names[name] as string])
  })
})

it.each(cases.filter(({ file }) => file.endsWith('.pt')).map((entry) => [entry.name, entry] as const))('the reader takes %s if it is one recurrent module alone', async (_, { name, file, options }) => {
  const bytes = await readFile(new URL(file, folder))
  expect(torch.detect(bytes)).toBe(true)
  if (options.content === 'with_integers') {
    await expectRejection(torch.read(onlyBytes(bytes), {}), 'VALUE', /^torch: the storage of tensor 'steps' .*readTorch/)
  } else if (options.hidden_size === undefined) {
    await expectRejection(torch.read(onlyBytes(bytes), {}), 'UNSUPPORTED', /^this file holds weights[^]*from 'lstm-wasm\/torch'[^]*readTorch\(bytes\)/)
  } else {
    const graph = await torch.read(onlyBytes(bytes), {})
    expect(graph.nodes.map(({ op }) => op).filter((op) => !op.endsWith('squeeze'))).toEqual([OPERATORS[options.module ?? ''] ?? 'lstm'])
    const unbatched = await torch.read(onlyBytes(bytes), { unbatched: true })
    expect(unbatched.inputs[0]?.shape).toEqual(graph.inputs[0]?.shape.slice(1))
    expect(/(^|-)cell/.test(name)).toBe(graph.outputs[0]?.name === 'h_1')
  }
})
