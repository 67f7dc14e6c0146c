// Every golden model, written as ONNX and read again, gives the same outputs.
import { beforeAll, expect, it } from 'vitest'
import { LstmError } from '../../src/errors.ts'
import { toOnnx } from '../../src/export/onnx/to-onnx.ts'
import { readOnnx } from '../../src/formats/onnx/index.ts'
import { compile } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'
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

const met = { written: 0, refused: 0, exact: 0 }

it.each(GOLDEN_FILES)('%s', async (label, file) => {
  using original = await widenedModelOf(file, runtime)
  if (original === undefined) return
  let bytes
  try {
    bytes = toOnnx(original)
  } catch (error) {
    if (!(error instanceof LstmError)) throw error
    expect(error.message).toContain('states that are kept from run to run')
    expect(error.code).toBe('UNSUPPORTED')
    met.refused++
    return
  }
  using copy = await compile(readOnnx(bytes, { seed: 1 }), { runtime })
  const ports = ({ inputs }: Pick<Model, 'inputs'>): unknown => inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape }))
  expect(ports(copy)).toEqual(ports(original))
  const inputs = inputsOf(original)
  let wanted: Record<string, NdArray>
  try {
    wanted = original.run(inputs)
  } catch (error) {
    if (!(error instanceof LstmError)) throw error
    expect(() => copy.run(inputs)).toThrow()
    return
  }
  const isExact = sameOutputs(copy.run(inputs), wanted)
  keepForPython(label, bytes, { model: original, inputs, outputs: wanted, ending: '.onnx' })
  met.written++
  if (isExact) met.exact++
})

it('wrote most of them', () => {
  expect(met.written).toBeGreaterThan(980)
  expect(met.exact).toBeGreaterThan(950)
  expect(met.refused).toBeLessThan(20)
})
