// From PyTorch's state dicts to files that describe themselves: run once, after training.
// The architecture is the one in test/python/train_digits.py.
import { readFile, writeFile } from 'node:fs/promises'
import { compile } from 'lstm-wasm'
import { dense, input, lstm, sequential } from 'lstm-wasm/layers'
import { readSafetensors } from 'lstm-wasm/safetensors'

for (const units of [8, 16, 32, 64, 128]) {
  const bytes = await readFile(new URL(`../../test/golden/digits/digits-${units}.pytorch.safetensors`, import.meta.url))
  const net = sequential(
    [input([28, 28]), lstm(units), dense(10, { name: 'fc', activation: 'softmax' })],
    { input: 'rows', output: 'probs' },
  ).loadStateDict(readSafetensors(bytes).tensors)
  const model = await compile(net)
  await writeFile(new URL(`models/digits-${units}.safetensors`, import.meta.url), model.save())
  model.dispose()
}
