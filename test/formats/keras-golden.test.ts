// The models of test/python/golden_keras2.py and golden_keras3.py, with the outputs of tf.keras 2.15 and Keras 3.15.
import { beforeAll, expect, it } from 'vitest'
import { readKeras } from '../../src/formats/keras/keras.ts'
import { compile } from '../../src/model/load.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import '../guards.ts'
import { describeBinaries, runtimeOf } from '../variants.ts'
import { GoldenFolder, type GoldenCase } from './keras-golden.ts'

const folders = { keras2: 37, keras3: 85 } as const

for (const [folder, count] of Object.entries(folders)) {
  const golden = new GoldenFolder(folder)

  it(`the golden models of ${folder} are all there`, () => {
    expect(golden.cases.length).toBeGreaterThanOrEqual(count)
  })

  describeBinaries(`${folder} models give Keras's outputs within 5e-6`, (binary) => {
    let runtime: Runtime
    beforeAll(async () => {
      runtime = await runtimeOf(binary)
    })

    it.each(golden.cases.map((test): [string, GoldenCase] => [test.name, test]))('%s', async (_name, test) => {
      const { architecture } = test.options
      const text = typeof architecture === 'string' ? new TextDecoder().decode(golden.read(architecture)) : undefined
      const graph = readKeras(golden.read(test.file), text === undefined ? {} : { architecture: text })
      using model = await compile(graph, { runtime })
      golden.check(test, model)
    })
  })
}
