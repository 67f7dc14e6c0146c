// The models of test/javascript/golden_tfjs.mjs, with the outputs of TensorFlow.js 4.22.
import { readFile } from 'node:fs/promises'
import { beforeAll, expect, it } from 'vitest'
import type { ModelFiles } from '../../src/formats/reader.ts'
import { tensorflow1StateDict } from '../../src/formats/tf1/reader.ts'
import { readTfjsWeights, tfjs } from '../../src/formats/tfjs/index.ts'
import { lstm, sequential } from '../../src/layers/index.ts'
import { compile } from '../../src/model/load.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { NdArray, type ArrayLike } from '../../src/values/ndarray.ts'
import { expectRejection } from '../expect-error.ts'
import { describeBinaries, runtimeOf } from '../variants.ts'
import { GoldenFolder, type GoldenCase } from './keras-golden.ts'

const golden = new GoldenFolder('tfjs')
const layered = golden.cases.filter(({ file }) => file.endsWith('model.json'))

function filesOf({ file }: GoldenCase): ModelFiles {
  return { bytes: golden.read(file), name: file, sibling: (name) => readFile(new URL(name, new URL(file, golden.url))) }
}

it('the golden models are all there', () => {
  expect(golden.cases.length).toBeGreaterThanOrEqual(51)
})

describeBinaries('TensorFlow.js models give its outputs within 5e-6', (binary) => {
  let runtime: Runtime
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
  })

  it.each(layered.map((test): [string, GoldenCase] => [test.name, test]))('%s', async (_name, test) => {
    using model = await compile(await tfjs.read(filesOf(test), {}), { runtime })
    golden.check(test, model)
  })

  it.each(golden.cases.filter((test) => !layered.includes(test)).map((test): [string, GoldenCase] => [test.name, test]))(
    '%s: cells without layers, from their weights', async (_name, test) => {
      const files = filesOf(test)
      await expectRejection(tfjs.read(files, {}), 'UNSUPPORTED', /^TensorFlow\.js: this file holds weights, but not how they are connected[^]*basic_lstm_cell\/kernel float32 \[8, 20\]|float32 \[11, 32\]/)
      const sizes = test.options.cells as number[]
      const names = sizes.map((_, index) => `cell_${index}`)
      const weights = tensorflow1StateDict(await readTfjsWeights(files), {
        lstm: Object.fromEntries(names.map((name) => [name, [`rnn/multi_rnn_cell/${name}/basic_lstm_cell`]])),
        forgetBias: test.options.forgetBias as number,
      })
      const options = { returnSequences: true, returnState: true, initialState: true }
      const net = sequential(sizes.map((units, index) => lstm(units, { name: names[index] as string, ...options }))).loadStateDict(weights)
      using model = await compile(net, { runtime })
      for (const { prefix, inputs, outputs } of golden.callsOf(test)) {
        const given = new Map(inputs)
        const oneStep = ({ data, shape }: ArrayLike, ...sizes: number[]): NdArray => new NdArray(data, [...sizes, ...shape.slice(1)])
        const states = names.flatMap((name, index) => ['h', 'c'].map((state) => (
          [`${name}_${state}0`, oneStep(given.get(`${state}_${index}`) as ArrayLike, 1, 2)] as const
        )))
        const results = model.run({ input: oneStep(given.get('x') as ArrayLike, 2, 1), ...Object.fromEntries(states) })
        for (const [name, wanted] of outputs) {
          const [state, index] = name.split('_') as [string, string]
          const result = results[`cell_${index}_${state}`]
          golden.checkOutput(prefix, name, result && new NdArray(result.data, wanted.shape))
        }
      }
    },
  )
})
