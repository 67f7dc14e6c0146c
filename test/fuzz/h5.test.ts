import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { keras } from '../../src/formats/keras/index.ts'
import { onlyBytes } from '../../src/formats/reader.ts'
import { mutateMany } from './mutate.ts'

const golden = (name: string): Uint8Array => readFileSync(new URL(`../golden/${name}`, import.meta.url))

/** An HDF5 file is mostly gaps; without a few of them at the end, more changes hit what is read. */
describe('broken .h5 files', () => {
  it.each(['keras2/bidirectional-backward-layer.h5', 'keras2/stacked-cells.h5', 'keras3/initial-state.h5', 'keras3/residual.h5'])('%s: they are read or refused', async (name) => {
    const { read, refused } = await mutateMany(golden(name), 2500, 1, async (bytes) => {
      keras.detect(bytes)
      await keras.read(onlyBytes(bytes), {})
    })
    expect(read).toBeGreaterThan(20)
    expect(refused).toBeGreaterThan(500)
  })
})
