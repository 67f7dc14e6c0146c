// The amplifier as audio nodes, in a live context or an offline one:
//   input (gain) -+- the model - wet -+- output (level)
//                 +------------- dry -+
import { createWorkletOptions } from 'lstm-wasm/worklet'

const SECONDS_TO_GLIDE = 0.02

const ratioOf = (decibels) => 10 ** (decibels / 20)

export class Rig {
  #context
  #model
  #wet
  #dry

  constructor(context) {
    this.#context = context
    this.input = context.createGain()
    this.output = context.createGain()
    this.#wet = context.createGain()
    this.#dry = context.createGain()
    this.input.connect(this.#dry).connect(this.output)
    this.#wet.connect(this.output)
    this.#dry.gain.value = 0
  }

  /** Puts a model in the place of the one before. `onLoad` is told, now and then, which part of the time it takes. */
  async use(model, onLoad) {
    await this.#context.audioWorklet.addModule(new URL('amp-processor.mjs', import.meta.url))
    const node = new AudioWorkletNode(this.#context, 'amp', createWorkletOptions(model))
    node.port.onmessage = ({ data }) => onLoad?.(data)
    this.input.connect(node).connect(this.#wet)
    if (this.#model !== undefined) {
      this.#model.port.postMessage('dispose')
      this.#model.port.onmessage = null
      this.#model.disconnect()
      this.input.disconnect(this.#model)
    }
    this.#model = node
  }

  /** Gain and level in decibels, mix from 0 (dry) to 1 (wet). */
  set({ gain, mix, level }) {
    this.#glide(this.input, ratioOf(gain))
    this.#glide(this.#wet, mix)
    this.#glide(this.#dry, 1 - mix)
    this.#glide(this.output, ratioOf(level))
  }

  #glide({ gain }, value) {
    gain.setTargetAtTime(value, this.#context.currentTime, SECONDS_TO_GLIDE)
  }
}
