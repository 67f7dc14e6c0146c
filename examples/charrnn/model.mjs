// The model that test/python/train_charrnn.py trained: PyTorch's weights in float16, and the layers they are for.
import { compile } from 'lstm-wasm'
import { dense, embedding, lstm, sequential } from 'lstm-wasm/layers'
import { readSafetensors } from 'lstm-wasm/safetensors'

/**
 * @param bytes moby-dick.safetensors
 * @returns the model, from [batch, timesteps] of characters' numbers to [batch, timesteps, characters] of logits; and the characters
 */
export async function makeModel(bytes) {
  const { tensors, metadata } = readSafetensors(bytes)
  const characters = [...JSON.parse(metadata.get('characters'))]
  const net = sequential([
    embedding(characters.length, 32, { name: 'embed' }),
    lstm(256, { name: 'lstm', returnSequences: true }),
    dense(characters.length, { name: 'fc' }),
  ])
  return { model: await compile(net.loadStateDict(tensors)), characters }
}
