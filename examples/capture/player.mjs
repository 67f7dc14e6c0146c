// Plays recordings, and a recording through a model on the audio thread: the amplifier of examples/amp.
import { Rig } from '../amp/rig.mjs'

const LEVEL = -6 // decibels

export class Player {
  #context
  #rig
  #source
  #model

  /** What the model is from here on: at once, where it plays. */
  async use(model) {
    this.#model = model
    await this.#rig?.use(model)
  }

  /** Plays samples again and again. @param throughModel whether they go through the model */
  async play(samples, sampleRate, throughModel) {
    this.stop()
    if (this.#context?.sampleRate !== sampleRate) await this.#open(sampleRate)
    if (throughModel && this.#rig === undefined) {
      const rig = new Rig(this.#context)
      await rig.use(this.#model)
      rig.set({ gain: 0, mix: 1, level: LEVEL })
      rig.output.connect(this.#context.destination)
      this.#rig = rig
    }
    await this.#context.resume()
    const buffer = this.#context.createBuffer(1, samples.length, sampleRate)
    buffer.copyToChannel(samples, 0)
    const node = new AudioBufferSourceNode(this.#context, { buffer, loop: true })
    const level = new GainNode(this.#context, { gain: 10 ** (LEVEL / 20) })
    if (throughModel) node.connect(this.#rig.input)
    else node.connect(level).connect(this.#context.destination)
    node.start()
    this.#source = node
  }

  stop() {
    this.#source?.stop()
    this.#source?.disconnect()
    this.#source = undefined
  }

  async #open(sampleRate) {
    await this.#context?.close()
    this.#rig = undefined
    this.#context = new AudioContext({ sampleRate, latencyHint: 'interactive' })
  }
}
