import { readFileSync } from 'node:fs'
import { load } from 'lstm-wasm'
import { expect, it } from 'vitest'
import { answer } from './answer.js'

it('a file gives its answer', async () => {
  expect(await answer('model.safetensors')).toBe(process.env.ANSWER)
})

it('bytes, buffers, blobs and responses are what they are', async () => {
  const bytes = readFileSync('model.safetensors')
  const copy = Uint8Array.from(bytes)
  for (const source of [bytes, copy, copy.buffer, new Blob([copy]), new Response(copy)]) {
    expect((await load(source)).inputs[0].name).toBe('rows')
  }
})
