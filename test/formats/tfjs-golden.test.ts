// The models of test/javascript/golden_tfjs.mjs, with the outputs of TensorFlow.js 4.22.
import { readFile } from 'node:fs/promises'
import { beforeAll, expect, it } from 'vitest'
import type { ModelFiles } from '../../src/formats/reader.ts'
import { tfjs } from '../../src/formats/tfjs/tfjs.ts'
import { compile } from '../../src/model/load.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { describeBinaries, runtimeOf } from '../variants.ts'
import { GoldenFolder, type GoldenCase } from './keras-golden.ts'

const golden = new GoldenFolder('tfjs')
const layered = golden.cases.filter(({ file }) => file.endsWith('model.json'))

function filesOf({ file }: GoldenCase): ModelFiles {
  return { bytes: golden.read(file), name: file, sibling: (name) => readFile(new URL(name, new URL(file, golden.url))) }
}

it('the golden models are all there', () => {
  expect(golden.cases.length).toBeGreaterThanOrEqual(46)
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
})
