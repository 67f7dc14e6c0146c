// LSTMCell, GRUCell and RNNCell.
import { RECURRENT, type RecurrentOp } from '../../../ops/recurrent/kinds.ts'
import { recurrentTensors } from '../../pytorch-names.ts'
import { hasZeros, shapeOf, type Emitter } from './arguments.ts'
import { CELL_CALLS, NamedTensor, type Arg } from './calls.ts'

/** One timestep of a layer. */
export const cell: Emitter = (e, call) => {
  const [op, activation] = CELL_CALLS[call.op] as readonly [RecurrentOp, string?]
  const [x, initial, ...weights] = call.args
  const [hidden = 0, inputSize = 0] = shapeOf(weights[0])
  const { gates, states } = RECURRENT[op]
  const hasBias = weights[2] instanceof NamedTensor
  const specs = recurrentTensors(op, { inputSize, hiddenSize: hidden / gates, numLayers: 1, bidirectional: false, bias: hasBias })
  const given = hasZeros(e, initial) ? [] : (Array.isArray(initial) ? initial as readonly Arg[] : [initial])
  const [axis, front] = [e.integers(1), e.integers(0)]
  const lifted = (arg: Arg, at: string): string => e.node(call, 'unsqueeze', [e.tensor(arg), at])[0] as string
  const [, ...made] = e.node(call, op, [lifted(x, axis), ...given.map((state) => lifted(state, front))], {
    hiddenSize: hidden / gates, numLayers: 1, direction: 'forward', returnSequences: true, ...(activation !== undefined && { activations: [activation] }),
  }, Object.fromEntries(specs.map(({ role }, n) => [role, e.weight(weights[n])])), 1 + states.length)
  return made.map((state) => e.node(call, 'squeeze', [state, front])[0] as string)
}
