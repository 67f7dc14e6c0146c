// Everything that remembers. A chunk of its own, loaded when a model is made.
import { LstmError } from '../errors.ts'
import type { PreparedGraph } from '../plan/prepare.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { Blueprint, type BlueprintOptions } from './blueprint.ts'
import { Stream, type Lifetime } from './stream.ts'

export interface StreamOptions extends BlueprintOptions {
  /** Sequences that go side by side. Default 1. */
  readonly batch?: number
  /** Most timesteps that `process` runs at once: more are faster, and take more memory. Default 128. */
  readonly chunk?: number
}

/** What a model hands to its streams. */
export interface StreamHost {
  readonly runtime: Runtime
  readonly prepared: PreparedGraph
  readonly lifetime: Lifetime
}

/** What makes streams: `streams` of `lstm-wasm/streams`. */
export interface StreamMaker {
  stream(host: StreamHost, options: StreamOptions): Stream
}

function count(value: number, what: string, most: number): number {
  if (!Number.isInteger(value) || value < 1 || value > most) {
    throw new LstmError('VALUE', `stream: expected a whole number from 1 to ${most} for '${what}', got ${String(value)}`)
  }
  return value
}

/** For `compile` and `load` where dynamic imports are forbidden: they load this chunk themselves otherwise. */
export const streams: StreamMaker = {
  stream({ runtime, prepared, lifetime }, options) {
    const blueprint = new Blueprint(prepared, options)
    const batch = count(options.batch ?? 1, 'batch', blueprint.fixedBatch ?? 2 ** 20)
    return new Stream({ runtime, blueprint, lifetime, batch, chunk: count(options.chunk ?? 128, 'chunk', 2 ** 16) })
  },
}
