// Graphs made of bare state dicts of PyTorch.
import type { Graph, GraphInput } from '../graph/graph.ts'
import type { ArrayLike } from '../values/ndarray.ts'
import { graphOfCell } from './pytorch-cell.ts'
import { joinName, lstmTensors, type StateDict } from './pytorch-names.ts'
import type { Reading } from './state-dicts/lines.ts'
import { cannotGuess, EXPORT_FROM_PYTORCH } from './state-dicts/message.ts'
import { groupsOf, recognise } from './state-dicts/modules.ts'
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

/**
 * A state dict that is one `torch.nn.LSTM` and nothing else, as a graph: input `input`
 * [batch, timesteps, features] and optional `h_0`, `c_0`; outputs `output`, `h_n`, `c_n`. One `torch.nn.LSTMCell` is
 * one step: see `graphOfCell`.
 *
 * @param reading how the lines of a message get at the tensors; default: from the bytes of a safetensors file
 * @throws LstmError `UNSUPPORTED` for any other state dict: the message lists its tensors and shows
 *   the lines that load it, or says what to do instead
 */
export function graphOfStateDict(stateDict: StateDict, reading: Reading = readingSafetensors()): Graph {
  const groups = [...groupsOf(stateDict)]
  const cell = groups.length === 1 ? graphOfCell(...groups[0] as [string, Map<string, ArrayLike>], stateDict) : undefined
  if (cell !== undefined) return cell
  const [first, ...others] = groups
  const found = first === undefined || others.length > 0 ? undefined : recognise(...first)
  if (found?.kind !== 'lstm' || found.isCell) throw cannotGuess(stateDict, reading)
  const { inputSize, hiddenSize, numLayers, bidirectional, projSize } = found.lstm
  const state = (size: number): Pick<GraphInput, 'dtype' | 'shape' | 'optional'> => ({
    dtype: 'float32', shape: [numLayers * (bidirectional ? 2 : 1), 'batch', size], optional: true,
  })
  return {
    inputs: [
      { name: 'input', dtype: 'float32', shape: ['batch', 'timesteps', inputSize] },
      { name: 'h_0', ...state(projSize ?? hiddenSize) },
      { name: 'c_0', ...state(hiddenSize) },
    ],
    outputs: ['output', 'h_n', 'c_n'].map((name) => ({ name, value: name })),
    nodes: [{
      name: found.prefix === '' ? 'lstm' : found.prefix,
      op: 'lstm',
      inputs: ['input', 'h_0', 'c_0'],
      outputs: ['output', 'h_n', 'c_n'],
      parameters: Object.fromEntries(lstmTensors(found.lstm).map(({ name, role }) => [role, joinName(found.prefix, name)])),
      attributes: {
        hiddenSize, numLayers, direction: bidirectional ? 'bidirectional' : 'forward', returnSequences: true,
        ...(projSize !== undefined && { projSize }),
      },
    }],
    constants: stateDict,
  }
}
