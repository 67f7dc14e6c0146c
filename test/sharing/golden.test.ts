// Models of all golden files, shared: they have the bits, the summary and the bytes of a model of one's own, and nothing writes to the weights.
import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { createRuntime, type Model, type Runtime } from '../../src/index.ts'
import { openShared, share, type SharedModel } from '../../src/sharing/index.ts'
import { goldenFiles, modelOf } from '../golden-files.ts'
import { isThorough } from '../thorough.ts'
import { THREAD_VARIANTS } from '../threads/eager-runtime.ts'
import { inputsOf, outcome } from './cases.ts'

const FOLDERS = ['onnx', 'loops', 'keras3', 'hdf5', 'quantized', 'pytorch', 'state-dicts', 'torch-exported', 'rtneural', 'tesseract', 'amp', 'torch-quantized']
/** Every so many files, where there is no time for all of them. */
const EVERY = isThorough ? 1 : 5

/** Of the pages that the weights are in. */
function hashOfWeights({ content }: SharedModel): string {
  const { memory, pages } = content as { readonly memory: WebAssembly.Memory, readonly pages: Int32Array }
  const hash = createHash('sha256')
  pages.forEach((mark, at) => {
    if (at >= 2 && mark === -1) hash.update(new Uint8Array(memory.buffer, (at - 2) * 65536, 65536))
  })
  return hash.digest('hex')
}

describe.each(THREAD_VARIANTS)('shared models of golden files (%s)', (variant) => {
  let runtime: Runtime
  beforeAll(async () => {
    runtime = await createRuntime({ variant })
  })
  const files = goldenFiles(FOLDERS, /\.(onnx|keras|h5|pt|safetensors|pt2|json|nam|aidax|traineddata|npz)$/).filter((_, n) => n % EVERY === 0)

  it('are what models of one thread are', async () => {
    let found = 0
    for (const [label, file] of files) {
      const alone = await modelOf(file, runtime)
      if (alone === undefined) continue
      found++
      const shared = await share(alone, { variant, maxMemoryBytes: 2 ** 28 })
      // As it comes out in another thread.
      const [one, two] = await Promise.all([1, 2].map((caller) => openShared(structuredClone({ content: shared.content }), { caller }))) as [Model, Model]
      const before = hashOfWeights(shared)
      expect([one.inputs, one.outputs], label).toEqual([alone.inputs, alone.outputs])
      expect(one.summary(), label).toBe(alone.summary())
      expect(Buffer.compare(one.save(), alone.save()), label).toBe(0)
      for (const [seed, sizes] of [[2, 5], [1, 3], [4, 9]].entries()) {
        const inputs = inputsOf(alone, sizes, seed)
        const expected = outcome(alone, inputs)
        expect(outcome(one, inputs), label).toEqual(expected)
        expect(outcome(two, inputs), label).toEqual(expected)
      }
      expect(hashOfWeights(shared), label).toBe(before)
      for (const model of [one, two, alone]) model.dispose()
      expect(shared.callers(), label).toEqual([])
    }
    expect(found).toBeGreaterThan(files.length / 3)
  }, isThorough ? 600_000 : 120_000)
})
