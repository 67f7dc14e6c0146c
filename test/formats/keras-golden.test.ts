// The models of test/python/golden_keras2.py, golden_keras3.py, golden_keras_masks.py and golden_keras_calls.py, with the outputs of tf.keras 2.15 and Keras 3.
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { readKeras } from '../../src/formats/keras/index.ts'
import { compile } from '../../src/model/load.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import '../guards.ts'
import { describeBinaries, runtimeOf } from '../variants.ts'
import { GoldenFolder, type GoldenCase } from './keras-golden.ts'

const folders = {
  'keras2': 37, 'keras3': 85, 'keras-masks/3.3.3': 1, 'keras-masks/3.10.0': 1, 'keras-masks/3.5.0': 1, 'keras-masks/3.8.0': 1, 'keras-masks/3.11.3': 1, 'keras-masks/3.15.1': 1,
  'keras-calls/3.3.3': 1, 'keras-calls/3.5.0': 3, 'keras-calls/3.8.0': 3, 'keras-calls/3.15.1': 7,
} as const

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

interface FileCase {
  readonly shape: readonly number[]
  readonly dtype: string
  readonly x: readonly number[]
  readonly y: readonly number[]
  readonly refuse?: string
}

describe('files of golden_keras_files.py give the outputs of Keras', () => {
  const folder = new URL('../golden/keras-files/', import.meta.url)
  const files = JSON.parse(readFileSync(new URL('io.json', folder), 'utf8')) as Record<string, FileCase>

  it.each(Object.entries(files))('%s', async (name, { shape, dtype, x, y, refuse }) => {
    const bytes = readFileSync(new URL(name, folder))
    if (refuse !== undefined) {
      expectError(() => readKeras(bytes), 'UNSUPPORTED', /quantised weights \(dtype policy float8_from_float32\)/)
      return
    }
    using model = await compile(readKeras(bytes))
    const [output] = Object.values(model.run({ [model.inputs[0]?.name ?? '']: new NdArray(dtype === 'int32' ? Int32Array.from(x) : Float32Array.from(x), shape) }))
    expect(output?.data).toHaveLength(y.length)
    y.forEach((value, index) => {
      expect(Math.abs(value - (output?.data[index] ?? Number.NaN))).toBeLessThan(5e-6)
    })
  })
})
