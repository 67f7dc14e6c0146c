import type { RecurrentOp } from '../../ops/recurrent/kinds.ts'
import type { LstmWeight } from '../../ops/recurrent/settings.ts'
import type { ArrayLike } from '../../values/ndarray.ts'
import { malformedFile } from '../malformed.ts'

/** An LSTM as it is most often, one with coupled gates, one with layer normalisation; GRUs and plain RNNs are plain. */
export type CellKind = 'plain' | 'coupled' | 'layerNorm'

/** A cell: what it is, and its weights as our operator wants them. */
export interface Cell {
  /** Up to the class's own name: `rnn/multi_rnn_cell/cell_0/basic_lstm_cell`. */
  readonly scope: string
  /** Our operator. */
  readonly op: RecurrentOp
  readonly kind: CellKind
  readonly inputSize: number
  readonly hiddenSize: number
  readonly projSize: number | undefined
  /** Of an LSTM. Files do not store it; 0 for the one class that has none. */
  readonly defaultForgetBias: number
  /** Of a GRU: the reset gate comes after the recurrent product, as in the one class that is made for weights of cuDNN. */
  readonly resetAfter: boolean
  readonly weights: ReadonlyMap<LstmWeight, ArrayLike>
}

/** A cell's variables by their roles. */
export type Roles = ReadonlyMap<string, ArrayLike>

export const malformed: ReturnType<typeof malformedFile> = malformedFile('TensorFlow 1')
