// A model on the audio thread: 128 samples through an LSTM of one channel, by a node of lstm-wasm/worklet.
import { compile } from 'lstm-wasm'
import { dense, input, lstm, sequential } from 'lstm-wasm/layers'
import { createWorkletNode } from 'lstm-wasm/worklet'

async function listen() {
  const weights = (shape, n) => ({ dtype: 'float32', shape, data: Float32Array.from({ length: shape[0] * (shape[1] ?? 1) }, (_, i) => Math.sin(i + n)) })
  const net = sequential([input(['timesteps', 1]), lstm(8, { name: 'lstm', returnSequences: true }), dense(1, { name: 'fc' })]).loadStateDict({
    'lstm.weight_ih_l0': weights([32, 1], 1), 'lstm.weight_hh_l0': weights([32, 8], 2),
    'lstm.bias_ih_l0': weights([32], 3), 'lstm.bias_hh_l0': weights([32], 4), 'fc.weight': weights([1, 8], 5), 'fc.bias': weights([1], 6),
  })
  const model = await compile(net)
  const samples = Float32Array.from({ length: 1280 }, (_, n) => Math.sin(n / 20))
  const expected = model.run({ [model.inputs[0].name]: { dtype: 'float32', shape: [1, samples.length, 1], data: samples } })
  const context = new OfflineAudioContext(1, samples.length, 48000)
  const buffer = new AudioBuffer({ length: samples.length, sampleRate: 48000 })
  buffer.copyToChannel(samples, 0)
  const source = new AudioBufferSourceNode(context, { buffer })
  source.connect(await createWorkletNode(context, model)).connect(context.destination)
  source.start()
  const heard = (await context.startRendering()).getChannelData(0)
  const { data } = Object.values(expected)[0]
  const apart = heard.findIndex((sample, n) => sample !== data[n])
  return apart < 0 && heard.some((sample) => sample !== 0) ? 'heard' : `sample ${apart} is ${heard[apart]}, expected ${data[apart]}`
}

globalThis.answer = listen()
