import type { TimeRule } from '../time/timing.ts'
import type { Direction } from './settings.ts'

/** The settings that say what a recurrent layer does to time. */
interface RecurrentTiming {
  readonly directions: readonly Direction[]
  readonly timeMajor: boolean
  readonly returnSequences: boolean
  readonly zeroEmptyState: boolean
}

/** The time rule of a layer with so many states: run step by step, it goes on from its own. */
/* @__NO_SIDE_EFFECTS__ */
export function recurrentTime(states: number): TimeRule<RecurrentTiming> {
  const [mask, lengths] = [1 + states, 2 + states]
  const positions = Array.from({ length: states }, (_, n) => 1 + n)
  return (_node, context, { directions, timeMajor, returnSequences, zeroEmptyState }) => {
    const axis = timeMajor ? 0 : 1
    if (context.timing(0) !== axis) return 'takes the timesteps as another axis'
    if (directions.length > 1) return 'is bidirectional: it needs the whole sequence'
    if (directions[0] === 'reverse') return 'walks backwards: it needs the whole sequence'
    if (context.shape(lengths) !== undefined) return 'takes the lengths of whole sequences'
    if (context.shape(mask) !== undefined && (context.timing(mask) !== 1 || zeroEmptyState)) return 'takes a mask of whole sequences'
    if (positions.some((position) => context.timing(position) !== undefined)) return 'begins from what other steps have come to'
    return { outputs: [returnSequences ? axis : 'last', ...positions.map(() => 'last' as const)], remembers: true }
  }
}
