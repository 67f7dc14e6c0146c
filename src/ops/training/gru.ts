import type { TrainingKernels } from '../../runtime/gradient-kernels.ts'
import type { BoundFunction } from '../elementwise/functions.ts'
import type { GraphNode, ValueType } from '../graph-data.ts'
import type { Operator, Slot } from '../operator.ts'
import { gru, GRU_ATTRIBUTES, type GruSettings } from '../recurrent/gru.ts'
import { gruKeptLength } from './kept.ts'
import { at, inputOf, outputOf, planGradients, planLayer, planValues, sizesOf, trainedTypes } from './layer.ts'

/** Positions of the inputs of `trainedGru`; `gruBackward` has them first, and then its own. */
export const GRU_INPUTS = { x: 0, w: 1, u: 2, candidate: 3, inputBias: 4, recurrentBias: 5, h0: 6, mask: 7, drop: 8 } as const
const BACKWARD = { ...GRU_INPUTS, kept: 9, dy: 10, dh: 11 } as const

const parse = (node: GraphNode): GruSettings => gru.parse?.(node) as GruSettings

/** What the record of a layer has of a GRU. */
const cellOf = ({ functions }: GruSettings): Parameters<typeof planLayer>[3] => {
  const [gate, candidate] = functions[0] as [BoundFunction, BoundFunction]
  return { isPlain: false, gate, candidate }
}

/**
 * One layer of a GRU in one direction, for training: as `gru`, with weights as values, packed, and all that the way back needs.
 *
 * Inputs: x; w and u, packed, of r, z and n; where the reset comes first u has r and z, and candidate n; both biases [3 hiddenSize]; h0 [batch,
 * hiddenSize]; uint8 mask [batch, timesteps]; drop [batch, hiddenSize], by which h is multiplied before u. All from candidate on may be absent.
 * Outputs: y, every step; the final state [batch, hiddenSize]; what is kept.
 */
export const trainedGru: Operator<GruSettings> = {
  name: 'trainedGru',
  mostInputs: 9,
  attributes: GRU_ATTRIBUTES,
  time: 'unknown',
  parse,
  infer: (node, context, settings) => trainedTypes(node, context, settings, [settings.hiddenSize], gruKeptLength),
  cost: () => ({ detail: '', multiplyAdds: 0 }),
  plan(_node, planner, settings) {
    const kernels = planner.kernels as TrainingKernels
    const sizes = sizesOf(settings, planner.shapeOf(0))
    const { batch, timesteps, inputSize, hiddenSize } = sizes
    const planned = planLayer(planner, settings, sizes, cellOf(settings))
    const { layer, yOffset } = planned
    const slot = (name: keyof typeof GRU_INPUTS): Slot => inputOf(planner, GRU_INPUTS[name])
    const [w, u, candidate, inputBias, recurrentBias] = [slot('w'), slot('u'), slot('candidate'), slot('inputBias'), slot('recurrentBias')]
    const [y, h, kept] = [outputOf(planner, 0), outputOf(planner, 1), planner.output(2)]
    const values = planValues(planner, GRU_INPUTS, sizes, planned, kept)
    const workspace = planner.workspace(kernels.gruKeepWorkspaceBytes(batch, timesteps, inputSize, hiddenSize))
    const { resetAfter } = settings
    planner.step(() => {
      kernels.setBias(w.ptr, inputBias.ptr, hiddenSize, 3)
      kernels.setBias(u.ptr, recurrentBias.ptr, hiddenSize, resetAfter ? 3 : 2)
      if (!resetAfter) kernels.setBias(candidate.ptr, at(recurrentBias, 8 * hiddenSize), hiddenSize, 1)
      kernels.gruKeepF32(layer.ptr, values.write(), at(y, yOffset), workspace.ptr)
      kernels.finalState(layer.ptr, kept.ptr, h.ptr)
    })
  },
}

/**
 * The way back through `trainedGru`: its inputs, what it kept, and the gradients of its outputs.
 * Outputs: the gradients of x, w, u, candidate, both biases and h0, of their shapes.
 */
export const gruBackward: Operator<GruSettings> = {
  name: 'gruBackward',
  mostInputs: 12,
  attributes: GRU_ATTRIBUTES,
  time: 'unknown',
  parse,
  infer(_node, context, { hiddenSize }) {
    const like = (name: keyof typeof GRU_INPUTS): ValueType => context.input(GRU_INPUTS[name]) ?? { dtype: 'float32', shape: [] }
    const bias: ValueType = { dtype: 'float32', shape: [3 * hiddenSize] }
    return [like('x'), like('w'), like('u'), like('candidate'), bias, bias, like('h0')]
  },
  cost: () => ({ detail: '', multiplyAdds: 0 }),
  plan(_node, planner, settings) {
    const kernels = planner.kernels as TrainingKernels
    const sizes = sizesOf(settings, planner.shapeOf(0))
    const { batch, inputSize, hiddenSize } = sizes
    const planned = planLayer(planner, settings, sizes, cellOf(settings))
    const values = planValues(planner, BACKWARD, sizes, planned, planner.input(BACKWARD.kept))
    const gradients = planGradients(planner, BACKWARD, {
      dxPtr: 0, dwPtr: 1, duPtr: 2, dcandidatePtr: 3, dbiasPtr: 4, drecurrentBiasPtr: 5, dh0Ptr: 6,
    }, planned)
    const workspace = planner.workspace(kernels.gruBackwardBytes(batch, inputSize, hiddenSize))
    planner.step(() => kernels.gruBackwardF32(planned.layer.ptr, values.write(), gradients.write(), workspace.ptr))
  },
}
