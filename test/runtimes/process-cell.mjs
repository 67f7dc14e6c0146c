// The suite in Node, Deno or Bun: `<runtime> process-cell.mjs <variant>` prints the report as one line of JSON.
import { readFileSync } from 'node:fs'
import * as index from '../../dist/index.js'
import { dense, dropout, input, lstm, sequential } from '../../dist/layers.js'
import * as safetensors from '../../dist/safetensors.js'
import { createTrainer, earlyStopping } from '../../dist/training.js'
import { runSuite } from './suite.mjs'

const [, , variant] = process.argv
const golden = new Uint8Array(readFileSync(new URL('../golden/lstm-pytorch.safetensors', import.meta.url)))
const report = await runSuite({ api: { ...index, ...safetensors }, golden, variant })
if (report.failures !== undefined) {
  report.cases++
  await compareTrainers().catch(({ message }) => report.failures.push(`training in a worker: ${message}`))
}
console.log(JSON.stringify(report))

/** A trainer in a worker has the bits of one on this thread. @throws where it has not */
async function compareTrainers() {
  const runtime = await index.createRuntime({ variant })
  const x = { dtype: 'float32', shape: [60, 8, 1], data: Float32Array.from({ length: 480 }, (_, n) => Math.sin(n / 3)) }
  const y = { dtype: 'float32', shape: [60, 1], data: Float32Array.from({ length: 60 }, (_, row) => Math.sin((8 * row + 8) / 3)) }
  const [here, there] = await Promise.all([false, true].map(async (worker) => {
    const net = sequential([input([8, 1]), lstm(6), dropout(0.1), dense(1)])
    const trainer = await createTrainer(net, { loss: 'meanSquaredError', seed: 3, runtime, worker })
    const { history } = await trainer.fit(x, y, { epochs: 3, callbacks: [earlyStopping({ monitor: 'loss', patience: 3 })] })
    const bytes = await trainer.save()
    trainer.dispose()
    return { losses: history.loss.join(), bytes: bytes.join() }
  }))
  if (here.losses !== there.losses || here.bytes !== there.bytes) throw new Error(`losses are ${there.losses}, expected ${here.losses}`)
}
