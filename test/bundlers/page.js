import { answer } from './answer.js'

globalThis.answer = answer(new URL('/model.safetensors', location.href))
