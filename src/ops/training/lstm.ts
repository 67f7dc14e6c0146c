import { isPlain, LSTM_ATTRIBUTES, readSettings, type CellFunctions, type LstmSettings } from '../recurrent/settings.ts'
import type { TrainingKernels } from '../../runtime/gradient-kernels.ts'
import type { GraphNode, Operator, Slot, ValueType } from '../operator.ts'
import { lstmKeptLength } from './kept.ts'
import { ABSENT, at, inputOf, outputOf, paddedInput, planLayer, sizesOf, trainedTypes } from './layer.ts'

/** Positions of the inputs of `trainedLstm`; `lstmBackward` has them first, and then its own. */
export const LSTM_INPUTS = { x: 0, w: 1, u: 2, bias: 3, h0: 4, c0: 5, mask: 6, projection: 7, peepholes: 8, drop: 9 } as const
const BACKWARD = { ...LSTM_INPUTS, kept: 10, dy: 11, dh: 12, dc: 13 } as const

// Clips, couplings and normalisation are refused before there is a node; a projection is a product of its own here.
const WITHOUT_OPTIONS = { hasProjection: false, coupling: 'none', layerNorm: false, delaySamples: 1 } as LstmSettings

const isPlainCell = (node: GraphNode, { functions }: LstmSettings): boolean => (
  isPlain(WITHOUT_OPTIONS, functions[0] as CellFunctions, (node.inputs[LSTM_INPUTS.peepholes] ?? '') !== '')
)

/** What the record of a layer has of an LSTM. */
const cellOf = (node: GraphNode, settings: LstmSettings): Parameters<typeof planLayer>[3] => {
  const { gate, candidate, output } = settings.functions[0] as CellFunctions
  return { isPlain: isPlainCell(node, settings), gate, candidate, output }
}

/**
 * One layer of an LSTM in one direction, for training: as `lstm`, with weights as values, packed, and all that the way back needs.
 *
 * Inputs: x; w and u, packed; bias [4 hiddenSize]; h0 [batch, outputSize] and c0 [batch, hiddenSize]; uint8 mask [batch, timesteps]; projection, packed;
 * peepholes [3, hiddenSize]; drop [batch, outputSize], by which h is multiplied before u (recurrent dropout). All from bias on may be absent.
 * Outputs: y, every step; the final states, [batch, ...]; what is kept.
 */
export const trainedLstm: Operator<LstmSettings> = {
  name: 'trainedLstm',
  mostInputs: 10,
  attributes: LSTM_ATTRIBUTES,
  time: 'unknown',
  parse: readSettings,
  infer(node, context, settings) {
    const { outputSize, hiddenSize } = settings
    return trainedTypes(node, context, settings, [outputSize, hiddenSize], (sizes) => lstmKeptLength(sizes, isPlainCell(node, settings)))
  },
  cost: () => ({ detail: '', multiplyAdds: 0 }),
  plan(node, planner, settings) {
    const kernels = planner.kernels as TrainingKernels
    const sizes = sizesOf(settings, planner.shapeOf(0))
    const { batch, timesteps, inputSize, hiddenSize, outputSize } = sizes
    const { layer, xOffset, yOffset, maskOffset } = planLayer(planner, settings, sizes, cellOf(node, settings))
    const slot = (name: keyof typeof LSTM_INPUTS): Slot => inputOf(planner, LSTM_INPUTS[name])
    const [x, w, u, bias, projection] = [slot('x'), slot('w'), slot('u'), slot('bias'), slot('projection')]
    const [h0, c0, mask] = [slot('h0'), slot('c0'), slot('mask')]
    const peepholes = paddedInput(planner, LSTM_INPUTS.peepholes, 3, hiddenSize)
    const drop = paddedInput(planner, LSTM_INPUTS.drop, batch, outputSize)
    const kept = planner.output(3)
    const [y, h, c] = [0, 1, 2].map((position) => outputOf(planner, position)) as [Slot, Slot, Slot]
    const workspace = planner.workspace(kernels.lstmKeepWorkspaceBytes(batch, timesteps, inputSize, hiddenSize, outputSize))
    planner.step(() => {
      kernels.setBias(w.ptr, bias.ptr, hiddenSize, 4)
      kernels.lstmKeepF32(
        layer.ptr, w.ptr, u.ptr, projection.ptr, x.ptr + xOffset, h0.ptr, c0.ptr, at(mask, maskOffset), peepholes.ptr, drop.ptr, kept.ptr, at(y, yOffset),
        workspace.ptr,
      )
      kernels.lstmFinalStates(layer.ptr, kept.ptr, h.ptr, c.ptr)
    })
  },
}

/**
 * The way back through `trainedLstm`: its inputs, what it kept, and the gradients of its outputs.
 * Outputs: the gradients of x, w, u, bias, h0, c0, projection and peepholes, of their shapes.
 */
export const lstmBackward: Operator<LstmSettings> = {
  name: 'lstmBackward',
  mostInputs: 14,
  attributes: LSTM_ATTRIBUTES,
  time: 'unknown',
  parse: readSettings,
  infer(_node, context, { hiddenSize }) {
    const like = (position: number): ValueType => context.input(position) ?? { dtype: 'float32', shape: [] }
    const { x, w, u, h0, c0, projection, peepholes } = BACKWARD
    return [like(x), like(w), like(u), { dtype: 'float32', shape: [4 * hiddenSize] }, like(h0), like(c0), like(projection), like(peepholes)]
  },
  cost: () => ({ detail: '', multiplyAdds: 0 }),
  plan(node, planner, settings) {
    const kernels = planner.kernels as TrainingKernels
    const sizes = sizesOf(settings, planner.shapeOf(0))
    const { batch, inputSize, hiddenSize, outputSize } = sizes
    const { layer, xOffset, yOffset, maskOffset } = planLayer(planner, settings, sizes, cellOf(node, settings))
    const [x, w, u, mask, projection, kept, dy, dh, dc] = (['x', 'w', 'u', 'mask', 'projection', 'kept', 'dy', 'dh', 'dc'] as const)
      .map((name) => inputOf(planner, BACKWARD[name])) as [Slot, Slot, Slot, Slot, Slot, Slot, Slot, Slot, Slot]
    const peepholes = paddedInput(planner, BACKWARD.peepholes, 3, hiddenSize)
    const drop = paddedInput(planner, BACKWARD.drop, batch, outputSize)
    const hasInitial = Number(planner.hasInput(BACKWARD.h0) || planner.hasInput(BACKWARD.c0))
    const outputs = [0, 1, 2, 3, 4, 5, 6].map((position) => outputOf(planner, position)) as [Slot, Slot, Slot, Slot, Slot, Slot, Slot]
    const [dx, dw, du, dbias, dh0, dc0, dprojection] = outputs
    // Of a projection the way back needs the sums even where nobody reads them.
    const needsSums = planner.hasInput(BACKWARD.projection) && !planner.hasOutput(6)
    const ownProjection = needsSums ? planner.workspace(4 * (planner.shapeOf(BACKWARD.projection)[0] ?? 0)) : dprojection
    const paddedBytes = Math.ceil(hiddenSize / 4) * 16
    const dpeepholes = planner.hasOutput(7) ? planner.output(7) : ABSENT
    const sums = dpeepholes === ABSENT || hiddenSize % 4 === 0 ? dpeepholes : planner.workspace(3 * paddedBytes)
    const workspace = planner.workspace(kernels.lstmBackwardBytes(batch, inputSize, hiddenSize, outputSize))
    planner.step(() => {
      kernels.lstmBackwardF32(
        layer.ptr, w.ptr, u.ptr, projection.ptr, x.ptr + xOffset, hasInitial, at(mask, maskOffset), peepholes.ptr, drop.ptr, kept.ptr, at(dy, yOffset), dh.ptr,
        dc.ptr, at(dx, xOffset), dw.ptr, du.ptr, ownProjection.ptr, dbias.ptr, sums.ptr, dh0.ptr, dc0.ptr, workspace.ptr,
      )
      if (sums !== dpeepholes) kernels.copyRows(sums.ptr, paddedBytes, dpeepholes.ptr, hiddenSize * 4, 3, hiddenSize * 4)
    })
  },
}
