const { load, LstmError } = require('lstm-wasm')
const { lstm } = require('lstm-wasm/layers')

test('a file gives its answer', async () => {
  const model = await load('model.safetensors')
  const { probs } = model.run({ rows: new Float32Array(28 * 28).fill(0.5) })
  expect([...probs.data].map((p) => p.toFixed(3)).join(' ')).toBe(process.env.ANSWER)
})

test('bytes of Node are bytes', async () => {
  const model = await load(require('node:fs').readFileSync('model.safetensors'))
  expect(model.inputs[0].name).toBe('rows')
  await expect(load(new Uint8Array(7))).rejects.toBeInstanceOf(LstmError)
  expect(typeof lstm).toBe('function')
})
