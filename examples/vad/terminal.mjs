// Who speaks when, in a terminal: node examples/vad/terminal.mjs [file.wav]; without a file, a voice made by code.
import { readFile } from 'node:fs/promises'
import { createDetector, detectAll, findSpeech, FRAME, SAMPLE_RATE } from './detector.mjs'
import { loudnessOf } from './loudness.mjs'
import { makeVoice } from './voice.mjs'
import { readWav, resample } from './wav.mjs'

const BARS = ' ▁▂▃▄▅▆▇█'
const FRAMES_A_COLUMN = 2
const COLUMNS = Math.max(20, Math.min(100, (process.stdout.columns ?? 80) - 13))
const SECONDS_A_FRAME = FRAME / SAMPLE_RATE

const [path] = process.argv.slice(2)
const samples = path === undefined ? makeVoice(SAMPLE_RATE) : await readSamples(path)
const detector = await createDetector()
detectAll(detector, samples.subarray(0, 20 * FRAME)) // the engine is still compiling
const begin = performance.now()
const probabilities = detectAll(detector, samples)
const milliseconds = performance.now() - begin
const loudness = probabilities.map((_, n) => loudnessOf(samples.subarray(n * FRAME, (n + 1) * FRAME)))

const seconds = samples.length / SAMPLE_RATE
console.log(`${path ?? 'a voice made by code, between a bell and rain'}: ${seconds.toFixed(1)} s\n`)
for (let first = 0; first < probabilities.length; first += COLUMNS * FRAMES_A_COLUMN) {
  const strip = (values) => drawStrip(values.subarray(first, first + COLUMNS * FRAMES_A_COLUMN))
  console.log(`${time(first).padStart(7)}     ${drawAxis(first, strip(loudness).length)}`)
  console.log(`loudness    ${strip(loudness)}`)
  console.log(`speech      ${strip(probabilities)}\n`)
}

const found = findSpeech(probabilities)
console.log(found.length === 0 ? 'no speech' : found.map(([from, to]) => `speech from ${time(from).padStart(7)} to ${time(to).padStart(7)}`).join('\n'))
console.log(`\n${milliseconds.toFixed(0)} ms on one thread: ${Math.round(seconds * 1000 / milliseconds)} times faster than real time`)

async function readSamples(file) {
  try {
    const { sampleRate, samples: original } = readWav(await readFile(file))
    return resample(original, sampleRate, SAMPLE_RATE)
  } catch (error) {
    console.error(`${file}: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`)
    process.exit(1)
  }
}

/** The largest of every few values, as a bar each. */
function drawStrip(values) {
  let line = ''
  for (let n = 0; n < values.length; n += FRAMES_A_COLUMN) {
    const largest = Math.max(...values.subarray(n, n + FRAMES_A_COLUMN))
    line += BARS[Math.round(Math.min(1, largest) * (BARS.length - 1))]
  }
  return line
}

/** A tick at every whole second. */
function drawAxis(first, columns) {
  const second = (column) => Math.ceil((first + column * FRAMES_A_COLUMN) * SECONDS_A_FRAME)
  return Array.from({ length: columns }, (_, column) => (second(column + 1) > second(column) ? '┴' : '─')).join('')
}

function time(frame) {
  return `${(frame * SECONDS_A_FRAME).toFixed(2)} s`
}
