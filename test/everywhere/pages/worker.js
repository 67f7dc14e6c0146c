import { load } from './lstm-wasm.js'

load('model.safetensors').then((model) => {
  const { probs } = model.run({ rows: new Float32Array(28 * 28).fill(0.5) })
  postMessage([...probs.data].map((p) => p.toFixed(3)).join(' '))
}).catch((error) => postMessage(error.message))
