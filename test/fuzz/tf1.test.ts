import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { onlyBytes } from '../../src/formats/reader.ts'
import { tensorflow1 } from '../../src/formats/tf1/reader.ts'
import { mutateMany } from './mutate.ts'

const folder = new URL('../golden/tf1/', import.meta.url)
const golden = (name: string): Promise<Buffer> => readFile(new URL(name, folder))

describe('broken variables of TensorFlow 1', () => {
  it.each([
    ['everything.index', 'everything.data-00000-of-00001'],
    ['multi-initial-lengths.index', 'multi-initial-lengths.data-00000-of-00001'],
    ['multi.npz', undefined],
    ['peepholes/manifest.json', 'peepholes/'],
  ])('%s: they are read or refused', async (name, beside) => {
    const content = beside === undefined || beside.endsWith('/') ? undefined : await golden(beside)
    const { refused } = await mutateMany(await golden(name), 2500, 7, async (bytes) => {
      tensorflow1.detect(bytes)
      await tensorflow1.read({
        ...onlyBytes(bytes),
        name: 'm.index',
        sibling: async (file) => content ?? (/^[\w-]+$/.test(file) && beside !== undefined
          ? golden(`${beside}${file}`).catch(() => onlyBytes(bytes).sibling(file))
          : onlyBytes(bytes).sibling(file)),
      }, {})
    })
    expect(refused).toBeGreaterThan(1000)
  })
})
