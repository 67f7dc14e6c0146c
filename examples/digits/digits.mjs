// Reads five trained models and classifies the 10,000 test images of MNIST with each, a row of
// pixels a timestep: how many units does it take?
import { readFile } from 'node:fs/promises'
import { createRuntime, load } from 'lstm-wasm'
import { drawDigits } from './draw.mjs'
import { readTestImages } from './mnist.mjs'
import { progressBar } from './progress.mjs'

const UNITS = [8, 16, 32, 64, 128]
const BATCH = 100
const ROW_PIXELS = 28
const IMAGE_PIXELS = ROW_PIXELS * ROW_PIXELS

const { count, pixels, labels } = await readTestImages()
const runtime = await createRuntime()
console.log(`lstm-wasm: ${count.toLocaleString('en')} handwritten digits, each ${ROW_PIXELS} timesteps of ${ROW_PIXELS} features`)
console.log(`running on ${runtimeName()}, binary '${runtime.variant}', batches of ${BATCH}, one thread\n`)

const bar = progressBar(UNITS.length * count)
const results = []
for (const units of UNITS) {
  const file = await readFile(new URL(`models/digits-${units}.safetensors`, import.meta.url))
  const model = await load(file, { runtime })
  results.push({ units, bytes: file.length, model, ...await classifyAll(model, (done) => bar.show(results.length * count + done, `${units} units`)) })
}
bar.clear()
printTable(results)
console.log('\nunits: hidden size (PyTorch), num_units (TensorFlow 1). The LSTM has 4 x units x (28 features + units + 2 biases) parameters.')

const best = results.at(-1)
const smallest = results[0]
// The first three images, and the first one that the smallest model gets wrong and the largest right.
const telling = smallest.classes.findIndex((digit, n) => digit !== labels[n] && best.classes[n] === labels[n])
for (const [{ units, model }, images] of [[best, [0, 1, 2]], [smallest, [telling]], [best, [telling]]]) {
  console.log(`\n${units} units:`)
  console.log(drawDigits(images.map((n) => {
    const image = pixels.subarray(n * IMAGE_PIXELS, (n + 1) * IMAGE_PIXELS)
    const { probs } = model.run({ rows: image })
    return { pixels: image, label: labels[n], probabilities: probs.data }
  })))
}

async function classifyAll(model, onProgress) {
  const classes = new Uint8Array(count)
  const probs = new Float32Array(BATCH * 10)
  let correct = 0
  let milliseconds = 0
  // The first batch is run once beforehand: it lays out buffers, and the engine is still compiling.
  model.run({ rows: pixels.subarray(0, BATCH * IMAGE_PIXELS) }, { into: { probs } })
  for (let first = 0; first < count; first += BATCH) {
    const rows = pixels.subarray(first * IMAGE_PIXELS, (first + BATCH) * IMAGE_PIXELS)
    const start = performance.now()
    model.run({ rows }, { into: { probs } })
    milliseconds += performance.now() - start
    for (let n = 0; n < BATCH; n++) {
      const digit = indexOfLargest(probs.subarray(n * 10, n * 10 + 10))
      classes[first + n] = digit
      if (digit === labels[first + n]) correct++
    }
    onProgress(first + BATCH)
    await new Promise((resolve) => setImmediate(resolve)) // so that Ctrl-C is heard
  }
  return { classes, accuracy: correct / count, milliseconds }
}

function indexOfLargest(values) {
  let best = 0
  for (let n = 1; n < values.length; n++) if (values[n] > values[best]) best = n
  return best
}

function printTable(rows) {
  const header = ['units', 'parameters', 'file size', 'accuracy', 'images/s', 'us/image']
  const cells = rows.map(({ units, bytes, model, accuracy, milliseconds }) => [
    String(units),
    parameters(model).toLocaleString('en'),
    `${(bytes / 1000).toFixed(1)} kB`,
    `${(accuracy * 100).toFixed(2)} %`,
    Math.round(count / milliseconds * 1000).toLocaleString('en'),
    (milliseconds * 1000 / count).toFixed(1),
  ])
  const widths = header.map((_, column) => Math.max(...[header, ...cells].map((row) => row[column].length)))
  const line = (row) => row.map((cell, column) => cell.padStart(widths[column])).join('   ')
  console.log(line(header))
  console.log(widths.map((width) => '-'.repeat(width)).join('   '))
  for (const row of cells) console.log(line(row))
}

function parameters(model) {
  return model.describe().parameters
}

function runtimeName() {
  if (globalThis.Bun) return `Bun ${globalThis.Bun.version}`
  if (globalThis.Deno) return `Deno ${globalThis.Deno.version.deno}`
  return `Node ${process.versions.node} (V8 ${process.versions.v8.split('-')[0]}, ${process.arch})`
}
