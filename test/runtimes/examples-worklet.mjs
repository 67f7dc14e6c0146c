// Models in an AudioWorklet of an OfflineAudioContext, sample for sample against Node.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRuntime, load } from '../../dist/index.js'

const AIDA_X = new URL('../golden/amp/amp.json', import.meta.url)
const VALVE = new URL('../../examples/amp/valve.safetensors', import.meta.url)
/** Fused or not, the relaxed binary stays as near as this to the other one. */
const RELAXED_DISTANCE = 2e-5

/** A .nam file of two layers of 5 units that begin in a state of their own. */
function namFile() {
  const [units, layers] = [5, 2]
  const count = [1, units].reduce((sum, inputs) => sum + 4 * units * (inputs + units) + 6 * units, 0) + units + 1
  const weights = Array.from({ length: count }, (_, n) => Math.sin(n * n + 1) * 0.7)
  const config = { input_size: 1, hidden_size: units, num_layers: layers }
  return Buffer.from(JSON.stringify({ version: '0.5.4', architecture: 'LSTM', config, weights, sample_rate: 48000 }))
}

const floats = (base64) => new Float32Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer)

/** Runs in the page: renders `seconds` of the riff through the model in `bytes`, and gives back what went in and came out. */
async function render({ bytes, variant, channels, through }) {
  const { createRuntime, load } = await import('lstm-wasm')
  const { createWorkletNode } = await import('lstm-wasm/worklet')
  const { makeRiff } = await import('/examples/amp/riff.mjs')
  const { Rig } = await import('/examples/amp/rig.mjs')
  const RATE = 48000
  const LENGTH = 30_000 // no whole number of blocks
  const model = await load(Uint8Array.from(bytes), { runtime: await createRuntime({ variant }) })
  const context = new OfflineAudioContext(channels, LENGTH, RATE)
  const buffer = context.createBuffer(channels, LENGTH, RATE)
  const riff = makeRiff(RATE)
  for (let channel = 0; channel < channels; channel++) buffer.copyToChannel(riff.subarray(channel * LENGTH, (channel + 1) * LENGTH), channel)
  const source = new AudioBufferSourceNode(context, { buffer })
  if (through === 'rig') {
    const rig = new Rig(context)
    await rig.use(model)
    rig.set({ gain: 0, mix: 1, level: 0 })
    source.connect(rig.input)
    rig.output.connect(context.destination)
  } else {
    source.connect(await createWorkletNode(context, model, { channels })).connect(context.destination)
  }
  source.start()
  const rendered = await context.startRendering()
  const encode = (samples) => {
    let text = ''
    for (const byte of new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)) text += String.fromCharCode(byte)
    return btoa(text)
  }
  const each = (of) => Array.from({ length: channels }, (_, channel) => encode(of.getChannelData(channel)))
  return { variant: model.runtime.variant, inputs: each(buffer), outputs: each(rendered) }
}

async function renderAndCompare({ page, origin }, bytes, { variant = 'simd', channels = 1, through = 'node' } = {}) {
  await page.goto(`${origin}/examples/amp/`)
  const { inputs, outputs, variant: used } = await page.evaluate(render, { bytes: [...bytes], variant, channels, through })
  assert.equal(used, variant)
  const model = await load(bytes, { runtime: await createRuntime({ variant: 'simd' }) })
  let largest = 0
  inputs.forEach((input, channel) => {
    const expected = new Float32Array(floats(input).length)
    const stream = model.stream()
    stream.process(floats(input), expected)
    stream.dispose()
    const output = floats(outputs[channel])
    assert.ok(output.some((sample) => Math.abs(sample) > 0.05), 'the output is silent')
    if (variant === 'simd') assert.deepEqual(output, expected)
    output.forEach((sample, n) => (largest = Math.max(largest, Math.abs(sample - expected[n]))))
  })
  assert.ok(largest <= RELAXED_DISTANCE, `a sample is ${largest} off`)
  model.dispose()
}

export const WORKLET_CHECKS = [
  ['the processor lstm-wasm, stereo, has the bits of Node', async (check) => renderAndCompare(check, await readFile(VALVE), { channels: 2 })],
  ['the relaxed binary is as near as fused arithmetic may be', async (check) => renderAndCompare(check, await readFile(VALVE), { variant: 'relaxed-simd' })],
  ["the example's amplifier has the bits of Node", async (check) => renderAndCompare(check, await readFile(VALVE), { through: 'rig' })],
  ['an AIDA-X file has the bits of Node', async (check) => renderAndCompare(check, await readFile(AIDA_X), { through: 'rig' })],
  ['a NAM file has the bits of Node', (check) => renderAndCompare(check, namFile(), { through: 'rig' })],
]
