/** Name of a recurrent operator. */
export type RecurrentOp = 'lstm' | 'gru' | 'rnn'

/** How many gates the weights of a recurrent operator stack, and its states. */
export interface RecurrentKind {
  readonly gates: number
  readonly states: readonly ('h' | 'c')[]
}

/** By name. */
export const RECURRENT: Readonly<Record<RecurrentOp, RecurrentKind>> = {
  lstm: { gates: 4, states: ['h', 'c'] },
  gru: { gates: 3, states: ['h'] },
  rnn: { gates: 1, states: ['h'] },
}
