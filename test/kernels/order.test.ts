import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

// Binaryen's standard passes make one expression of the sums that go on from term to term: a chain, where the source has
// eight of them side by side (docs/kernels.md). They made 28 such pairs here.
test('products of matrices keep the order in which they are written', async () => {
  const text = await readFile(new URL('../../build/simd.wat', import.meta.url), 'utf8')
  const sums = text.match(/f32x4\.add\b/g) ?? []
  const chained = text.match(/f32x4\.add\s+f32x4\.add\b/g) ?? []
  expect(sums.length).toBeGreaterThan(100)
  expect(chained.length).toBeLessThan(4)
})
