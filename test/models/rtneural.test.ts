// Models of RTNeural's own tests, and the outputs that Python computed: https://github.com/jatinchowdhury18/RTNeural
import { expect } from 'vitest'
import { readRtneural, readRtneuralStateDict, rtneural } from '../../src/formats/rtneural/reader.ts'
import { onlyBytes } from '../../src/formats/reader.ts'
import { dense, lstm, sequential } from '../../src/layers/index.ts'
import { compile, type GraphSource } from '../../src/model/load.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { distance, itWithModels, type ModelFolder } from './model-folder.ts'

const DISTANCE = 1e-5

function samplesOf({ read }: ModelFolder, file: string): Float32Array {
  return Float32Array.from(read(file).toString('utf8').trim().split('\n'), Number)
}

async function distanceOf(models: ModelFolder, name: string, source: GraphSource): Promise<number> {
  const [x, y] = ['x', 'y'].map((side) => samplesOf(models, `${name}_${side}_python.csv`)) as [Float32Array, Float32Array]
  using model = await compile(source)
  return distance(model.run({ input: new NdArray(x, [1, x.length, 1]) }).output?.data, y)
}

for (const name of ['lstm', 'lstm_1d']) {
  itWithModels('rtneural', `${name}.json: the outputs of Python within ${DISTANCE}`, async (models) => {
    const bytes = models.read(`${name}.json`)
    expect(rtneural.detect(bytes)).toBe(true)
    expect(await distanceOf(models, name, await rtneural.read(onlyBytes(bytes), {}))).toBeLessThan(DISTANCE)
  })
}

itWithModels('rtneural', `lstm_torch.json, a state dict: the outputs of Python within ${DISTANCE}, with the lines that its refusal shows`, async (models) => {
  const bytes = models.read('lstm_torch.json')
  expect(rtneural.detect(bytes)).toBe(true)
  const { message } = expectError(() => readRtneural(bytes), 'UNSUPPORTED', /^this file holds weights, but not how they are connected/)
  expect(message.split('\n').slice(-10)).toEqual([
    "  import { dense, lstm, sequential } from 'lstm-wasm/layers'",
    "  import { readRtneuralStateDict } from 'lstm-wasm/rtneural'",
    '  const tensors = await readRtneuralStateDict(bytes)',
    '  // Activations, dropout and other functions without weights are not in the file: add those that the model has.',
    '  const net = sequential([',
    "    lstm(8, { name: 'lstm', returnSequences: true }),",
    "    lstm(8, { name: 'lstm2', numLayers: 3, returnSequences: true }), // returnSequences: false gives the last step only",
    "    dense(1, { name: 'dense' }),",
    '  ]).loadStateDict(tensors)',
    '  const model = await compile(net)',
  ])
  const net = sequential([
    lstm(8, { name: 'lstm', returnSequences: true }),
    lstm(8, { name: 'lstm2', numLayers: 3, returnSequences: true }),
    dense(1, { name: 'dense' }),
  ]).loadStateDict(readRtneuralStateDict(bytes))
  expect(await distanceOf(models, 'lstm_torch', net)).toBeLessThan(DISTANCE)
})

itWithModels('rtneural', 'bad_lstm.json: refused, its weights are of another size than it says', ({ read }) => {
  expectError(() => readRtneural(read('bad_lstm.json')), 'FORMAT', 'RTNeural: layer 0 (lstm) with 16 units: its kernel: expected nested lists of numbers [1, 64], got [1, 80]')
})
