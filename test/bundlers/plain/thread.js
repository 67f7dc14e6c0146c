import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { answer } from './answer.js'

if (isMainThread) {
  new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) }).on('message', (text) => console.log(text))
} else {
  parentPort.postMessage(await answer(process.argv[2]))
}
