const { load } = require('lstm-wasm')
const { lstm } = require('lstm-wasm/layers')

load(process.argv[2]).then((model) => {
  const { probs } = model.run({ rows: new Float32Array(28 * 28).fill(0.5) })
  if (typeof lstm !== 'function') throw new Error('lstm-wasm/layers has no lstm')
  console.log([...probs.data].map((p) => p.toFixed(3)).join(' '))
})
