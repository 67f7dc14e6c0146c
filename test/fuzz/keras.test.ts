import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Budget } from '../../src/formats/budget.ts'
import { keras, readKeras, readKerasWeights } from '../../src/formats/keras/index.ts'
import { onlyBytes } from '../../src/formats/reader.ts'
import { ZipArchive } from '../../src/formats/zip/zip.ts'
import { writeStored } from './stored-zip.ts'
import { mutateMany } from './mutate.ts'

const golden = (name: string): Uint8Array => readFileSync(new URL(`../golden/${name}`, import.meta.url))
const text = (name: string): string => new TextDecoder().decode(golden(name))

async function readAll(bytes: Uint8Array): Promise<void> {
  keras.detect(bytes)
  await keras.read(onlyBytes(bytes), {})
}

describe('broken .keras archives', () => {
  it('they are read or refused', async () => {
    const { read, refused } = await mutateMany(golden('keras3/encoder-decoder.keras'), 10_000, 1, readAll)
    // Checksums find nearly everything: what is read was changed beside them.
    expect(read).toBeGreaterThan(20)
    expect(refused).toBeGreaterThan(5000)
  })
})

describe('broken descriptions of quantised models', () => {
  it.each(['int8', 'int4-blocks'])('%s: they are read or refused', async (name) => {
    const archive = new ZipArchive(golden(`keras-quantized/${name}.keras`), 'Keras', { budget: new Budget(2 ** 20) })
    const weights = archive.read('model.weights.h5')
    const parts = (config: Uint8Array, changed: Uint8Array): Uint8Array => writeStored(new Map([['config.json', config], ['model.weights.h5', changed]]))
    const config = archive.read('config.json')
    const described = await mutateMany(config, 1000, 5, (mutated) => readKeras(parts(mutated, weights)))
    const stored = await mutateMany(weights, 1000, 6, (mutated) => readKeras(parts(config, mutated)))
    expect(described.read).toBeGreaterThan(5)
    expect(stored.read).toBeGreaterThan(5)
  })
})

describe('broken model descriptions', () => {
  it.each([
    ['keras3/lstm-3-sequences.json', 'keras3/lstm-3-sequences.weights.h5'],
    ['keras3/bidirectional-mul-sequences.json', 'keras3/bidirectional-mul-sequences.weights.h5'],
  ])('%s: they are read or refused', async (architecture, weights) => {
    const bytes = golden(weights)
    const { read } = await mutateMany(new TextEncoder().encode(text(architecture)), 5000, 2, (mutated) => (
      readKeras(bytes, { architecture: new TextDecoder().decode(mutated) })
    ))
    expect(read).toBeGreaterThan(20)
  })
})

describe('broken archives whose checksums are right', () => {
  it('their descriptions are read or refused', async () => {
    const config = new TextEncoder().encode(text('keras3/go-backwards.json'))
    const weights = golden('keras3/go-backwards.weights.h5')
    const { read, refused } = await mutateMany(config, 2000, 3, (mutated) => (
      readAll(writeStored(new Map([['config.json', mutated], ['model.weights.h5', weights]])))
    ))
    expect(read).toBeGreaterThan(20)
    expect(refused).toBeGreaterThan(200)
  })
})

describe('broken files, read for their weights', () => {
  it('they are read or refused', async () => {
    const { read, refused } = await mutateMany(golden('keras3/go-backwards.weights.h5'), 2000, 4, readKerasWeights)
    expect(read).toBeGreaterThan(20)
    expect(refused).toBeGreaterThan(50)
  })
})
