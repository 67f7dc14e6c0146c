// Graphs of torch.nn.LSTMCell: https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTMCell.html
import type { Graph, GraphInput, GraphNode } from '../graph/graph.ts'
import { lstmRole, type LstmWeight } from '../ops/recurrent/settings.ts'
import { addOperators } from '../ops/registry.ts'
import { squeeze, unsqueeze } from '../ops/movement/reshape.ts'
import { NdArray } from '../values/ndarray.ts'
import { sameShape } from '../values/shape.ts'
import { joinName, type StateDict } from './pytorch-names.ts'

const NAMES: Readonly<Record<string, LstmWeight>> = {
  weight_ih: 'inputWeights', weight_hh: 'recurrentWeights', bias_ih: 'inputBias', bias_hh: 'recurrentBias',
}

/**
 * One step: input `input` [batch, features] and optional `h_0`, `c_0` [batch, units]; outputs `h_1`, `c_1`.
 * Undefined for tensors, here by their names without `prefix`, that are not exactly those of a cell.
 */
export function graphOfCell(prefix: string, group: StateDict, stateDict: StateDict): Graph | undefined {
  const [gates = 0, features = 0] = group.get('weight_ih')?.shape ?? []
  const units = gates / 4
  const shapes: Readonly<Record<string, readonly number[]>> = { weight_ih: [gates, features], weight_hh: [gates, units], bias_ih: [gates], bias_hh: [gates] }
  const names = Object.keys(shapes).slice(0, group.has('bias_ih') ? 4 : 2)
  const fits = Number.isInteger(units) && group.size === names.length
    && names.every((name) => sameShape(group.get(name)?.shape ?? [], shapes[name] as readonly number[]))
  if (!fits) return undefined
  addOperators([squeeze, unsqueeze])
  const reshape = (op: string, from: string, to: string, axis: string): GraphNode => (
    { name: `${to}/${op}`, op, inputs: [from, axis], outputs: [to], parameters: {}, attributes: {} }
  )
  const state = (name: string): GraphInput => ({ name, dtype: 'float32', shape: ['batch', units], optional: true })
  const [layers, timesteps] = ['layer axis', 'time axis'] as const
  return {
    inputs: [{ name: 'input', dtype: 'float32', shape: ['batch', features] }, state('h_0'), state('c_0')],
    outputs: ['h_1', 'c_1'].map((name) => ({ name, value: name })),
    nodes: [
      reshape('unsqueeze', 'input', 'sequence', timesteps),
      reshape('unsqueeze', 'h_0', 'stacked h_0', layers),
      reshape('unsqueeze', 'c_0', 'stacked c_0', layers),
      {
        name: prefix === '' ? 'lstm' : prefix,
        op: 'lstm',
        inputs: ['sequence', 'stacked h_0', 'stacked c_0'],
        outputs: ['', 'stacked h_1', 'stacked c_1'],
        parameters: Object.fromEntries(names.map((name) => [lstmRole(0, 'forward', NAMES[name] as LstmWeight), joinName(prefix, name)])),
        attributes: { hiddenSize: units, numLayers: 1, direction: 'forward' },
      },
      reshape('squeeze', 'stacked h_1', 'h_1', layers),
      reshape('squeeze', 'stacked c_1', 'c_1', layers),
    ],
    constants: new Map([...stateDict, ...[layers, timesteps].map((name, axis) => [name, new NdArray(Int32Array.of(axis), [1])] as const)]),
  }
}
