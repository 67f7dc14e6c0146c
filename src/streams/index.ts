// Everything that remembers. A chunk of its own, loaded when a model is made.
import { LstmError } from '../errors.ts'
import type { ByName, RunInput } from '../plan/binding.ts'
import type { StateMemory } from '../plan/states.ts'
import type { RunTarget } from '../plan/targets.ts'
import type { NdArray } from '../values/ndarray.ts'
import { Blueprint, type BlueprintOptions, type StreamHost } from './blueprint.ts'
import { runLong, type RunAsyncOptions } from './long-run.ts'
import { StreamPool } from './pool.ts'
import { Stream } from './stream.ts'

export interface StreamOptions extends BlueprintOptions {
  /** Sequences that go side by side. Default 1. */
  readonly batch?: number
  /** Most timesteps that `process` runs at once: more are faster, and take more memory. Default 128. */
  readonly chunk?: number
}

/** What makes streams: `streams` of `lstm-wasm/streams`. */
export interface StreamMaker {
  stream(host: StreamHost, options: StreamOptions): Stream
  streams(host: StreamHost, capacity: number, options: BlueprintOptions): StreamPool
  run(host: StreamHost, states: StateMemory, inputs: ByName<RunInput>, options: RunAsyncOptions): Promise<ByName<NdArray | RunTarget>>
}

function count(value: number, what: string, most: number): number {
  if (!Number.isInteger(value) || value < 1 || value > most) {
    throw new LstmError('VALUE', `stream: expected a whole number from 1 to ${most} for '${what}', got ${String(value)}`)
  }
  return value
}

/** For `compile` and `load` where dynamic imports are forbidden: they load this chunk themselves otherwise. */
export const streams: StreamMaker = {
  stream(host, options) {
    const blueprint = new Blueprint(host.prepared, options)
    const batch = count(options.batch ?? 1, 'batch', blueprint.fixedBatch ?? 2 ** 20)
    return new Stream({ host, blueprint, batch, chunk: count(options.chunk ?? 128, 'chunk', 2 ** 16) })
  },
  streams(host, capacity, options) {
    return new StreamPool(host, new Blueprint(host.prepared, options), count(capacity, 'capacity', 2 ** 24))
  },
  run: runLong,
}
