// Service workers forbid dynamic imports: the one script needs none.
importScripts('commonjs/lstm-wasm.js')

addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))
addEventListener('message', (event) => {
  event.waitUntil(self.lstmWasm.load('model.safetensors').then((model) => {
    const { probs } = model.run({ rows: new Float32Array(28 * 28).fill(0.5) })
    return [...probs.data].map((p) => p.toFixed(3)).join(' ')
  }).catch((error) => error.message).then((text) => event.ports[0].postMessage(text)))
})
