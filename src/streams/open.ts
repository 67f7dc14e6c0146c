import { LstmError } from '../errors.ts'
import { checkKind, count, readOptions, RECORD, type Kind, type OptionTable } from '../options.ts'
import { Blueprint, type BlueprintOptions, type StreamHost } from './blueprint.ts'
import { Stream } from './stream.ts'

/** Options of `stream()`. */
export interface StreamOptions extends BlueprintOptions {
  /** Batch size: sequences that run side by side. Default 1. */
  readonly batch?: number | undefined
  /** Most timesteps that `process` runs at once: more are faster, and take more memory. Default 128. */
  readonly chunk?: number | undefined
}

const CARRY: Kind = { expected: 'names of outputs by those of inputs, or false', test: (value) => value === false || RECORD.test(value) }
const SIZE: Kind = count(1)

/** What each option of a pool may be. */
export const BLUEPRINT_OPTIONS: OptionTable<BlueprintOptions> = {
  carry: CARRY,
  sizes: { expected: 'whole numbers >= 1 by name', test: (value) => RECORD.test(value) && Object.values(value as object).every(SIZE.test) },
}

/** How a stream or pool runs the model. @throws LstmError `VALUE` for sizes that no input has, and as `Blueprint` */
export function blueprintOf({ prepared }: StreamHost, options: BlueprintOptions, what: string): Blueprint {
  const blueprint = new Blueprint(prepared, options)
  const { namedSizes } = blueprint
  const others = Object.keys(options.sizes ?? {}).filter((name) => !namedSizes.includes(name))
  if (others.length > 0) {
    const asked = namedSizes.length === 0 ? 'none is asked for' : `asked for are ${namedSizes.map((name) => `'${name}'`).join(', ')}`
    throw new LstmError('VALUE', `${what}: no size ${others.map((name) => `'${name}'`).join(', ')} for 'sizes'; ${asked} (how many sequences there are is the option batch)`)
  }
  return blueprint
}

/** @throws LstmError see `Model.stream` */
export function openStream(host: StreamHost, options: StreamOptions): Stream {
  const table: OptionTable<StreamOptions> = { ...BLUEPRINT_OPTIONS, batch: count(1, 2 ** 20), chunk: count(1, 2 ** 16) }
  const { batch = 1, chunk = 128, ...rest } = readOptions(options, table, 'stream')
  const blueprint = blueprintOf(host, rest, 'stream')
  if (batch !== blueprint.fileBatch) checkKind(batch, count(1, blueprint.fixedBatch ?? 2 ** 20), 'stream', 'batch')
  return new Stream({ host, blueprint, batch, chunk })
}
