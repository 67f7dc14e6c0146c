// Golden models as modules of PyTorch: their code and tensors, which test/python/check_exports.py runs; those that PyTorch has nothing for are refused.
import { beforeAll, expect, it } from 'vitest'
import { LstmError } from '../../src/errors.ts'
import { describePytorch, toStateDict } from '../../src/export/index.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { lengthOf } from '../../src/values/shape.ts'
import { GOLDEN_FILES, inputsOf, widenedModelOf } from './golden-models.ts'
import { keepForPython } from './kept-files.ts'

let runtime: Runtime
beforeAll(async () => {
  runtime = await createRuntime({ variant: 'simd' })
})

const met = { written: 0, refused: 0 }

it.each(GOLDEN_FILES)('%s', async (label, file) => {
  using original = await widenedModelOf(file, runtime)
  if (original === undefined) return
  let code: string
  try {
    code = describePytorch(original)
  } catch (error) {
    if (!(error instanceof LstmError)) throw error
    expect(error.message).toMatch(/^describePytorch: what PyTorch has no module or function for: /)
    expect(error.code).toBe('UNSUPPORTED')
    expect(() => toStateDict(original)).toThrow(error.message.replace('describePytorch', 'toStateDict').slice(0, 1000))
    met.refused++
    return
  }
  const tensors = toStateDict(original)
  for (const [name, { shape, data }] of tensors) {
    expect(code).toContain(`self.${name.split('.')[0] as string} = `.replace(/^self\.(\w+) = $/, name.includes('.') ? 'self.$1 = nn.' : "self.register_buffer('$1'"))
    expect(data.length).toBe(lengthOf(shape))
  }
  expect(code).not.toMatch(/undefined|NaN|Infinity/)
  met.written++
  if (process.env.EXPORT_FOLDER === undefined) return
  const inputs = inputsOf(original)
  try {
    keepForPython(label, new TextEncoder().encode(code), { model: original, inputs, outputs: original.run(inputs), ending: '.py', tensors })
  } catch (error) {
    if (!(error instanceof LstmError)) throw error // indices that are none
  }
})

it('wrote most of them', () => {
  expect(met.written).toBeGreaterThan(620)
  expect(met.refused).toBeGreaterThan(100)
})
