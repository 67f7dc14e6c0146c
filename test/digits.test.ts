// The five committed models on all 10,000 MNIST test images, against what PyTorch said.
import { readFileSync } from 'node:fs'
import { beforeAll, expect, it } from 'vitest'
import { readTestImages } from '../examples/digits/mnist.mjs'
import { readSafetensors } from '../src/formats/safetensors/safetensors.ts'
import { load } from '../src/model/load.ts'
import type { Runtime } from '../src/runtime/runtime.ts'
import { describeBinaries, runtimeOf } from './variants.ts'

const golden = readSafetensors(readFileSync(new URL('golden/digits/predictions.safetensors', import.meta.url))).tensors
const { count, pixels, labels } = await readTestImages()
const BATCH = 500
/** Images whose two likeliest classes are closer than this may go either way. */
const TIE = 1e-5

/** The least accuracy each model must keep. */
const ACCURACY = { 8: 0.93, 16: 0.97, 32: 0.95, 64: 0.98, 128: 0.98 } as const

describeBinaries('digits', (binary) => {
  let runtime: Runtime
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
  })

  const all = binary.name === 'debug' ? [32] as const : [8, 16, 32, 64, 128] as const
  it.each(all)('%i units classify every image as PyTorch does', async (units) => {
    const model = await load(new URL(`../examples/digits/models/digits-${units}.safetensors`, import.meta.url), { runtime })
    const expected = golden.get(`${units}/class`)?.data as Uint8Array
    const margins = golden.get(`${units}/margin`)?.data as Float32Array
    const different: { image: number, margin: number }[] = []
    let correct = 0
    for (let first = 0; first < count; first += BATCH) {
      const { probs } = model.run({ rows: pixels.subarray(first * 784, (first + BATCH) * 784) })
      for (let n = 0; n < BATCH; n++) {
        const row = (probs as { data: Float32Array }).data.subarray(n * 10, n * 10 + 10)
        const digit = row.indexOf(Math.max(...row))
        const image = first + n
        if (digit !== expected[image]) different.push({ image, margin: margins[image] as number })
        if (digit === labels[image]) correct++
      }
    }
    model.dispose()
    expect(different.filter(({ margin }) => margin > TIE)).toEqual([])
    expect(correct / count).toBeGreaterThanOrEqual(ACCURACY[units])
  })
})

it('the model files are what PyTorch trained, and describe themselves', async () => {
  for (const units of [8, 16, 32, 64, 128]) {
    const trained = readSafetensors(readFileSync(new URL(`golden/digits/digits-${units}.pytorch.safetensors`, import.meta.url)))
    const shipped = readSafetensors(readFileSync(new URL(`../examples/digits/models/digits-${units}.safetensors`, import.meta.url)))
    expect([...shipped.tensors.keys()].sort()).toEqual([...trained.tensors.keys()].sort())
    for (const [name, tensor] of trained.tensors) expect(shipped.tensors.get(name)?.data).toEqual(tensor.data)
  }
})
