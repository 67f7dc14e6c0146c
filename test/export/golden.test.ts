// Every golden model, written as ONNX, for Keras 3 and as a module of PyTorch: what is read again gives the same outputs, and what a format has
// nothing for is refused. Code and tensors for PyTorch are run by test/python/check_exports.py.
import { beforeAll, expect, it } from 'vitest'
import { LstmError } from '../../src/errors.ts'
import { describePytorch, toKeras, toOnnx, toStateDict } from '../../src/export/index.ts'
import { keras } from '../../src/formats/keras/index.ts'
import { readOnnx } from '../../src/formats/onnx/index.ts'
import { compile } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import type { NdArray } from '../../src/values/ndarray.ts'
import { lengthOf } from '../../src/values/shape.ts'
import { GOLDEN_FILES, inputsOf, widenedModelOf } from './golden-models.ts'
import { keepForPython } from './kept-files.ts'
import { sameOutputs } from './same-outputs.ts'

let runtime: Runtime
beforeAll(async () => {
  runtime = await createRuntime({ variant: 'simd' })
})

type Arrays = Record<string, NdArray>

/** A golden model, and what it makes of inputs: undefined where they are indices that are none. */
interface Golden {
  readonly label: string
  readonly model: Model
  readonly inputs: Arrays
  readonly outputs: Arrays | undefined
}

/** What `make` returns, or the message of the refusal. */
function writtenOr<Written>(make: () => Written): { readonly written: Written } | { readonly refusal: string } {
  try {
    return { written: make() }
  } catch (error) {
    if (!(error instanceof LstmError)) throw error
    expect(error.code).toBe('UNSUPPORTED')
    return { refusal: error.message }
  }
}

function outputsOf(model: Model, inputs: Arrays): Arrays | undefined {
  try {
    return model.run(inputs)
  } catch (error) {
    if (!(error instanceof LstmError)) throw error
    return undefined
  }
}

const met = { onnx: { written: 0, refused: 0, exact: 0 }, keras: { written: 0, refused: 0 }, pytorch: { written: 0, refused: 0 } }

async function checkOnnx({ label, model, inputs, outputs }: Golden): Promise<void> {
  const made = writtenOr(() => toOnnx(model))
  if ('refusal' in made) {
    expect(made.refusal).toContain('states that are kept from run to run')
    met.onnx.refused++
    return
  }
  using copy = await compile(readOnnx(made.written, { seed: 1 }), { runtime })
  const ports = (of: Pick<Model, 'inputs'>): unknown => of.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape }))
  expect(ports(copy)).toEqual(ports(model))
  if (outputs === undefined) {
    expect(() => copy.run(inputs)).toThrow()
    return
  }
  if (sameOutputs(copy.run(inputs), outputs)) met.onnx.exact++
  keepForPython(label, made.written, { model, inputs, outputs, ending: '.onnx' })
  met.onnx.written++
}

async function checkKeras({ label, model, inputs, outputs }: Golden): Promise<void> {
  const made = writtenOr(() => toKeras(model))
  if ('refusal' in made) {
    expect(made.refusal).toMatch(/^toKeras: what layers of Keras do not compute: /)
    met.keras.refused++
    return
  }
  const graph = await keras.read({ bytes: made.written, name: 'model.keras', sibling: () => Promise.reject(new Error('no file beside it')) }, {})
  using copy = await compile(graph, { runtime })
  if (outputs === undefined) return
  // Keras has names for layers only: inputs and outputs are told by their order.
  const given = copy.inputs.map(({ name }, n): [string, NdArray] => [name, inputs[model.inputs[n]?.name as string] as NdArray])
  const got = copy.run(Object.fromEntries(given))
  sameOutputs(Object.fromEntries(model.outputs.map(({ name }, n) => [name, got[copy.outputs[n]?.name as string] as NdArray])), outputs)
  keepForPython(label, made.written, { model, inputs, outputs, ending: '.keras' })
  met.keras.written++
}

function checkPytorch({ label, model, inputs, outputs }: Golden): void {
  const made = writtenOr(() => describePytorch(model))
  if ('refusal' in made) {
    expect(made.refusal).toMatch(/^describePytorch: what PyTorch has no module or function for: /)
    expect(() => toStateDict(model)).toThrow(made.refusal.replace('describePytorch', 'toStateDict').slice(0, 1000))
    met.pytorch.refused++
    return
  }
  const tensors = toStateDict(model)
  for (const [name, { shape, data }] of tensors) {
    const [module = ''] = name.split('.')
    expect(made.written).toContain(name.includes('.') ? `self.${module} = nn.` : `self.register_buffer('${module}'`)
    expect(data.length).toBe(lengthOf(shape))
  }
  expect(made.written).not.toMatch(/undefined|NaN|Infinity/)
  met.pytorch.written++
  if (outputs !== undefined) keepForPython(label, new TextEncoder().encode(made.written), { model, inputs, outputs, ending: '.py', tensors })
}

it.each(GOLDEN_FILES)('%s', async (label, file) => {
  using model = await widenedModelOf(file, runtime)
  if (model === undefined) return
  const inputs = inputsOf(model)
  const golden: Golden = { label, model, inputs, outputs: outputsOf(model, inputs) }
  await checkOnnx(golden)
  await checkKeras(golden)
  checkPytorch(golden)
})

it('most were written', () => {
  expect(met.onnx.written).toBeGreaterThan(980)
  expect(met.onnx.exact).toBeGreaterThan(950)
  expect(met.onnx.refused).toBeLessThan(20)
  expect(met.keras.written).toBeGreaterThan(440)
  expect(met.keras.refused).toBeGreaterThan(100)
  expect(met.pytorch.written).toBeGreaterThan(710)
  expect(met.pytorch.refused).toBeGreaterThan(100)
})
