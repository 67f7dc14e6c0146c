// How values move with time, and what operators do to it: what a graph must keep to be run step by step.
import type { ArrayLike } from '../../values/ndarray.ts'
import type { SymbolicShape } from '../../values/shape.ts'
import type { GraphNode } from '../graph-data.ts'

/**
 * Where the timesteps of a value lie: the number of their axis; `'last'` where it follows from all steps so far and has
 * no axis for them; undefined where it is the same at all steps.
 */
export type Timing = number | 'last' | undefined

/** What a rule may look at. */
export interface TimeContext {
  readonly timing: (position: number) => Timing
  /** Shape of an input; undefined where it is absent. */
  readonly shape: (position: number) => SymbolicShape | undefined
  readonly outputShape: (position: number) => SymbolicShape
  /** The elements of an input, where they are known. */
  readonly numbers: (position: number) => readonly number[] | undefined
  /** Zeros that a pad put in front of the first input's timesteps. */
  readonly lead: number
}

/** What a node does to time, and what it must remember of the steps before. */
export interface TimedNode {
  readonly outputs: readonly Timing[]
  /** A recurrent layer that goes on from its own states. */
  readonly remembers?: boolean
  /** The node that takes this one's place in a stream. */
  readonly instead?: GraphNode
  /** A constant that `instead` needs. */
  readonly constant?: readonly [name: string, ArrayLike]
  /** `instead` sees so many steps before the new ones. */
  readonly history?: number
  /** This node pads the timesteps with so many zeros in front. */
  readonly lead?: number
}

/** A reason is why a node cannot be run step by step; it ends a sentence that begins with the node. */
interface Timed<Settings> {
  rule(node: GraphNode, context: TimeContext, settings: Settings): TimedNode | string
}

/** What an operator does to timesteps. As a method, like the others of operators, so that rules with settings of any type are `TimeRule`s. */
export type TimeRule<Settings = unknown> = Timed<Settings>['rule']

/** The axis of the timesteps of the first input. */
export function timeAxis(context: TimeContext): number | undefined {
  const timing = context.timing(0)
  return typeof timing === 'number' ? timing : undefined
}

/** All outputs have their timesteps on the same axis. */
export function along(node: GraphNode, timing: Timing): TimedNode {
  return { outputs: node.outputs.map(() => timing) }
}
