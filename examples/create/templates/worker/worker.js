// POST 28 x 28 float32 numbers from 0 to 1, a handwritten digit: curl --data-binary @image.f32 localhost:8787
import { load } from 'lstm-wasm'
import bytes from 'lstm-wasm/examples/digits.safetensors'

let model // kept while the isolate lives

export default {
  async fetch(request) {
    if (request.method !== 'POST') return new Response('POST an image of 28 x 28 float32 numbers\n', { status: 405 })
    model ??= await load(bytes)
    try {
      const { probs } = model.run({ rows: new Float32Array(await request.arrayBuffer()) })
      return Response.json({ digit: probs.data.indexOf(Math.max(...probs.data)), probs: [...probs.data] })
    } catch (error) {
      return new Response(`${error.message}\n`, { status: 400 })
    }
  },
}
