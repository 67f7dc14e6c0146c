// Single steps of recurrent layers, for programs that go from step to step themselves.
import { cellNodes } from '../formats/pytorch-cell.ts'
import { joinName, recurrentTensors } from '../formats/pytorch-names.ts'
import type { GraphInput } from '../graph/graph.ts'
import { gru } from '../ops/recurrent/gru.ts'
import { RECURRENT, type RecurrentOp } from '../ops/recurrent/kinds.ts'
import { rnn } from '../ops/recurrent/rnn.ts'
import { addOperators } from '../ops/registry.ts'
import { checkKind, FLAG, type OptionTable } from '../options.ts'
import type { Dimension } from '../values/shape.ts'
import { ACTIVATION, type Activation } from './activations.ts'
import { axesOf, type Layer } from './layer.ts'
import { NAME, readWords, type LayerOptions, type Spelled } from './options.ts'
import { activationAttributes, type FunctionOption } from './recurrent.ts'
import { COUNT, type Units } from './recurrent-options.ts'

/** Options of `rnnCell`, and of all cells. */
export interface RnnCellOptions extends LayerOptions {
  /** Name of the layer, and of its tensors in a state dict (`name.weight_ih`). Default: its kind: `lstm_cell`, `lstm_cell_1`, ... */
  readonly name?: string | undefined
  /** Features of the step. Default: told by the layer before, or by the weights. */
  readonly inputSize?: number | undefined
  /** Whether there are biases. Default true. */
  readonly bias?: boolean | undefined
  /** As of the layer: of the candidate, and of c on its way out; of a plain RNN, of h (PyTorch `nonlinearity`). Default `'tanh'`. */
  readonly activation?: Activation | undefined
}

/** Options of `lstmCell`. */
export interface LstmCellOptions extends RnnCellOptions {
  /** Of the gates. Default `'sigmoid'`. */
  readonly recurrentActivation?: Activation | undefined
}

/** Options of `gruCell`. */
export interface GruCellOptions extends LstmCellOptions {
  /** Whether the reset gate comes after the recurrent product: see `gru`. Default true. */
  readonly resetAfter?: boolean | undefined
}

type AllCellOptions = GruCellOptions & Units

const RNN_CELL: OptionTable<RnnCellOptions & Units> = { hiddenSize: COUNT, ...NAME, inputSize: COUNT, bias: FLAG, activation: ACTIVATION }
const LSTM_CELL: OptionTable<LstmCellOptions & Units> = { ...RNN_CELL, recurrentActivation: ACTIVATION }
const GRU_CELL: OptionTable<AllCellOptions> = { ...LSTM_CELL, resetAfter: FLAG }
const ALIASES = { units: 'hiddenSize', useBias: 'bias', inputDim: 'inputSize' } as const
const RNN_ALIASES = { units: 'hiddenSize', useBias: 'bias', inputDim: 'inputSize', nonlinearity: 'activation' } as const

/** One step of a recurrent layer: [batch, features] -> h [batch, units]; its states are inputs and outputs of the model. */
function cellLayer(op: RecurrentOp, what: string, table: OptionTable<AllCellOptions>, units: number, options: object): Layer {
  const read = readWords<AllCellOptions>(options, table, what, op === 'rnn' ? RNN_ALIASES : ALIASES, { units })
  checkKind(read.hiddenSize, COUNT, what, 'units')
  const { hiddenSize = 0, name: given, inputSize, bias = true, activation, recurrentActivation, resetAfter = true } = read
  addOperators([gru, rnn])
  const gates: readonly FunctionOption[] = op === 'rnn' ? [] : [['recurrentActivation', recurrentActivation, 'sigmoid']]
  const functions: readonly FunctionOption[] = [...gates, ['activation', activation, 'tanh'], ...(op === 'lstm' ? [['activation', activation, 'tanh'] as const] : [])]
  const attributes = { hiddenSize, numLayers: 1, direction: 'forward', ...activationAttributes(what, functions, undefined, {}), ...(!resetAfter && { resetAfter }) }
  const { states } = RECURRENT[op]
  return {
    kind: `${op}_cell`,
    name: given,
    inputDtype: 'float32',
    inputRank: 2,
    inputFeatures: (stateDict, prefix) => inputSize ?? (stateDict.get(joinName(prefix, 'weight_ih')) ?? stateDict.get(joinName(prefix, 'weight_ih_l0')))?.shape[1],
    tensors: (features) => recurrentTensors(op, { inputSize: features, hiddenSize, numLayers: 1, bidirectional: false, bias })
      .map((spec) => ({ ...spec, name: spec.cellName ?? spec.name, cellName: spec.name })),
    outputShape(input, name) {
      const [batch] = axesOf(input, 2, `${what} '${name}'`, `; ${op === 'rnn' ? 'simpleRnn' : op} runs over whole sequences`)
      return [batch as Dimension, hiddenSize]
    },
    build(name, input, output, parameters, [batch = 'batch']) {
      const initial = states.map((state): GraphInput => ({ name: `${name}_${state}0`, dtype: 'float32', shape: [batch, hiddenSize], optional: true }))
      const final = states.map((state) => `${name}_${state}`)
      const made = cellNodes({ op, name, input, output, initial: initial.map((state) => state.name), final, parameters, attributes })
      return { ...made, output, inputs: initial, outputs: final }
    },
  }
}

/**
 * One step of an LSTM: PyTorch's LSTMCell. Input [batch, features], output h [batch, units]. The states before are further inputs of the
 * model, `NAME_h0` and `NAME_c0` [batch, units], zeros where they are left out; those after are outputs, `NAME_h` and `NAME_c`. Streams
 * carry them. Weights: `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh`, or the same with `_l0`.
 *
 * @throws LstmError `VALUE` for options that are unknown or out of range
 */
export function lstmCell(units: number, options: Spelled<LstmCellOptions, Omit<typeof ALIASES, 'units'>> = {}): Layer {
  return cellLayer('lstm', 'lstmCell', LSTM_CELL as OptionTable<AllCellOptions>, units, options)
}

/** One step of a GRU: PyTorch's GRUCell. As `lstmCell`, with one state, `NAME_h0` and `NAME_h`. @throws LstmError `VALUE`, as `lstmCell` */
export function gruCell(units: number, options: Spelled<GruCellOptions, Omit<typeof ALIASES, 'units'>> = {}): Layer {
  return cellLayer('gru', 'gruCell', GRU_CELL, units, options)
}

/** One step of a plain RNN: PyTorch's RNNCell. As `lstmCell`, with one state, `NAME_h0` and `NAME_h`. @throws LstmError `VALUE`, as `lstmCell` */
export function rnnCell(units: number, options: Spelled<RnnCellOptions, Omit<typeof RNN_ALIASES, 'units'>> = {}): Layer {
  return cellLayer('rnn', 'rnnCell', RNN_CELL as OptionTable<AllCellOptions>, units, options)
}
