// The worklet's side, in one file without imports: for `audioWorklet.addModule`, which then knows the processor
// 'lstm-wasm', and for other processors, which import it.
import type { Stream } from '../streams/stream.ts'
import { createProcessorModel } from './processor-model.ts'
import type { ProcessorOptions } from './options.ts'

export { LstmError, type LstmErrorCode } from '../errors.ts'
export type { Model } from '../model/model.ts'
export type { Stream } from '../streams/stream.ts'
export type { ProcessorOptions } from './options.ts'
export { createProcessorModel }

/** What an AudioWorkletGlobalScope has. */
interface WorkletScope {
  readonly AudioWorkletProcessor: new () => { readonly port: MessagePort }
  readonly registerProcessor: (name: string, processor: unknown) => void
}

interface NodeOptions {
  readonly outputChannelCount?: readonly number[] | undefined
  readonly processorOptions: ProcessorOptions
}

function defineProcessor({ AudioWorkletProcessor, registerProcessor }: WorkletScope): void {
  const silence = new Float32Array(128)

  /** Runs a model on every channel, each with a stream of its own. */
  class LstmProcessor extends AudioWorkletProcessor {
    readonly #streams: readonly Stream[]
    #isAlive = true

    constructor({ outputChannelCount, processorOptions }: NodeOptions) {
      super()
      const model = createProcessorModel(processorOptions)
      this.#streams = Array.from({ length: outputChannelCount?.[0] ?? 1 }, () => model.stream())
      this.port.onmessage = ({ data }) => {
        if (data === 'reset') for (const stream of this.#streams) stream.reset()
        if (data === 'dispose') this.#isAlive = false
      }
    }

    /** While nothing is connected, the model hears silence. */
    process(inputs: readonly (readonly Float32Array[])[], outputs: readonly (readonly Float32Array[])[]): boolean {
      const input = inputs[0] as readonly Float32Array[]
      const output = outputs[0] as readonly Float32Array[]
      for (let n = 0; n < this.#streams.length; n++) (this.#streams[n] as Stream).process(input[n] ?? silence, output[n] as Float32Array)
      return this.#isAlive
    }
  }

  try {
    registerProcessor('lstm-wasm', LstmProcessor)
  } catch {
    // The scope has it already, from another file that this one was bundled into.
  }
}

const scope = globalThis as Partial<WorkletScope>
if (typeof scope.registerProcessor === 'function') defineProcessor(scope as WorkletScope)
