import { answer } from './answer.js'

export default {
  async fetch(request) {
    try {
      return new Response(await answer(await request.arrayBuffer()))
    } catch (error) {
      return new Response(error.stack)
    }
  },
}
