// On the audio thread: posts the sound of its input, in pieces of a fiftieth of a second or a little more.
registerProcessor('capture', class extends AudioWorkletProcessor {
  #samples = new Float32Array(Math.ceil(sampleRate / 50 / 128) * 128)
  #length = 0

  process([[input]]) {
    if (input === undefined) return true
    this.#samples.set(input, this.#length)
    this.#length += input.length
    if (this.#length === this.#samples.length) {
      this.port.postMessage(this.#samples)
      this.#length = 0
    }
    return true
  }
})
