// POST 28 x 28 float32 numbers from 0 to 1, a handwritten digit: curl --data-binary @image.f32 localhost:8080
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { load } from 'lstm-wasm'

const model = await load(fileURLToPath(import.meta.resolve('lstm-wasm/examples/digits.safetensors')))

const server = createServer(async (request, response) => {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  try {
    const rows = new Float32Array(Uint8Array.from(bytes).buffer)
    const { probs } = model.run({ rows })
    response.end(`${JSON.stringify({ digit: probs.data.indexOf(Math.max(...probs.data)), probs: [...probs.data] })}\n`)
  } catch (error) {
    response.writeHead(400).end(`${error.message}\n`)
  }
})
const port = Number(process.env.PORT ?? 8080)
server.listen(port, () => console.log(`listening on http://localhost:${port}`))
