// Streams one of the digits of MNIST to a session, a row of pixels at a time: node demo.mjs ws://HOST/NAME or nats://HOST/NAME.
import { WebSocket } from 'ws'
import { SessionClient, webSocketTo } from '../session-client.mjs'
import { readTestImages } from '../../digits/mnist.mjs'
import { NatsSessionClient } from './nats/client.mjs'
import { openJetStream } from './nats/jetstream.mjs'

const ROW = 28
const ROW_MS = 100

const address = new URL(process.argv[2] ?? 'ws://localhost:8787/anna')
const name = address.pathname.slice(1)
const { pixels, labels } = await readTestImages()

const client = address.protocol === 'nats:' ? await overNats() : new SessionClient(webSocketTo(address.href, WebSocket), show)
console.log(`session '${name}': the rows of a ${labels[0]}`)
for (let row = 0; row < ROW; row++) {
  await client.send(Float32Array.from(pixels.subarray(row * ROW, (row + 1) * ROW)))
  await new Promise((resolve) => setTimeout(resolve, ROW_MS))
}
await client.finished()
process.exit()

async function overNats() {
  const nats = await openJetStream(address.host)
  return NatsSessionClient.open(nats, name, { frameLength: ROW, outputLength: 10, window: 256 }, show)
}

function show(sequence, output) {
  const digit = output.indexOf(Math.max(...output))
  console.log(`frame ${String(sequence).padStart(4)}: ${digit}, ${(100 * output[digit]).toFixed(1).padStart(5)} %`)
}
