import type { Case, PreparedCase } from '../cases.ts'

/** One engine, ready to run one case. */
export interface Instance {
  /** Whether `run` gives a promise. */
  readonly async: boolean
  /** One call, as its users make it: input from an array of theirs, output where they can read it. */
  readonly run: () => unknown
  /** Of the last call: rows [batch, timesteps, features], or as `generated` says. */
  readonly output: () => ArrayLike<number>
  readonly dispose: () => unknown
  /** Called before the engine's turn, not timed. */
  readonly activate?: () => Promise<unknown>
}

export interface Engine {
  readonly name: string
  /** Of its weights. Default: float32. */
  readonly dtype?: 'int8'
  /** How many it computes with. Default: one. */
  readonly threads?: number
  /** The first is the one most people run. */
  readonly variants: readonly string[]
  /** The largest distance from the float64 reference, where its functions are approximations. Default: as all others. */
  readonly tolerance?: number
  /** Outputs that are not compared, at the beginning. Default: none. */
  readonly settles?: number
  /** In words: what was chosen, and why it is this engine's best. */
  readonly settings: string
  /** Whose versions count. */
  readonly packages: readonly string[]
  readonly supports: (entry: Case) => boolean
  /** Rejects with the reason where it cannot run. */
  readonly available: (variant: string) => Promise<unknown>
  readonly create: (prepared: PreparedCase, variant: string) => Promise<Instance>
}
