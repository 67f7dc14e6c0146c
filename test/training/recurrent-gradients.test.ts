// Gradients of recurrent layers against PyTorch's float64: test/python/golden_recurrent_gradients.py.
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { readSafetensors } from '../../src/formats/safetensors/safetensors.ts'
import { dense, gru, input, lstm, sequential, simpleRnn } from '../../src/layers/index.ts'
import { compile } from '../../src/index.ts'
import { allFamilies } from '../../src/gradients/late/all.ts'
import { trainingRuntime } from '../../src/runtime/gradient-kernels.ts'
import { createTrainer } from '../../src/training/index.ts'
import { Engine } from '../../src/training/engine.ts'
import { meanSquaredError } from '../../src/training/descriptions/losses.ts'
import { onlyLoss } from '../../src/training/descriptions/output-losses.ts'
import type { ArrayLike, NdArray } from '../../src/values/ndarray.ts'
import { expectRejection } from '../expect-error.ts'
import { BINARIES, describeReleases, runtimeOf } from '../variants.ts'

interface Case {
  readonly name: string
  readonly kind: 'lstm' | 'gru' | 'simpleRnn'
  readonly hiddenSize: number
  readonly options: Readonly<Record<string, unknown>>
  readonly loss: number
  /** How far PyTorch's float32 is from float64, relative to the largest gradient of the tensor. */
  readonly float32: Readonly<Record<string, number>>
}

const { tensors, metadata } = readSafetensors(readFileSync(new URL('../golden/recurrent-gradients.safetensors', import.meta.url)))
const cases = JSON.parse(metadata.get('cases') as string) as readonly Case[]
const LAYERS = { lstm, gru, simpleRnn }

/** Tensors below a prefix, by the rest of their names. */
const below = (prefix: string): Map<string, ArrayLike> => new Map([...tensors].flatMap(([name, tensor]) => (
  name.startsWith(prefix) ? [[name.slice(prefix.length), tensor]] : []
)))

it('has cases of every kind', () => {
  expect(cases.length).toBeGreaterThan(25)
  expect(BINARIES.length).toBeGreaterThan(0)
})

it.each([
  ['delaySamples', lstm(4, { name: 'layer', delaySamples: 2 })],
  ['softmax', gru(4, { name: 'layer', activation: 'softmax' })],
])('refuses %s by name', async (name, layer) => {
  const net = sequential([input([5, 3]), layer, dense(2)])
  await expectRejection(createTrainer(net, { loss: 'mse' }), 'UNSUPPORTED', new RegExp(`layer.*'${name}' has no gradient here`))
})

describeReleases('gradients of recurrent layers', (binary) => {
  it.each(cases)('$name', async ({ name, kind, hiddenSize, options, loss, float32 }) => {
    const weights = below(`${name}/weight/`)
    const data = Object.fromEntries(below(`${name}/data/`))
    const layer = LAYERS[kind]({ hiddenSize, name: 'layer', ...options })
    const net = sequential([layer]).loadStateDict(new Map([...weights].map(([weight, tensor]) => [`layer.${weight}`, tensor])))
    const runtime = await runtimeOf(binary)
    const engine = new Engine(await trainingRuntime(runtime), net.toGraph(), { losses: onlyLoss(meanSquaredError()), gradients: allFamilies() })
    const x = data.x as ArrayLike
    const target = data.target as ArrayLike
    const rows = x.shape[0] as number
    const count = target.shape.slice(0, -1).reduce((product, size) => product * size, 1)
    const states = Object.fromEntries(['mask', 'lengths', 'h0', 'c0'].flatMap((input) => (data[input] === undefined ? [] : [[`layer_${input}`, data[input]]])))
    const inputs = { input: x, ...states }
    const result = engine.run(inputs, [{ target }], { rows, weights: [new Float32Array(count).fill(1 / count)], step: 0, training: true })
    const [[losses], [prediction]] = [result.losses, result.predictions] as unknown as [[Float32Array], [Float32Array]]
    expect(losses.reduce((sum, one) => sum + one, 0) / count).toBeCloseTo(loss, 6)

    for (const weight of weights.keys()) {
      const expected = (tensors.get(`${name}/gradient/${weight}`) as NdArray<'float32'>).data
      const parts = engine.parameters.filter(({ constant }) => constant === `layer.${weight}`)
      const got = parts.flatMap((part) => [...part.readGradient()])
      expect(got.length, weight).toBe(expected.length)
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
      const error = expected.reduce((most, value, n) => Math.max(most, Math.abs(value - (got[n] as number))), 0) / largest
      // No farther from float64 than 1e-6, or than twice PyTorch's float32 is; the file has float32 numbers.
      expect(error, weight).toBeLessThan(Math.max(1e-6, 2 * (float32[weight] as number)))
    }

    const model = await compile(net, { runtime })
    const plain = (model.run(inputs) as unknown as Record<string, NdArray<'float32'>>).output as NdArray<'float32'>
    plain.data.forEach((value, n) => expect(prediction[n]).toBeCloseTo(value, 5))
    model.dispose()
    engine.dispose()
    expect(runtime.memory().usedBytes).toBe(0)
  })
})
