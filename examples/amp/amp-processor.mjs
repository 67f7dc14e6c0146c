// On the audio thread: a model on one channel, and how much of the time it takes.
import { createProcessorModel } from '../../dist/processor.js'

const SECONDS_A_REPORT = 0.5

registerProcessor('amp', class extends AudioWorkletProcessor {
  #stream
  #silence = new Float32Array(128)
  #milliseconds = 0
  #samples = 0
  #isAlive = true

  constructor({ processorOptions }) {
    super()
    this.#stream = createProcessorModel(processorOptions).stream()
    this.port.onmessage = ({ data }) => {
      if (data === 'dispose') this.#isAlive = false
    }
  }

  process(inputs, outputs) {
    // The clock here has whole milliseconds only, a block takes a small part of one. But the more of them
    // it takes, the more often the clock goes on in the middle of a block: over many blocks that is exact.
    const begin = Date.now()
    this.#stream.process(inputs[0][0] ?? this.#silence, outputs[0][0])
    this.#milliseconds += Date.now() - begin
    this.#samples += outputs[0][0].length
    if (this.#samples >= SECONDS_A_REPORT * sampleRate) {
      this.port.postMessage(this.#milliseconds / 1000 * sampleRate / this.#samples)
      this.#milliseconds = 0
      this.#samples = 0
    }
    return this.#isAlive
  }
})
