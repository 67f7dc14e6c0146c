// Everything that remembers. A chunk of its own, loaded when a model is made.
import { Blueprint } from './blueprint.ts'
import { runLong } from './long-run.ts'
import type { StreamMaker } from './maker.ts'
import { count, openStream } from './open.ts'
import { StreamPool } from './pool.ts'

export type { StreamMaker } from './maker.ts'

/** For `compile` and `load` where dynamic imports are forbidden: they load this chunk themselves otherwise. */
export const streams: StreamMaker = {
  stream: openStream,
  streams: (host, capacity, options) => new StreamPool(host, new Blueprint(host.prepared, options), count(capacity, 'capacity', 2 ** 24)),
  run: runLong,
}
