import { createRuntime } from 'lstm-wasm'
import module from 'lstm-wasm/simd.wasm?module'
import { answer } from '../../../answer.js'

export const runtime = 'edge'

export async function GET(request) {
  return new Response(await answer(new URL('/model.safetensors', request.url), { runtime: await createRuntime({ module }) }))
}
