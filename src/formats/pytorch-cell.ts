// Graphs of torch.nn.LSTMCell, GRUCell and RNNCell: https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTMCell.html
import type { Graph, GraphInput, GraphNode } from '../graph/graph.ts'
import { RECURRENT } from '../ops/recurrent/kinds.ts'
import { addOperators } from '../ops/registry.ts'
import { squeeze, unsqueeze } from '../ops/movement/reshape.ts'
import { NdArray } from '../values/ndarray.ts'
import { joinName, recurrentTensors, type StateDict } from './pytorch-names.ts'
import type { RecurrentModule } from './state-dicts/modules.ts'

/** One step: input `input` [batch, features] and optional `h_0` (of an LSTM `c_0`, too) [batch, units]; outputs `h_1`, `c_1`. */
export function graphOfCell({ kind, prefix, shape }: RecurrentModule, constants: StateDict): Graph {
  const { inputSize, hiddenSize } = shape
  const { states } = RECURRENT[kind]
  addOperators([squeeze, unsqueeze])
  const reshape = (op: string, from: string, to: string, axis: string): GraphNode => (
    { name: `${to}/${op}`, op, inputs: [from, axis], outputs: [to], parameters: {}, attributes: {} }
  )
  const [layers, timesteps] = ['layer axis', 'time axis'] as const
  return {
    inputs: [
      { name: 'input', dtype: 'float32', shape: ['batch', inputSize] },
      ...states.map((state): GraphInput => ({ name: `${state}_0`, dtype: 'float32', shape: ['batch', hiddenSize], optional: true })),
    ],
    outputs: states.map((state) => ({ name: `${state}_1`, value: `${state}_1` })),
    nodes: [
      reshape('unsqueeze', 'input', 'sequence', timesteps),
      ...states.map((state) => reshape('unsqueeze', `${state}_0`, `stacked ${state}_0`, layers)),
      {
        name: prefix === '' ? kind : prefix,
        op: kind,
        inputs: ['sequence', ...states.map((state) => `stacked ${state}_0`)],
        outputs: ['', ...states.map((state) => `stacked ${state}_1`)],
        parameters: Object.fromEntries(recurrentTensors(kind, shape).map(({ role, cellName = '' }) => [role, joinName(prefix, cellName)])),
        attributes: { hiddenSize, numLayers: 1, direction: 'forward' },
      },
      ...states.map((state) => reshape('squeeze', `stacked ${state}_1`, `${state}_1`, layers)),
    ],
    constants: new Map([...constants, ...[layers, timesteps].map((name, axis) => [name, new NdArray(Int32Array.of(axis), [1])] as const)]),
  }
}
