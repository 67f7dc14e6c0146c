import { hasPlainUpdate, LSTM_ATTRIBUTES, readSettings, type CellFunctions, type LstmSettings } from '../recurrent/settings.ts'
import type { TrainingKernels } from '../../runtime/gradient-kernels.ts'
import type { GraphNode, ValueType } from '../graph-data.ts'
import type { Operator, Slot } from '../operator.ts'
import { lstmKeptLength } from './kept.ts'
import { at, inputOf, NORM, outputOf, paddedOutput, PEEPHOLES, planGradients, planLayer, planValues, sizesOf, trainedTypes } from './layer.ts'

/** Positions of the inputs of `trainedLstm`; `lstmBackward` has them first, and then its own. */
export const LSTM_INPUTS = { x: 0, w: 1, u: 2, bias: 3, h0: 4, c0: 5, mask: 6, projection: 7, peepholes: 8, drop: 9, norm: 10 } as const
const BACKWARD = { ...LSTM_INPUTS, kept: 11, dy: 12, dh: 13, dc: 14 } as const

/** Whether the fused cell does it. It clips nothing, and has no peepholes; a projection is a product of its own here. */
const isPlainCell = (node: GraphNode, settings: LstmSettings): boolean => (
  settings.clip === 0 && settings.cellClip === 0 && (node.inputs[LSTM_INPUTS.peepholes] ?? '') === ''
  && hasPlainUpdate(settings, settings.functions[0] as CellFunctions)
)

/** What the record of a layer has of an LSTM. */
const cellOf = (node: GraphNode, settings: LstmSettings): Parameters<typeof planLayer>[3] => {
  const { cellClip, projClip, coupling, normEpsilon, functions } = settings
  return { isPlain: isPlainCell(node, settings), ...functions[0] as CellFunctions, cellClip, projClip, coupling, normEpsilon }
}

/**
 * One layer of an LSTM in one direction, for training: as `lstm`, with weights as values, packed, and all that the way back needs.
 *
 * Inputs: x; w and u, packed; bias [4 hiddenSize]; h0 [batch, outputSize] and c0 [batch, hiddenSize]; uint8 mask [batch, timesteps]; projection, packed;
 * peepholes [3, hiddenSize]; drop [batch, outputSize], by which h is multiplied before u (recurrent dropout); norm [10, hiddenSize], gain and shift of i, f, g,
 * o and c. All from bias on may be absent.
 * Outputs: y, every step; the final states, [batch, ...]; what is kept.
 */
export const trainedLstm: Operator<LstmSettings> = {
  name: 'trainedLstm',
  mostInputs: 11,
  attributes: LSTM_ATTRIBUTES,
  time: 'unknown',
  parse: readSettings,
  infer(node, context, settings) {
    const { outputSize, hiddenSize } = settings
    return trainedTypes(node, context, settings, [outputSize, hiddenSize], (sizes) => (
      lstmKeptLength(sizes, isPlainCell(node, settings) ? 1 : settings.layerNorm ? 3 : 2)
    ))
  },
  cost: () => ({ detail: '', multiplyAdds: 0 }),
  plan(node, planner, settings) {
    const kernels = planner.kernels as TrainingKernels
    const sizes = sizesOf(settings, planner.shapeOf(0))
    const { batch, timesteps, inputSize, hiddenSize, outputSize } = sizes
    const planned = planLayer(planner, settings, sizes, cellOf(node, settings))
    const { layer, yOffset } = planned
    const [w, bias] = [planner.input(LSTM_INPUTS.w), inputOf(planner, LSTM_INPUTS.bias)]
    const kept = planner.output(3)
    const values = planValues(planner, LSTM_INPUTS, sizes, planned, kept)
    const [y, h, c] = [0, 1, 2].map((position) => outputOf(planner, position)) as [Slot, Slot, Slot]
    const workspace = planner.workspace(kernels.lstmKeepWorkspaceBytes(batch, timesteps, inputSize, hiddenSize, outputSize))
    planner.step(() => {
      kernels.setBias(w.ptr, bias.ptr, hiddenSize, 4)
      kernels.lstmKeepF32(layer.ptr, values.write(), at(y, yOffset), workspace.ptr)
      kernels.lstmFinalStates(layer.ptr, kept.ptr, h.ptr, c.ptr)
    })
  },
}

/**
 * The way back through `trainedLstm`: its inputs, what it kept, and the gradients of its outputs.
 * Outputs: the gradients of x, w, u, bias, h0, c0, projection, peepholes and norm, of their shapes.
 */
export const lstmBackward: Operator<LstmSettings> = {
  name: 'lstmBackward',
  mostInputs: 15,
  attributes: LSTM_ATTRIBUTES,
  time: 'unknown',
  parse: readSettings,
  infer(_node, context, { hiddenSize }) {
    const like = (position: number): ValueType => context.input(position) ?? { dtype: 'float32', shape: [] }
    const { x, w, u, h0, c0, projection, peepholes, norm } = BACKWARD
    return [like(x), like(w), like(u), { dtype: 'float32', shape: [4 * hiddenSize] }, like(h0), like(c0), like(projection), like(peepholes), like(norm)]
  },
  cost: () => ({ detail: '', multiplyAdds: 0 }),
  plan(node, planner, settings) {
    const kernels = planner.kernels as TrainingKernels
    const sizes = sizesOf(settings, planner.shapeOf(0))
    const { batch, inputSize, hiddenSize, outputSize } = sizes
    const planned = planLayer(planner, settings, sizes, cellOf(node, settings))
    const values = planValues(planner, BACKWARD, sizes, planned, planner.input(BACKWARD.kept))
    // Of a projection the way back needs the sums even where nobody reads them.
    const needsSums = planner.hasInput(BACKWARD.projection) && !planner.hasOutput(6)
    const dprojectionPtr = needsSums ? planner.workspace(4 * (planner.shapeOf(BACKWARD.projection)[0] ?? 0)) : 6
    const dpeepholes = paddedOutput(planner, 7, PEEPHOLES, hiddenSize)
    const dnorm = paddedOutput(planner, 8, NORM, hiddenSize)
    const gradients = planGradients(planner, BACKWARD, {
      dxPtr: 0, dwPtr: 1, duPtr: 2, dbiasPtr: 3, dh0Ptr: 4, dc0Ptr: 5, dprojectionPtr, dpeepholesPtr: dpeepholes.padded, dnormPtr: dnorm.padded,
    }, planned)
    const workspace = planner.workspace(kernels.lstmBackwardBytes(batch, inputSize, hiddenSize, outputSize))
    planner.step(() => {
      kernels.lstmBackwardF32(planned.layer.ptr, values.write(), gradients.write(), workspace.ptr)
      dpeepholes.settle()
      dnorm.settle()
    })
  },
}
