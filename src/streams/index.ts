// Streams, pools and runs in parts: a chunk of its own, loaded when a model is made.
import { findCarry } from './found-carry.ts'
import { runLong } from './long-run.ts'
import type { StreamMaker } from './maker.ts'
import { checkKind, count, readOptions } from '../options.ts'
import { BLUEPRINT_OPTIONS, blueprintOf, openStream } from './open.ts'
import { StreamPool } from './pool.ts'

export type { StreamMaker } from './maker.ts'

/** For `compile` and `load` where dynamic imports are forbidden: they load this chunk themselves otherwise. */
export const streams: StreamMaker = {
  stream: openStream,
  streams(host, capacity, options) {
    checkKind(capacity, count(1, 2 ** 24), 'streams', 'capacity')
    return new StreamPool(host, blueprintOf(host, readOptions(options, BLUEPRINT_OPTIONS, 'streams'), 'streams'), capacity)
  },
  carry: findCarry,
  run: runLong,
}
