// A tone through an LSTM, sample by sample, on the audio thread. Its weights are arbitrary: load a model of RTNeural, AIDA-X or
// NAM in its place, const model = await load('amp.json').
import { compile } from 'lstm-wasm'
import { dense, input, lstm, sequential } from 'lstm-wasm/layers'
import { createWorkletNode } from 'lstm-wasm/worklet'

const wave = (shape, n) => ({ dtype: 'float32', shape, data: Float32Array.from({ length: shape[0] * (shape[1] ?? 1) }, (_, i) => Math.sin(i + n)) })

const net = sequential([input(['timesteps', 1]), lstm(8, { name: 'lstm', returnSequences: true }), dense(1, { name: 'fc' })]).loadStateDict({
  'lstm.weight_ih_l0': wave([32, 1], 1), 'lstm.weight_hh_l0': wave([32, 8], 2), 'lstm.bias_ih_l0': wave([32], 3), 'lstm.bias_hh_l0': wave([32], 4),
  'fc.weight': wave([1, 8], 5), 'fc.bias': wave([1], 6),
})

document.querySelector('#play').addEventListener('click', async () => {
  const context = new AudioContext()
  const tone = new OscillatorNode(context, { frequency: 110 })
  tone.connect(await createWorkletNode(context, await compile(net))).connect(new GainNode(context, { gain: 0.2 })).connect(context.destination)
  tone.start()
  tone.stop(context.currentTime + 2)
  document.querySelector('#state').textContent = 'playing'
})
