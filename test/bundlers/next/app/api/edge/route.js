import { answer } from '../../../answer.js'

export const runtime = 'edge'

export async function GET(request) {
  return new Response(await answer(new URL('/model.safetensors', request.url)))
}
