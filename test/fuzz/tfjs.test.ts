import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { LstmError } from '../../src/errors.ts'
import { readTfjsWeights, tfjs } from '../../src/formats/tfjs/index.ts'
import type { ModelFiles } from '../../src/formats/reader.ts'
import { mutateMany } from './mutate.ts'

const golden = (name: string): Uint8Array => readFileSync(new URL(`../golden/tfjs/${name}`, import.meta.url))

function filesOf(bytes: Uint8Array, shards: ReadonlyMap<string, Uint8Array>): ModelFiles {
  return {
    bytes,
    name: 'model.json',
    async sibling(name) {
      const shard = shards.get(name)
      if (shard === undefined) throw new LstmError('ENVIRONMENT', `no file ${name}`)
      return shard
    },
  }
}

describe('broken model.json files', () => {
  it.each(['stacked-cells', 'quantised-uint8', 'encoder-decoder', 'bidirectional-sum'])('%s: they are read or refused', async (name) => {
    const { weightsManifest } = JSON.parse(new TextDecoder().decode(golden(`${name}/model.json`))) as { weightsManifest: { paths: string[] }[] }
    const shards = new Map(weightsManifest.flatMap(({ paths }) => paths).map((path) => [path, golden(`${name}/${path}`)]))
    const { read, refused } = await mutateMany(golden(`${name}/model.json`), 2500, 1, async (bytes) => {
      const files = filesOf(bytes, shards)
      tfjs.detect(bytes)
      await tfjs.read(files, {})
      await readTfjsWeights(files)
    })
    expect(read).toBeGreaterThan(20)
    expect(refused).toBeGreaterThan(500)
  })
})
