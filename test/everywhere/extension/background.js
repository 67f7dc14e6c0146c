importScripts('lstm-wasm.js')

globalThis.answer = async () => {
  const model = await globalThis.lstmWasm.load(chrome.runtime.getURL('model.safetensors'))
  const { probs } = model.run({ rows: new Float32Array(28 * 28).fill(0.5) })
  return [...probs.data].map((p) => p.toFixed(3)).join(' ')
}
