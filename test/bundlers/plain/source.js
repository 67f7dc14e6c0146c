import source module from 'lstm-wasm/simd.wasm'
import { createRuntime } from 'lstm-wasm'
import { answer } from './answer.js'

console.log(await answer(process.argv[2], { runtime: await createRuntime({ module }) }))
