// LSTMs with random weights, as the one node of a graph and as cells of the reference.
import { graphOfStateDict } from '../src/formats/pytorch.ts'
import { lstmTensors, type LstmShape, type StateDict } from '../src/formats/pytorch-names.ts'
import type { Graph } from '../src/graph/graph.ts'
import { NdArray } from '../src/values/ndarray.ts'
import { lengthOf } from '../src/values/shape.ts'
import { pseudoRandom } from './random.ts'
import type { ReferenceCell } from './reference.ts'

/** Tensors of a `torch.nn.LSTM` in [-1 / sqrt(hiddenSize), ...), each with a seed of its own from `seed` on. */
export function randomLstm(shape: LstmShape, seed: number): Map<string, NdArray> {
  const scale = 1 / Math.sqrt(shape.hiddenSize)
  return new Map(lstmTensors(shape).map(({ name, shape: sizes }, n) => (
    [name, new NdArray(pseudoRandom(seed + n, lengthOf(sizes), scale), sizes)]
  )))
}

/** Inputs `input`, `h_0`, `c_0` and outputs `output`, `h_n`, `c_n`; the sequences [timesteps, batch, ...] with `timeMajor`. */
export function lstmGraph(tensors: StateDict, timeMajor: boolean = false): Graph {
  const graph = graphOfStateDict(tensors)
  if (!timeMajor) return graph
  return {
    ...graph,
    inputs: graph.inputs.map((input) => (
      input.name === 'input' ? { ...input, shape: ['timesteps', 'batch', input.shape[2] as number] } : input
    )),
    nodes: graph.nodes.map((node) => ({ ...node, attributes: { ...node.attributes, timeMajor: true } })),
  }
}

/** The same tensors by layer and direction. */
export function referenceCells(tensors: StateDict, { numLayers, bidirectional }: LstmShape): ReferenceCell[][] {
  const data = (name: string): Float32Array | undefined => tensors.get(name)?.data as Float32Array | undefined
  return Array.from({ length: numLayers }, (_, layer) => (bidirectional ? ['', '_reverse'] : ['']).map((suffix) => ({
    inputWeights: data(`weight_ih_l${layer}${suffix}`) as Float32Array,
    recurrentWeights: data(`weight_hh_l${layer}${suffix}`) as Float32Array,
    inputBias: data(`bias_ih_l${layer}${suffix}`),
    recurrentBias: data(`bias_hh_l${layer}${suffix}`),
  })))
}
