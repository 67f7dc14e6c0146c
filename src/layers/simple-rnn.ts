import { rnn } from '../ops/recurrent/rnn.ts'
import { addOperators } from '../ops/registry.ts'
import { checkKind, type OptionTable } from '../options.ts'
import type { Activation } from './activations.ts'
import type { Layer } from './layer.ts'
import { readWords, type Spelled } from './options.ts'
import { activationAttributes, checkTogether, recurrentAttributes, recurrentLayer, refuse } from './recurrent.ts'
import { COUNT, functionLists, RECURRENT_ALIASES, RECURRENT_OPTIONS, type RecurrentOptions, type Units, type UnitsWords } from './recurrent-options.ts'

/** Options of `simpleRnn`, in camelCase; each may be written in snake_case too, and by other words: `units`, `nonlinearity`. */
export interface SimpleRnnOptions extends RecurrentOptions {
  /** Instead of `activation`: one function, or, with another one backwards, two. Default: what `activation` says. */
  readonly activations?: readonly Activation[] | undefined
}

/** With the number of units, which may be an argument of its own. */
type AllSimpleRnnOptions = SimpleRnnOptions & Units

const SIMPLE_RNN_OPTIONS: OptionTable<AllSimpleRnnOptions> = { ...RECURRENT_OPTIONS, activations: functionLists(1, 'one or two') }
const SIMPLE_RNN_ALIASES: typeof RECURRENT_ALIASES & { readonly nonlinearity: 'activation' } = { ...RECURRENT_ALIASES, nonlinearity: 'activation' }

/**
 * A plain recurrent layer, h' = tanh(x W + h U + b), or a stack of them: Keras's SimpleRNN, PyTorch's RNN.
 *
 *     simpleRnn(64, { activation: 'relu' })              // Keras: SimpleRNN(64, activation='relu'); PyTorch: RNN(..., 64, nonlinearity='relu')
 *
 * @throws LstmError `VALUE` for options that are unknown, out of range or contradict each other
 */
export function simpleRnn(
  units: number | Spelled<AllSimpleRnnOptions, typeof SIMPLE_RNN_ALIASES>, options: Spelled<SimpleRnnOptions, Omit<typeof SIMPLE_RNN_ALIASES, UnitsWords>> = {},
): Layer {
  const positional = typeof units === 'object' && units !== null ? units : { units }
  const read = readWords<AllSimpleRnnOptions>(options, SIMPLE_RNN_OPTIONS, 'simpleRnn', SIMPLE_RNN_ALIASES, positional)
  checkKind(read.hiddenSize, COUNT, 'simpleRnn', 'units')
  checkTogether('simpleRnn', read)
  addOperators([rnn])
  const { activation, activations } = read
  if (activations !== undefined && activation !== undefined) refuse('simpleRnn', "'activations' and 'activation' say the same thing")
  return recurrentLayer('rnn', 'simple_rnn', read, {
    ...recurrentAttributes(read), ...activationAttributes('simpleRnn', [['activation', activation, 'tanh']], activations, read),
  })
}
