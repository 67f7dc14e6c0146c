// Golden models, written for Keras 3 and read again, give the same outputs; those that layers of Keras do not compute are refused.
import { beforeAll, expect, it } from 'vitest'
import { LstmError } from '../../src/errors.ts'
import { toKeras } from '../../src/export/keras/to-keras.ts'
import { keras } from '../../src/formats/keras/index.ts'
import { compile } from '../../src/model/load.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import type { NdArray } from '../../src/values/ndarray.ts'
import { GOLDEN_FILES, inputsOf, widenedModelOf } from './golden-models.ts'
import { keepForPython } from './kept-files.ts'
import { sameOutputs } from './same-outputs.ts'

let runtime: Runtime
beforeAll(async () => {
  runtime = await createRuntime({ variant: 'simd' })
})

const met = { written: 0, refused: 0 }

it.each(GOLDEN_FILES)('%s', async (label, file) => {
  using original = await widenedModelOf(file, runtime)
  if (original === undefined) return
  let bytes: Uint8Array
  try {
    bytes = toKeras(original)
  } catch (error) {
    if (!(error instanceof LstmError)) throw error
    expect(error.message).toMatch(/^toKeras: what layers of Keras do not compute: /)
    expect(error.code).toBe('UNSUPPORTED')
    met.refused++
    return
  }
  const graph = await keras.read({ bytes, name: 'model.keras', sibling: () => Promise.reject(new Error('no file beside it')) }, {})
  using copy = await compile(graph, { runtime })
  const inputs = inputsOf(original)
  let wanted: Record<string, NdArray>
  try {
    wanted = original.run(inputs)
  } catch (error) {
    if (!(error instanceof LstmError)) throw error
    return // indices that are none
  }
  // Keras has names for layers only: outputs are told by their order.
  const given = copy.inputs.map(({ name }, n): [string, NdArray] => [name, inputs[original.inputs[n]?.name as string] as NdArray])
  const outputs = copy.run(Object.fromEntries(given))
  sameOutputs(Object.fromEntries(original.outputs.map(({ name }, n) => [name, outputs[copy.outputs[n]?.name as string] as NdArray])), wanted)
  keepForPython(label, bytes, { model: original, inputs, outputs: wanted, ending: '.keras' })
  met.written++
})

it('wrote most of those that are of Keras layers', () => {
  expect(met.written).toBeGreaterThan(280)
  expect(met.refused).toBeGreaterThan(100)
})
