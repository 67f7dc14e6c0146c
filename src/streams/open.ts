import { LstmError } from '../errors.ts'
import { Blueprint, type BlueprintOptions, type StreamHost } from './blueprint.ts'
import { Stream } from './stream.ts'

export interface StreamOptions extends BlueprintOptions {
  /** Sequences that go side by side. Default 1. */
  readonly batch?: number
  /** Most timesteps that `process` runs at once: more are faster, and take more memory. Default 128. */
  readonly chunk?: number
}

/** @throws LstmError `VALUE` unless it is a whole number from 1 to `most` */
export function count(value: number, what: string, most: number): number {
  if (!Number.isInteger(value) || value < 1 || value > most) {
    throw new LstmError('VALUE', `stream: expected a whole number from 1 to ${most} for '${what}', got ${String(value)}`)
  }
  return value
}

/** @throws LstmError see `Model.stream` */
export function openStream(host: StreamHost, options: StreamOptions): Stream {
  const blueprint = new Blueprint(host.prepared, options)
  const batch = count(options.batch ?? 1, 'batch', blueprint.fixedBatch ?? 2 ** 20)
  return new Stream({ host, blueprint, batch, chunk: count(options.chunk ?? 128, 'chunk', 2 ** 16) })
}
