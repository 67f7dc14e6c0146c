import { answer } from './answer.js'

answer(new URL('/model.safetensors', location.origin)).then((text) => postMessage({ answer: text }), (error) => postMessage({ error: error.message }))
