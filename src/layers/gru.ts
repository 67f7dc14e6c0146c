import { gru as operator } from '../ops/recurrent/gru.ts'
import { addOperators } from '../ops/registry.ts'
import { checkKind, FLAG, type OptionTable } from '../options.ts'
import { ACTIVATION, type Activation } from './activations.ts'
import type { Layer } from './layer.ts'
import { readWords, type Spelled } from './options.ts'
import { activationAttributes, checkTogether, recurrentAttributes, recurrentLayer, refuse } from './recurrent.ts'
import { COUNT, functionLists, RECURRENT_ALIASES, RECURRENT_OPTIONS, type RecurrentOptions, type Units, type UnitsWords } from './recurrent-options.ts'

/** Options of `gru`, in camelCase; each may be written in snake_case too, and by other words: `units`, `linear_before_reset`. */
export interface GruOptions extends RecurrentOptions {
  /** Of the gates r and z (Keras `recurrent_activation`). Default `'sigmoid'`; tfjs's and old Keras's is `{ name: 'hardSigmoid', keras: 2 }`. */
  readonly recurrentActivation?: Activation | undefined
  /** Both at once: gates and candidate (ONNX f, g), two or, with other ones backwards, four. Default: what the others say. */
  readonly activations?: readonly Activation[] | undefined
  /**
   * Whether the reset gate multiplies what h adds to the candidate (PyTorch, Keras `reset_after=True`, ONNX `linear_before_reset=1`), or h
   * before that (the paper, TensorFlow 1, TensorFlow.js, Keras `reset_after=False`). Weights of one give wrong numbers with the other. Default true.
   */
  readonly resetAfter?: boolean | undefined
}

/** With the number of units, which may be an argument of its own. */
type AllGruOptions = GruOptions & Units

const GRU_OPTIONS: OptionTable<AllGruOptions> = {
  ...RECURRENT_OPTIONS, recurrentActivation: ACTIVATION, activations: functionLists(2, 'two or four'), resetAfter: FLAG,
}
const GRU_ALIASES: typeof RECURRENT_ALIASES & { readonly innerActivation: 'recurrentActivation', readonly linearBeforeReset: 'resetAfter' } = {
  ...RECURRENT_ALIASES, innerActivation: 'recurrentActivation', linearBeforeReset: 'resetAfter',
}

/**
 * A layer of gated recurrent units, or a stack of them.
 *
 *     gru(128)                                           // Keras: GRU(128); PyTorch: GRU(..., 128)
 *     gru({ hiddenSize: 128, numLayers: 2, bidirectional: true })
 *     gru(128, { resetAfter: false })                    // TensorFlow 1: GRUCell(128)
 *
 * @throws LstmError `VALUE` for options that are unknown, out of range or contradict each other
 */
export function gru(
  units: number | Spelled<AllGruOptions, typeof GRU_ALIASES>, options: Spelled<GruOptions, Omit<typeof GRU_ALIASES, UnitsWords>> = {},
): Layer {
  const positional = typeof units === 'object' && units !== null ? units : { units }
  const read = readWords<AllGruOptions>(options, GRU_OPTIONS, 'gru', GRU_ALIASES, positional)
  checkKind(read.hiddenSize, COUNT, 'gru', 'units')
  checkTogether('gru', read)
  addOperators([operator])
  const { activation, recurrentActivation, activations, resetAfter = true } = read
  for (const name of ['activation', 'recurrentActivation'] as const) {
    if (activations !== undefined && read[name] !== undefined) refuse('gru', `'activations' and '${name}' say the same thing`)
  }
  const functions = [['recurrentActivation', recurrentActivation, 'sigmoid'], ['activation', activation, 'tanh']] as const
  return recurrentLayer('gru', 'gru', read, {
    ...recurrentAttributes(read), ...activationAttributes('gru', functions, activations, read), ...(!resetAfter && { resetAfter }),
  })
}
