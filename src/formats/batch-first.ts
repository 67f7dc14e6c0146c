import { LstmError } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import { RECURRENT } from '../ops/recurrent/kinds.ts'
import type { FormatOptions } from './reader.ts'

/** What says the order of the axes of a bare `torch.nn.LSTM`, `GRU` or `RNN`, whose file does not. */
export type LayoutOptions = Pick<FormatOptions, 'batchFirst' | 'timeMajor' | 'unbatched'>

/**
 * The graph of a bare state dict with its sequences as the options say, and a note of what was assumed where they say nothing.
 * @throws LstmError `VALUE` for options that contradict each other, or that say nothing about the model
 */
export function inLayout(graph: Graph, options: LayoutOptions): Graph {
  const { batchFirst, timeMajor = batchFirst === undefined ? undefined : !batchFirst, unbatched = false } = options
  if (batchFirst === timeMajor && batchFirst !== undefined) {
    throw new LstmError('VALUE', `PyTorch: 'batchFirst' and 'timeMajor' say the opposite of each other, got ${batchFirst} for both`)
  }
  const [input, ...states] = graph.inputs
  if (input?.shape.length !== 3) {
    if (timeMajor === undefined) return graph
    throw new LstmError('VALUE', "PyTorch: 'batchFirst' and 'timeMajor' are for sequences, and a torch.nn.LSTMCell, GRUCell or RNNCell takes a step")
  }
  // As in PyTorch: a sequence alone has no axis to put first.
  if (unbatched) return graph
  if (timeMajor !== true) {
    const note = timeMajor === undefined
      ? 'read as batch_first=True, input and output are [batch, timesteps, features]: the file does not say, and PyTorch\'s default is the other; the option batchFirst: false is for modules that were made so'
      : 'batch_first=True, as the option says'
    return { ...graph, notes: [...graph.notes ?? [], note] }
  }
  const [batch = 'batch', timesteps = 'timesteps', features = 0] = input.shape
  return {
    ...graph,
    inputs: [{ ...input, shape: [timesteps, batch, features] }, ...states],
    nodes: graph.nodes.map((node) => (Object.hasOwn(RECURRENT, node.op) ? { ...node, attributes: { ...node.attributes, timeMajor: true } } : node)),
    notes: [...graph.notes ?? [], 'batch_first=False, input and output are [timesteps, batch, features], as the option says'],
  }
}
