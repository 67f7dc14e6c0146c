// Service workers forbid import(): the package itself says what to do, and takes what is handed over.
import { load } from './node_modules/lstm-wasm/dist/index.js'
import { gradients } from './node_modules/lstm-wasm/dist/gradients.js'
import { dense, input, lstm, sequential } from './node_modules/lstm-wasm/dist/layers.js'
import { safetensors } from './node_modules/lstm-wasm/dist/safetensors.js'
import { streams } from './node_modules/lstm-wasm/dist/streams.js'
import { createTrainer } from './node_modules/lstm-wasm/dist/training.js'

const message = (error) => `${error.name} ${error.code}: ${error.message}`

async function answer() {
  const unaided = await load('model.safetensors').then(() => 'loaded', message)
  if (!/^LstmError ENVIRONMENT: cannot import .*hand it over: import \{ safetensors \}/.test(unaided)) return unaided
  const without = await load('model.safetensors', { readers: [safetensors] }).then(() => 'loaded', message)
  if (!/^LstmError ENVIRONMENT: cannot import streams .*hand it over: import \{ streams \}/.test(without)) return without
  const model = await load('model.safetensors', { readers: [safetensors], streams })
  const net = () => sequential([input([4, 2]), lstm(3), dense(1)])
  const untrained = await createTrainer(net(), { loss: 'mse' }).then(() => 'made', message)
  if (!/^LstmError ENVIRONMENT: cannot import .*hand it over: import \{ gradients \}/.test(untrained)) return untrained
  const trainer = await createTrainer(net(), { loss: 'mse', gradients })
  const { history } = await trainer.fit([[[0, 1], [2, 3], [4, 5], [6, 7]]], [1], { epochs: 2 })
  const trained = (await trainer.model({ streams })).run(new Float32Array(8))
  if (!(history.loss[1] < history.loss[0]) || Object.keys(trained).length !== 1) return JSON.stringify(history)
  const { probs } = model.run({ rows: new Float32Array(28 * 28).fill(0.5) })
  return [...probs.data].map((p) => p.toFixed(3)).join(' ')
}

addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))
addEventListener('message', (event) => event.waitUntil(answer().catch(message).then((text) => event.ports[0].postMessage(text))))
