// A Cloudflare Worker that reads digits. `POST /classify` takes a whole image, 28 x 28 float32 numbers from 0 to 1.
// `POST /rows?session=NAME` takes any number of its rows: a Durable Object keeps the stream's state between requests.
import { DurableObject } from 'cloudflare:workers'
import { load, LstmError } from 'lstm-wasm'
import bytes from '../digits/models/digits-8.safetensors'

const [ROWS, ROW] = [28, 28]

/** Loaded by the first request, and kept while the isolate lives. */
let loaded
const model = () => (loaded ??= load(bytes))

const answer = (probs) => Response.json({ digit: probs.indexOf(Math.max(...probs)), probs: [...probs] })

async function numbersOf(request) {
  const buffer = await request.arrayBuffer()
  if (buffer.byteLength % (4 * ROW) !== 0) throw new LstmError('SHAPE', `expected rows of ${4 * ROW} bytes (${ROW} float32 numbers), got ${buffer.byteLength} bytes`)
  return new Float32Array(buffer)
}

async function classify(request) {
  const rows = await numbersOf(request)
  const { probs } = (await model()).run({ rows: { dtype: 'float32', shape: [1, ROWS, ROW], data: rows } })
  return answer(probs.data)
}

/** One for every name; requests with that name come here one after another. Between them, it may be gone from memory. */
export class Session extends DurableObject {
  async fetch(request) {
    return orError(async () => {
      const rows = await numbersOf(request)
      const stream = (await model()).stream()
      try {
        const saved = await this.ctx.storage.get('state')
        if (saved !== undefined) stream.restore(saved)
        const probs = new Float32Array(10)
        for (let begin = 0; begin < rows.length; begin += ROW) stream.step(rows.subarray(begin, begin + ROW), probs)
        await this.ctx.storage.put('state', stream.save())
        return answer(probs)
      } finally {
        stream.dispose()
      }
    })
  }
}

async function orError(work) {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof LstmError)) throw error
    return Response.json({ code: error.code, message: error.message }, { status: 400 })
  }
}

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url)
    if (request.method === 'POST' && pathname === '/classify') return orError(() => classify(request))
    if (request.method === 'POST' && pathname === '/rows') {
      return env.SESSIONS.get(env.SESSIONS.idFromName(searchParams.get('session') ?? 'default')).fetch(request)
    }
    return new Response('POST /classify or /rows?session=NAME\n', { status: 404 })
  },
}
