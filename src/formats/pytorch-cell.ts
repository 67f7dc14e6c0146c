// Graphs of torch.nn.LSTMCell, GRUCell and RNNCell: https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTMCell.html
import type { Graph, GraphInput, GraphNode } from '../graph/graph.ts'
import { RECURRENT, type RecurrentOp } from '../ops/recurrent/kinds.ts'
import { addOperators } from '../ops/registry.ts'
import { squeeze, unsqueeze } from '../ops/movement/reshape.ts'
import { NdArray } from '../values/ndarray.ts'
import { joinName, recurrentTensors, type StateDict } from './pytorch-names.ts'
import type { RecurrentModule } from './state-dicts/modules.ts'

/** One step of a recurrent operator, and what its values are called. */
interface Step {
  readonly op: RecurrentOp
  readonly name: string
  /** [batch, features] */
  readonly input: string
  /** h [batch, units]; `''` where only the states are wanted. */
  readonly output: string
  /** States before and after the step, h first, [batch, units]. */
  readonly initial: readonly string[]
  readonly final: readonly string[]
  readonly parameters: Readonly<Record<string, string>>
  readonly attributes: GraphNode['attributes']
}

/** The nodes of one step: a sequence of one timestep, whose states get an axis for the layers and lose it again. */
export function cellNodes(step: Step): { nodes: GraphNode[], constants: Record<string, NdArray> } {
  const { op, name, input, output, initial, final, parameters, attributes } = step
  addOperators([squeeze, unsqueeze])
  const reshape = (kind: string, from: string, to: string, axis: string): GraphNode => (
    { name: `${to}/${kind}`, op: kind, inputs: [from, axis], outputs: [to], parameters: {}, attributes: {} }
  )
  const [layers, timesteps] = [`${name}/layer axis`, `${name}/time axis`] as const
  const [sequence, stacked] = [`${name}/sequence`, (state: string): string => `${name}/stacked ${state}`]
  return {
    nodes: [
      reshape('unsqueeze', input, sequence, timesteps),
      ...initial.map((state) => reshape('unsqueeze', state, stacked(state), layers)),
      { name, op, inputs: [sequence, ...initial.map(stacked)], outputs: [output, ...final.map(stacked)], parameters, attributes },
      ...final.map((state) => reshape('squeeze', stacked(state), state, layers)),
    ],
    constants: Object.fromEntries([layers, timesteps].map((axis, n) => [axis, new NdArray(Int32Array.of(n), [1])])),
  }
}

/** One step: input `input` [batch, features] and optional `h_0` (of an LSTM `c_0`, too) [batch, units]; outputs `h_1`, `c_1`. */
export function graphOfCell({ kind, prefix, shape }: RecurrentModule, constants: StateDict): Graph {
  const { inputSize, hiddenSize } = shape
  const { states } = RECURRENT[kind]
  const { nodes, constants: axes } = cellNodes({
    op: kind,
    name: prefix === '' ? kind : prefix,
    input: 'input',
    output: '',
    initial: states.map((state) => `${state}_0`),
    final: states.map((state) => `${state}_1`),
    parameters: Object.fromEntries(recurrentTensors(kind, shape).map(({ role, cellName = '' }) => [role, joinName(prefix, cellName)])),
    attributes: { hiddenSize, numLayers: 1, direction: 'forward' },
  })
  return {
    inputs: [
      { name: 'input', dtype: 'float32', shape: ['batch', inputSize] },
      ...states.map((state): GraphInput => ({ name: `${state}_0`, dtype: 'float32', shape: ['batch', hiddenSize], optional: true })),
    ],
    outputs: states.map((state) => ({ name: `${state}_1`, value: `${state}_1` })),
    nodes,
    constants: new Map([...constants, ...Object.entries(axes)]),
  }
}
