// Captures an amplifier: node examples/capture/terminal.mjs [CLEAN.wav AMPLIFIED.wav] [-o amp.json] [--units 16] [--epochs 40]
// -o is a .json file for RTNeural and AIDA-X, .nam for Neural Amp Modeler, or .safetensors. Without recordings, an amplifier made of formulas is captured.
import { readFile, writeFile } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { parseArgs } from 'node:util'
import { toNam, toRtneural } from '../../dist/export.js'
import { learn } from './learn.mjs'
import { align, makeSounds, readSounds } from './sounds.mjs'

const WRITERS = {
  '.json': (model, sampleRate) => toRtneural(model, { sampleRate }), '.nam': (model, sampleRate) => toNam(model, { sampleRate }), '.safetensors': (model) => model.save(),
}

try {
  const { files, out, units, epochs } = readArguments()
  const recordings = await Promise.all(files.map(async (path) => ({ name: basename(path), bytes: await readFile(path) })))
  const sounds = align(recordings.length === 0 ? makeSounds() : readSounds(...recordings))
  const { clean, sampleRate, latency } = sounds
  console.log(`${(clean.length / sampleRate).toFixed(1)} s at ${sampleRate} Hz; the amplified recording is ${Math.abs(latency)} samples ${latency < 0 ? 'early' : 'late'}`)
  await learn(sounds, {
    units, epochs,
    async onEpoch({ epoch, seconds, ratio, model }) {
      console.log(`epoch ${epoch}, ${seconds.toFixed(1)} s: error-to-signal ratio ${ratio.toFixed(4)}`)
      const bytes = epoch === epochs ? WRITERS[extname(out)](model, sampleRate) : undefined
      model.dispose()
      if (bytes !== undefined) await writeFile(out, bytes)
    },
  })
  console.log(`wrote ${out}`)
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { out: { type: 'string', short: 'o', default: 'amp.json' }, units: { type: 'string', default: '16' }, epochs: { type: 'string', default: '40' } },
  })
  if (positionals.length !== 0 && positionals.length !== 2) throw new Error(`expected CLEAN.wav AMPLIFIED.wav, or no file, got ${positionals.length}`)
  if (WRITERS[extname(values.out)] === undefined) throw new Error(`-o: expected a name that ends with ${Object.keys(WRITERS).join(', ')}, got '${values.out}'`)
  const [units, epochs] = ['units', 'epochs'].map((name) => {
    const number = Number(values[name])
    if (!Number.isInteger(number) || number < 1) throw new Error(`--${name}: expected a whole number >= 1, got '${values[name]}'`)
    return number
  })
  return { files: positionals, out: values.out, units, epochs }
}
