// Graphs made of bare state dicts of PyTorch.
import type { Graph, GraphInput } from '../graph/graph.ts'
import { RECURRENT } from '../ops/recurrent/kinds.ts'
import { graphOfCell } from './pytorch-cell.ts'
import { joinName, recurrentTensors, type StateDict } from './pytorch-names.ts'
import type { Reading } from './state-dicts/lines.ts'
import { cannotGuess, EXPORT_FROM_PYTORCH } from './state-dicts/message.ts'
import { groupsOf, isRecurrent, recognise, type RecurrentModule } from './state-dicts/modules.ts'
import { sourceOf } from './state-dicts/quote.ts'

/** How code gets at the tensors of a safetensors file, which has them by name. */
export function readingSafetensors(location?: string): Reading {
  return {
    imports: "import { readSafetensors } from 'lstm-wasm/safetensors'",
    lines: [`const { tensors } = await readSafetensors(${sourceOf(location)})`],
    inOrder: false,
    otherwise: EXPORT_FROM_PYTORCH,
  }
}

/** What a state dict does not say of a `torch.nn.RNN`. */
const NONLINEARITY = "read with nonlinearity='tanh', PyTorch's default: the file does not say; one with 'relu' is simpleRnn(units, { activation: 'relu' }) of lstm-wasm/layers"

/**
 * A state dict that is one `torch.nn.LSTM`, `GRU` or `RNN` and nothing else, as a graph: input `input`
 * [batch, timesteps, features] and optional `h_0`, of an LSTM `c_0` too; outputs `output`, `h_n`, `c_n`. One of their cells is
 * one step: see `graphOfCell`.
 *
 * @param reading how the lines of a message get at the tensors; default: from the bytes of a safetensors file
 * @throws LstmError `UNSUPPORTED` for any other state dict: the message lists its tensors and shows
 *   the lines that load it, or says what to do instead
 */
export function graphOfStateDict(stateDict: StateDict, reading: Reading = readingSafetensors()): Graph {
  const [first, ...others] = groupsOf(stateDict)
  const found = first === undefined || others.length > 0 ? undefined : recognise(...first)
  if (found === undefined || !isRecurrent(found)) throw cannotGuess(stateDict, reading)
  const graph = found.isCell ? graphOfCell(found, stateDict) : graphOfSequence(found, stateDict)
  return found.kind === 'rnn' ? { ...graph, notes: [NONLINEARITY] } : graph
}

function graphOfSequence({ kind, prefix, shape }: RecurrentModule, constants: StateDict): Graph {
  const { inputSize, hiddenSize, numLayers, bidirectional, projSize } = shape
  const { states } = RECURRENT[kind]
  const inputs = states.map((state): GraphInput => ({
    name: `${state}_0`, dtype: 'float32', shape: [numLayers * (bidirectional ? 2 : 1), 'batch', state === 'h' ? projSize ?? hiddenSize : hiddenSize], optional: true,
  }))
  const outputs = ['output', ...states.map((state) => `${state}_n`)]
  return {
    inputs: [{ name: 'input', dtype: 'float32', shape: ['batch', 'timesteps', inputSize] }, ...inputs],
    outputs: outputs.map((name) => ({ name, value: name })),
    nodes: [{
      name: prefix === '' ? kind : prefix,
      op: kind,
      inputs: ['input', ...inputs.map(({ name }) => name)],
      outputs,
      parameters: Object.fromEntries(recurrentTensors(kind, shape).map(({ name, role }) => [role, joinName(prefix, name)])),
      attributes: {
        hiddenSize, numLayers, direction: bidirectional ? 'bidirectional' : 'forward', returnSequences: true,
        ...(projSize !== undefined && { projSize }),
      },
    }],
    constants,
  }
}
