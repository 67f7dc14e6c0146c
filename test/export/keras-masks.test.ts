// Which masks a .keras file has Keras attach, and which it is given as arguments. Numbers are compared in golden.test.ts and written.test.ts.
import { beforeAll, expect, it } from 'vitest'
import { unzipSync } from 'fflate'
import { toKeras } from '../../src/export/index.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { GraphBuilder } from '../../src/graph/builder.ts'
import { input, lstm, sequential } from '../../src/layers/index.ts'
import { addAllOperators } from '../../src/ops/all.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { modelOf } from '../golden-files.ts'
import { random } from '../weights.ts'
import { filled } from './written-models.ts'

addAllOperators()
let runtime: Runtime
beforeAll(async () => {
  runtime = await createRuntime({ variant: 'simd' })
})

interface Layer {
  readonly class_name: string
  readonly config: { readonly mask_zero?: boolean, readonly mask_value?: number, readonly zero_output_for_mask?: boolean }
  readonly inbound_nodes: readonly { readonly kwargs: { readonly mask?: { readonly config: { readonly keras_history: readonly [string] } } } }[]
}

/** Class by class, what of masks is in the file. */
function masksOf(bytes: Uint8Array): string[] {
  const { config } = JSON.parse(new TextDecoder().decode(unzipSync(bytes)['config.json'])) as { config: { layers: readonly Layer[] } }
  return config.layers.map(({ class_name: name, config: { mask_zero: zero, mask_value: value, zero_output_for_mask: zeros }, inbound_nodes: [call] }) => [
    name, zero === true && 'mask_zero', value !== undefined && `mask_value ${value}`, zeros === true && 'zeros', call?.kwargs.mask !== undefined && `mask ${call.kwargs.mask.config.keras_history[0]}`,
  ].filter(Boolean).join(' '))
}

it.each<[string, readonly string[]]>([
  ['embedding-mask-zero', ['InputLayer', 'Embedding mask_zero', 'LSTM', 'Dense', 'Activation']],
  ['masking-sequences', ['InputLayer', 'Masking mask_value 0', 'LSTM']],
  ['masking-value', ['InputLayer', 'Masking mask_value -1.5', 'LSTM']],
  ['masking-zero-output', ['InputLayer', 'Masking mask_value 0', 'LSTM zeros']],
  ['mask-argument', ['InputLayer', 'InputLayer', 'InputLayer', 'InputLayer', 'Cast', 'LSTM mask']],
])('%s', async (name, wanted) => {
  using model = await modelOf(new URL(`../golden/keras3/${name}.keras`, import.meta.url), runtime)
  expect(masksOf(toKeras(model as NonNullable<typeof model>)).map((one) => one.replace(/ mask .*/, ' mask'))).toEqual(wanted)
})

/** Token ids -> embedding -> an LSTM with their mask or not -> another one with it or not. */
function twoLayers(first: boolean, second: boolean, merged = false): Graph {
  const builder = new GraphBuilder()
  builder.input({ name: 'ids', dtype: 'int32', shape: ['batch', 'timesteps'] })
  builder.constant('zero', new NdArray(Int32Array.of(0), []))
  const node = (name: string, op: string, inputs: string[], parameters: Record<string, string> = {}, attributes = {}): void => {
    builder.add({ name, op, inputs, outputs: [name], parameters, attributes })
  }
  const weight = (name: string, ...shape: number[]): string => {
    builder.constant(name, random(name.length, ...shape))
    return name
  }
  node('table', 'embedding', ['ids'], { weight: weight('rows', 7, 3) })
  node('equal', 'equal', ['ids', 'zero'])
  node('mask', 'not', ['equal'])
  const layer = (name: string, x: string, isMasked: boolean): void => node(name, 'lstm', isMasked ? [x, '', '', 'mask'] : [x], {
    '0.forward.inputWeights': weight(`${name}.w`, 12, 3), '0.forward.recurrentWeights': weight(`${name}.r`, 12, 3),
  }, { hiddenSize: 3, numLayers: 1, direction: 'forward', returnSequences: true, maskRule: 'hold' })
  layer('one', 'table', first)
  if (merged) node('sum', 'add', ['one', 'table'])
  layer('two', merged ? 'sum' : 'one', second)
  return builder.finish([{ name: 'two', value: 'two' }])
}

it.each<[string, Graph, readonly string[]]>([
  ['goes with the tensors', twoLayers(true, true), ['InputLayer', 'Embedding mask_zero', 'LSTM', 'LSTM']],
  ['is left behind', twoLayers(true, false), ['InputLayer', 'Embedding mask_zero', 'LSTM', 'Multiply', 'LSTM']],
  ['is not there', twoLayers(false, false), ['InputLayer', 'Embedding', 'LSTM', 'LSTM']],
  ['is an argument of the second layer alone', twoLayers(false, true), ['InputLayer', 'Embedding mask_zero', 'Multiply', 'LSTM', 'Equal', 'LogicalNot', 'LSTM mask mask']],
  ['is an argument where tensors are merged', twoLayers(true, true, true), ['InputLayer', 'Embedding mask_zero', 'LSTM', 'Equal', 'Add', 'LogicalNot', 'LSTM mask mask']],
])('a mask %s', (_what, graph, wanted) => {
  const names = masksOf(toKeras(graph))
  expect([...names].sort()).toEqual([...wanted].sort())
})

it('what Keras has not is refused by its name', () => {
  const written = (options: object): unknown => toKeras(filled(sequential([input(['timesteps', 2], { name: 'x' }), lstm(3, { name: 'a', ...options })])))
  expectError(() => written({ mask: true, timeMajor: true }), 'UNSUPPORTED', /^toKeras: what layers of Keras do not compute: lstm 'a': timesteps as the first axis$/)
  const rule = { mask: true, initialState: true, maskRule: 'multiply', returnSequences: true }
  expectError(() => written(rule), 'UNSUPPORTED', /the initial state as the output of masked steps before the first that counts, as TensorFlow\.js has it/)
  expectError(() => written({ mask: true, initialState: true, zeroEmptyState: true }), 'UNSUPPORTED', /zeros for the state of a sequence without a step/)
})
