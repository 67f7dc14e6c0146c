import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { onlyBytes } from '../../src/formats/reader.ts'
import { readTorch, torch } from '../../src/formats/torch/reader.ts'
import { mutateMany } from './mutate.ts'

const golden = (name: string): Promise<Buffer> => readFile(new URL(`../golden/pytorch/${name}`, import.meta.url))

describe('broken files of whole models', () => {
  it.each(['stack-checkpoint.pt', 'convolutions-script.pt', 'carried-trace.pt', 'convolutions-export.pt2', '../torch-exported/constant-export.pt2'])('%s: they are read or refused', async (name) => {
    const { read, refused } = await mutateMany(await golden(`../torch-programs/${name}`), 300, 2, async (bytes) => {
      torch.detect(bytes)
      await torch.read(onlyBytes(bytes), {})
    })
    expect(read + refused).toBe(300)
    expect(refused).toBeGreaterThan(30)
  })
})

describe('broken state dicts of quantised models', () => {
  it.each(['lstm-bidirectional', 'classifier-per-channel', 'cell'])('%s: they are read or refused', async (name) => {
    const { read, refused } = await mutateMany(await golden(`../torch-quantized/${name}.pt`), 2000, 3, (bytes) => readTorch(bytes))
    expect(read).toBeGreaterThan(20)
    expect(refused).toBeGreaterThan(500)
  })
})

describe('broken files of torch.save', () => {
  it.each(['lstm.pt', 'legacy.pt', 'checkpoint.pt', 'legacy-checkpoint.pt', 'protocol-4.pt'])('%s: they are read or refused', async (name) => {
    const { read, refused } = await mutateMany(await golden(name), 2000, 1, async (bytes) => {
      torch.detect(bytes)
      await torch.read(onlyBytes(bytes), {})
    })
    // Both happen: broken weights are still weights.
    expect(read).toBeGreaterThan(20)
    expect(refused).toBeGreaterThan(500)
  })
})
