// A new process that runs one engine once: node build/bench/cold/child.js ENGINE BATCH TIMESTEPS FEATURES UNITS CALLS. Prints milliseconds from
// importing the engine to its first result, and the memory of the process. Nothing of the engine is imported before: its adapter
// is, and what that needs of the benchmark; it loads the engine when it is told to make an instance.
import { readFileSync } from 'node:fs'
import type { Engine, Instance } from '../engines/engine.ts'
import type { PreparedCase } from '../cases.ts'
import '../dtln.ts'
import '../generation.ts'
import { lstmLayer, randomTensors } from '../network.ts'
import '../peers/load.ts'
import { pseudoRandom } from '../random.ts'
import '../silero.ts'

/** The most memory so far where the system tells: not by getrusage, which counts the process that started this one. */
function peakOf(now: number) {
  try {
    return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024 || now
  } catch {
    return now
  }
}

const [engine, ...sizes] = process.argv.slice(2)
const [batch, timesteps, features, hiddenSize, calls] = sizes.map(Number)
const layers = [lstmLayer(features, hiddenSize)]
const prepared: PreparedCase = {
  name: '', about: '', mode: ('sequence' as const), batch, timesteps, features, layers, quick: false, flops: 0, streamedBytes: 0,
  tensors: randomTensors(layers, 1), inputs: [pseudoRandom(2, batch * timesteps * features, 1)], chances: new Float64Array(0),
  files: [], expected: [],
}
if (engine?.startsWith('onnxruntime')) {
  // Its users have the file already.
  const { writeNetwork } = await import('../engines/onnx-file.ts')
  Object.assign(prepared, { network: writeNetwork(prepared) })
}

const [adapter] = engine === 'none' ? [] : Object.values(await import(`../engines/${engine}.ts`) as Record<string, Engine>)
const begin = performance.now()
let first = 0
if (adapter !== undefined) {
  // Where its first variant is not accepted, as on Node 20, the next one.
  const instance = await adapter.variants.slice(1).reduce(
    (made: Promise<Instance>, variant: string) => made.catch(() => adapter.create(prepared, variant)),
    adapter.create(prepared, adapter.variants[0]),
  )
  await instance.run()
  first = instance.output()[0]
  if (!(Math.abs(first) < 1)) throw new Error(`${engine}: ${first} is no output of an LSTM`)
  const milliseconds = performance.now() - begin
  for (let n = 1; n < calls; n++) await instance.run()
  report(milliseconds)
} else report(0)

function report(milliseconds: number) {
  const rssBytes = process.memoryUsage.rss()
  console.log(JSON.stringify({ milliseconds, rssBytes, peakBytes: peakOf(rssBytes) }))
  process.exit()
}
