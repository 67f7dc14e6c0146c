// A thread that opens shared models of the built package, and does what its messages say: `[id, name, ...arguments]`.
import { parentPort } from 'node:worker_threads'
import { openShared } from '../../dist/sharing.js'

/** In the order in which they were opened. */
const models = []
const tensors = []

const bitsDiffer = (a, b) => Buffer.compare(Buffer.from(a.buffer, a.byteOffset, a.byteLength), Buffer.from(b.buffer, b.byteOffset, b.byteLength)) !== 0

/** Waits until `count` threads are here, so that they call at the same time. */
function meet(words, count) {
  Atomics.add(words, 0, 1)
  Atomics.notify(words, 0)
  for (let here; (here = Atomics.load(words, 0)) < count;) Atomics.wait(words, 0, here)
}

const ORDERS = {
  async open(shared, options) {
    if (typeof options !== 'object') options = undefined
    const model = await openShared(shared, options)
    models.push(model)
    return { summary: model.summary(), threads: model.runtime.threads, variant: model.runtime.variant }
  },

  /** Runs cases of the models in an order of its own, outputs filled with NaN first; returns how many there were, and those that differ. */
  agree(cases, rounds, words, count, seed) {
    const wrong = []
    let next = seed
    let runs = 0
    meet(words, count)
    for (let round = 0; round < rounds * cases.length; round++) {
      next = Math.imul(next, 1664525) + 1013904223 >>> 0
      const { model: index, name, inputs, outputs } = cases[(next >>> 8) % cases.length]
      const model = models[index]
      // Shapes change from call to call: buffers come and go, and so do tensors.
      const into = Object.fromEntries(Object.entries(outputs).map(([output, { dtype, shape }]) => [output, model.runtime.tensor(null, shape, dtype)]))
      for (const tensor of Object.values(into)) if (tensor.dtype === 'float32') tensor.data.fill(NaN)
      model.run(inputs, { into })
      const copied = round % 3 === 0 ? model.run(inputs) : undefined
      for (const [output, { data }] of Object.entries(outputs)) {
        if (bitsDiffer(data, into[output].data) || (copied !== undefined && bitsDiffer(data, copied[output].data))) wrong.push(`${name}: ${output}`)
        into[output].dispose()
      }
      runs++
    }
    return { runs, wrong: wrong.slice(0, 5) }
  },

  /** Steps of a stream and of a pool of three sessions; returns all outputs. */
  async steps(index, x, [features, units], words, count) {
    const model = models[index]
    const stream = model.stream()
    const pool = model.streams(3)
    const sessions = [pool.open(), pool.open(), pool.open()]
    const outputs = []
    meet(words, count)
    for (let at = 0; at + 3 * features <= x.length; at += features) {
      const [own, all] = [new Float32Array(units).fill(NaN), new Float32Array(3 * units).fill(NaN)]
      stream.step(x.subarray(at, at + features), own)
      pool.step(sessions, x.subarray(at, at + 3 * features), all)
      outputs.push(own, all)
    }
    const saved = pool.save(sessions[1])
    const { output } = await model.runAsync({ input: { dtype: 'float32', shape: [1, x.length / features, features], data: x } })
    stream.dispose()
    pool.dispose()
    return [...outputs, saved, output.data]
  },

  tensor(length) {
    tensors.push(models[0].runtime.tensor(Float32Array.from({ length }, (_, n) => n)))
    return models[0].runtime.memory()
  },

  /** How many elements of its tensors are no longer what they were. */
  changed: () => tensors.reduce((sum, { data }) => sum + data.reduce((all, value, n) => all + Number(value !== n), 0), 0),

  memory: () => models[0].runtime.memory(),

  dispose() {
    for (const one of [...models.splice(0), ...tensors.splice(0)]) one.dispose()
  },

  /** Says that it begins, and runs for ever. */
  hang(inputs, id) {
    parentPort.postMessage({ id, result: 'begun' })
    for (;;) models[0].run(inputs)
  },

  exit: () => process.exit(0),
}

parentPort.on('message', async ([id, name, ...args]) => {
  try {
    parentPort.postMessage({ id, result: await ORDERS[name](...args, id) })
  } catch (error) {
    parentPort.postMessage({ id, error: { code: error.code, message: error.message } })
  }
})
