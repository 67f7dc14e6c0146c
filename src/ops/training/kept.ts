// How much of a forward pass recurrent layers keep: the layouts of assembly/gradients/recurrent/.

/** Floats in a row of a packed block, and in a vector: assembly/products/layout.ts. */
const BLOCK = 16
const VECTOR = 4

const padded = (length: number): number => Math.ceil(length / VECTOR) * VECTOR

/** Floats of the gates of one row at one step. */
const gatesRow = (gates: number, units: number): number => (Math.ceil(gates * padded(units) / BLOCK) + 1) * BLOCK

/** Sizes of a layer in one direction. */
export interface LayerSizes {
  readonly batch: number
  readonly timesteps: number
  readonly hiddenSize: number
  readonly outputSize: number
}

/**
 * Floats that `lstmKeepF32` keeps: see assembly/gradients/recurrent/lstm.ts.
 * @param copies how many times it keeps the gates: activated; before that; and before they are normalised
 */
export function lstmKeptLength({ batch, timesteps, hiddenSize, outputSize }: LayerSizes, copies: 1 | 2 | 3): number {
  const states = (timesteps + 1) * (padded(outputSize) + padded(hiddenSize)) + timesteps * padded(hiddenSize)
  return batch * (states + timesteps * gatesRow(4, hiddenSize) * copies)
}

/** Floats that `gruKeepF32` keeps: see assembly/gradients/recurrent/gru.ts. */
export function gruKeptLength({ batch, timesteps, hiddenSize }: LayerSizes): number {
  return batch * ((2 * timesteps + 1) * padded(hiddenSize) + 2 * timesteps * gatesRow(3, hiddenSize))
}

/** Floats that `rnnKeepF32` keeps: see assembly/gradients/recurrent/rnn.ts. */
export function rnnKeptLength({ batch, timesteps, hiddenSize }: LayerSizes): number {
  return batch * ((timesteps + 1) * padded(hiddenSize) + timesteps * gatesRow(1, hiddenSize))
}
