// The suite in workerd: its runner names the .wasm module of the variant './kernels.wasm'.
import * as index from './index.js'
import * as safetensors from './safetensors.js'
import golden from './golden.safetensors'
import module from './kernels.wasm'
import { runSuite } from './suite.mjs'

export default {
  async fetch() {
    try {
      return Response.json(await runSuite({ api: { ...index, ...safetensors }, golden: new Uint8Array(golden), module }))
    } catch (error) {
      return new Response(String(error.stack), { status: 500 })
    }
  },
}
