import type { TrainingKernels } from '../../runtime/gradient-kernels.ts'
import type { BoundFunction } from '../elementwise/functions.ts'
import type { GraphNode, ValueType } from '../graph-data.ts'
import type { Operator } from '../operator.ts'
import { rnn, RNN_ATTRIBUTES, type RnnSettings } from '../recurrent/rnn.ts'
import { rnnKeptLength } from './kept.ts'
import { at, inputOf, outputOf, planGradients, planLayer, planValues, sizesOf, trainedTypes } from './layer.ts'

/** Positions of the inputs of `trainedRnn`; `rnnBackward` has them first, and then its own. */
export const RNN_INPUTS = { x: 0, w: 1, u: 2, bias: 3, h0: 4, mask: 5, drop: 6 } as const
const BACKWARD = { ...RNN_INPUTS, kept: 7, dy: 8, dh: 9 } as const

const parse = (node: GraphNode): RnnSettings => rnn.parse?.(node) as RnnSettings

/** What the record of a layer has of a simple recurrent layer. */
const cellOf = ({ functions }: RnnSettings): Parameters<typeof planLayer>[3] => ({ isPlain: false, candidate: (functions[0] as [BoundFunction])[0] })

/**
 * One simple recurrent layer in one direction, for training: as `rnn`, with weights as values, packed, and all that the way back needs.
 *
 * Inputs: x; w and u, packed; bias [hiddenSize]; h0 [batch, hiddenSize]; uint8 mask [batch, timesteps]; drop [batch, hiddenSize], by which h is multiplied
 * before u. All from bias on may be absent. Outputs: y, every step; the final state [batch, hiddenSize]; what is kept.
 */
export const trainedRnn: Operator<RnnSettings> = {
  name: 'trainedRnn',
  mostInputs: 7,
  attributes: RNN_ATTRIBUTES,
  time: 'unknown',
  parse,
  infer: (node, context, settings) => trainedTypes(node, context, settings, [settings.hiddenSize], rnnKeptLength),
  cost: () => ({ detail: '', multiplyAdds: 0 }),
  plan(_node, planner, settings) {
    const kernels = planner.kernels as TrainingKernels
    const sizes = sizesOf(settings, planner.shapeOf(0))
    const { batch, timesteps, inputSize, hiddenSize } = sizes
    const planned = planLayer(planner, settings, sizes, cellOf(settings))
    const { layer, yOffset } = planned
    const [w, bias] = [planner.input(RNN_INPUTS.w), inputOf(planner, RNN_INPUTS.bias)]
    const [y, h, kept] = [outputOf(planner, 0), outputOf(planner, 1), planner.output(2)]
    const values = planValues(planner, RNN_INPUTS, sizes, planned, kept)
    const workspace = planner.workspace(kernels.rnnKeepWorkspaceBytes(batch, timesteps, inputSize, hiddenSize))
    planner.step(() => {
      kernels.setBias(w.ptr, bias.ptr, hiddenSize, 1)
      kernels.rnnKeepF32(layer.ptr, values.write(), at(y, yOffset), workspace.ptr)
      kernels.finalState(layer.ptr, kept.ptr, h.ptr)
    })
  },
}

/** The way back through `trainedRnn`. Outputs: the gradients of x, w, u, bias and h0, of their shapes. */
export const rnnBackward: Operator<RnnSettings> = {
  name: 'rnnBackward',
  mostInputs: 10,
  attributes: RNN_ATTRIBUTES,
  time: 'unknown',
  parse,
  infer(_node, context, { hiddenSize }) {
    const like = (name: keyof typeof RNN_INPUTS): ValueType => context.input(RNN_INPUTS[name]) ?? { dtype: 'float32', shape: [] }
    return [like('x'), like('w'), like('u'), { dtype: 'float32', shape: [hiddenSize] }, like('h0')]
  },
  cost: () => ({ detail: '', multiplyAdds: 0 }),
  plan(_node, planner, settings) {
    const kernels = planner.kernels as TrainingKernels
    const sizes = sizesOf(settings, planner.shapeOf(0))
    const { batch, inputSize, hiddenSize } = sizes
    const planned = planLayer(planner, settings, sizes, cellOf(settings))
    const values = planValues(planner, BACKWARD, sizes, planned, planner.input(BACKWARD.kept))
    const gradients = planGradients(planner, BACKWARD, { dxPtr: 0, dwPtr: 1, duPtr: 2, dbiasPtr: 3, dh0Ptr: 4 }, planned)
    const workspace = planner.workspace(kernels.rnnBackwardBytes(batch, inputSize, hiddenSize))
    planner.step(() => kernels.rnnBackwardF32(planned.layer.ptr, values.write(), gradients.write(), workspace.ptr))
  },
}
