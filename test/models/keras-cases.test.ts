// LSTM layers of Keras 2, each with its weights and outputs: https://github.com/transcranial/keras-js
import { expect } from 'vitest'
import { addAllOperators } from '../../src/ops/all.ts'
import { parseModel } from '../../src/formats/keras/config.ts'
import { KERAS_2 } from '../../src/formats/keras/dialect.ts'
import { buildModel } from '../../src/formats/keras/network.ts'
import type { Json } from '../../src/formats/json.ts'
import { NamedWeights } from '../../src/formats/keras/weights.ts'
import { compile } from '../../src/model/load.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { distance, itWithModels } from './model-folder.ts'

addAllOperators()

interface Numbers {
  readonly data: readonly number[]
  readonly shape: readonly number[]
}

interface LayerCase {
  readonly input: Numbers
  readonly weights: readonly Numbers[]
  readonly expected: Numbers
}

type Settings = Readonly<Record<string, Json>>

/** The numbers are written with 6 decimals. */
const DECIMALS = 2e-6

const array = ({ data, shape }: Numbers): NdArray => new NdArray(Float32Array.from(data), shape)

/** The layer as Keras describes it: `wrapped` and `merge_mode` make it a Bidirectional one. */
function describeLayer({ wrapped, merge_mode: mergeMode, ...config }: Settings, batchShape: readonly number[]): Json {
  const lstm = { class_name: 'LSTM', config: { ...config, name: 'lstm' } }
  if (wrapped === undefined) return { ...lstm, config: { ...lstm.config, batch_input_shape: batchShape } }
  return { class_name: 'Bidirectional', config: { name: 'bidirectional', layer: lstm, merge_mode: mergeMode ?? null, batch_input_shape: batchShape } }
}

itWithModels('keras-layer-cases', '10 layers of keras-js give the outputs of Keras 2, stateful ones at the second call', async ({ json }) => {
  const settings = json('cases.json') as Record<string, Settings>
  const cases = { ...json('lstm.json') as object, ...json('bidirectional.json') as object } as Record<string, LayerCase>
  expect(Object.keys(cases)).toHaveLength(10)
  for (const [name, { input, weights, expected }] of Object.entries(cases)) {
    const own = settings[name] as Settings
    const tensors = weights.map((tensor, index) => ({
      segments: [['kernel', 'recurrent_kernel', 'bias'][index % 3] as string], read: () => array(tensor),
    }))
    const model = parseModel({ class_name: 'Sequential', config: { name, layers: [describeLayer(own, [1, ...input.shape])] } })
    using compiled = await compile(buildModel(model, new NamedWeights(tensors), { dialect: KERAS_2, note: 'keras-js' }))
    const inputName = compiled.inputs[0]?.name ?? 'none'
    const run = (): NdArray | undefined => Object.values(compiled.run({ [inputName]: array(input).reshape([1, ...input.shape]) }))[0]
    if (own.stateful === true) run()
    const output = run()
    expect(output?.shape, name).toEqual([1, ...expected.shape])
    expect(distance(output?.data, expected.data), name).toBeLessThanOrEqual(DECIMALS)
  }
})
