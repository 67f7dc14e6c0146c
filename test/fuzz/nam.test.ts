import { describe, expect, it } from 'vitest'
import { nam } from '../../src/formats/nam/reader.ts'
import { onlyBytes } from '../../src/formats/reader.ts'
import { mutateMany } from './mutate.ts'

describe('broken NAM models', () => {
  it.each([[1, 16], [2, 30]])('of %i layers: they are read or refused', async (layers, count) => {
    const json = {
      version: '0.5.4', architecture: 'LSTM', config: { input_size: 1, hidden_size: 1, num_layers: layers }, sample_rate: 48000,
      weights: Array.from({ length: count }, (_, n) => n / 10),
    }
    const bytes = new TextEncoder().encode(JSON.stringify(json))
    await nam.read(onlyBytes(bytes), {})
    const { read, refused } = await mutateMany(bytes, 5000, 5, async (broken) => {
      nam.detect(broken)
      await nam.read(onlyBytes(broken), {})
    })
    expect(read).toBeGreaterThan(10)
    expect(refused).toBeGreaterThan(1000)
  })
})
