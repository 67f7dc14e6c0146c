// Scores for runs of `lstm-wasm score --pool pool.mjs`: node worker.mjs, as many as there are cores and machines. NATS_URL says where NATS is,
// ACK_MS how soon others get the job of a worker that says nothing (the same for all of them), PATIENCE_MS for how long a server that is gone is waited for.
import { deserialize, serialize } from 'node:v8'
import { ScoringThread, VERSION } from '../../scoring.mjs'
import { ScoreQueue } from './queue.mjs'

const { NATS_URL = 'nats://127.0.0.1:4222', ACK_MS = '5000', PATIENCE_MS = '60000' } = process.env
/** A job that ends so many workers is not tried again. */
const MOST_DELIVERIES = 10

const ackMs = Number(ACK_MS)
const queue = await ScoreQueue.open(NATS_URL, Number(PATIENCE_MS))
await queue.beginWork(ackMs)
/** The last model, with its thread. */
let scorer

async function scorerOf(task) {
  if (scorer?.task === task) return scorer.thread
  await scorer?.thread.end()
  scorer = undefined
  const { version, ...rest } = deserialize(await queue.task(task))
  if (version !== VERSION) throw new Error(`this worker is of lstm-wasm ${VERSION}, the command of ${version}: install that one here`)
  scorer = { task, thread: new ScoringThread(rest) }
  return scorer.thread
}

async function answerTo({ task, job }, deliveries) {
  if (deliveries > MOST_DELIVERIES) return { code: 'ENVIRONMENT', message: `${MOST_DELIVERIES} workers have ended while they had the same windows` }
  return (await scorerOf(task)).score(job)
}

/** One job: its scores are in the queue before it is acknowledged. Where this process ends before that, another one gets it. */
async function score(message) {
  const busy = setInterval(() => message.working(), ackMs / 3)
  try {
    const { run, number, ...rest } = deserialize(message.data)
    const bytes = serialize({ number, answer: await answerTo(rest, message.info.deliveryCount) })
    const isTooLarge = bytes.length > queue.mostBytes
    const said = isTooLarge ? serialize({ number, answer: { code: 'MEMORY', message: tooLarge(bytes.length) } }) : bytes
    await queue.putResult(run, number, said)
    message.ack()
  } catch (error) {
    message.nak() // for another worker
    throw error
  } finally {
    clearInterval(busy)
  }
}

const tooLarge = (size) => `the scores of a group of windows take ${size} bytes, the NATS server takes ${queue.mostBytes}: less --group-rows, or max_payload in its configuration`

let isOver = false
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => (isOver = true))
console.log(`scores for ${NATS_URL}   (Ctrl-C ends, after the windows at hand)`)
while (!isOver) {
  const message = await queue.nextJob()
  if (message !== null) await score(message)
}
await scorer?.thread.end()
await queue.close()
