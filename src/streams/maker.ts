import type { FindCarry } from '../graph/summary.ts'
import type { RunInputs } from '../plan/binding.ts'
import type { StateMemory } from '../plan/states.ts'
import type { RunTargets } from '../plan/targets.ts'
import type { NdArray } from '../values/ndarray.ts'
import type { BlueprintOptions, StreamHost } from './blueprint.ts'
import type { RunAsyncOptions } from './long-run.ts'
import type { StreamOptions } from './open.ts'
import type { StreamPool } from './pool.ts'
import type { Stream } from './stream.ts'

/** Makes streams: `streams` of `lstm-wasm/streams`. */
export interface StreamMaker {
  /** A stream of a model. */
  stream(host: StreamHost, options: StreamOptions): Stream
  /** Absent in worklets, as is `run`. */
  streams?(host: StreamHost, capacity: number, options: BlueprintOptions): StreamPool
  /** States that streams carry: see `findCarry`. Default: none. */
  carry?: FindCarry
  /** A run in parts, for `runAsync`. */
  run?(host: StreamHost, states: StateMemory, inputs: RunInputs, options: RunAsyncOptions): Promise<Record<string, NdArray> | RunTargets>
}
