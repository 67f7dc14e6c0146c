// Losses: each row's loss, and as a second output its gradient by the prediction, which the backward pass only multiplies with what comes in.
// No model has them: nodes of a training step. Kernels: assembly/gradients/.
import { ElementLossCode } from '../../contract/gradients/losses.ts'
import { LstmError } from '../../errors.ts'
import type { TrainingKernels } from '../../runtime/gradient-kernels.ts'
import { formatShape, lengthOf, sameShape, type Shape, type SymbolicShape } from '../../values/shape.ts'
import { integerOf, numberOf, wordOf } from '../node/attributes.ts'
import { label, requireInput } from '../node/checks.ts'
import type { GraphNode, ValueType } from '../graph-data.ts'
import type { InferenceContext, Operator, Planner } from '../operator.ts'

export const kernelsOf = (planner: Planner): TrainingKernels => planner.kernels as TrainingKernels

/** Outputs: the losses of the rows, and the gradient, which is like the prediction. */
export const outputsOf = (losses: SymbolicShape, prediction: SymbolicShape): ValueType[] => (
  [{ dtype: 'float32', shape: losses }, { dtype: 'float32', shape: prediction }]
)

/** The predictions: input 0, with an axis at least. */
export function predictionOf(node: GraphNode, context: InferenceContext, axes: number): SymbolicShape {
  const { shape } = requireInput(node, context, 0, 'float32')
  if (shape.length < axes) throw new LstmError('SHAPE', `${label(node)}: expected predictions with at least ${axes} axes, got ${formatShape(shape)}`)
  return shape
}

/** @throws LstmError `SHAPE` unless the target at that position has this shape */
export function checkTarget(node: GraphNode, context: InferenceContext, position: number, dtype: 'float32' | 'int32', shape: SymbolicShape): void {
  const target = requireInput(node, context, position, dtype)
  if (!sameShape(target.shape, shape)) throw new LstmError('SHAPE', `${label(node)}: expected targets ${dtype} ${formatShape(shape)}, got ${formatShape(target.shape)}`)
}

/** Where the second output goes if nobody wants it: kernels write it all the same. */
export const gradientOf = (planner: Planner): { readonly ptr: number } => (
  planner.hasOutput(1) ? planner.output(1) : planner.workspace(lengthOf(planner.shapeOf(0)) * 4)
)

export const NO_COST = { detail: '', multiplyAdds: 0 }

/**
 * Cross-entropy of softmax(x) along the last axis. Inputs: x float32 [..., classes]; targets int32 [...] (a class each; `ignored`, default -1, has no loss),
 * or float32 [..., classes] (probabilities). Outputs: losses [...], and their gradient by x.
 */
const softmaxCrossEntropy: Operator<number> = {
  name: 'softmaxCrossEntropy',
  mostInputs: 2,
  attributes: ['ignored'],
  time: 'unknown',
  parse: (node) => integerOf(node, 'ignored', -1),
  infer(node, context) {
    const shape = predictionOf(node, context, 2)
    const isSparse = context.input(1)?.dtype === 'int32'
    checkTarget(node, context, 1, isSparse ? 'int32' : 'float32', isSparse ? shape.slice(0, -1) : shape)
    return outputsOf(shape.slice(0, -1), shape)
  },
  cost: () => NO_COST,
  mayRefuse: (_node, context) => context.input(1)?.dtype === 'int32',
  plan(node, planner, ignored) {
    const { sparseCrossEntropyF32, crossEntropyF32 } = kernelsOf(planner)
    const shape = planner.shapeOf(0)
    const columns = shape.at(-1) as number
    const rows = lengthOf(shape.slice(0, -1))
    const [x, targets, losses, gradient] = [planner.input(0), planner.input(1), planner.output(0), gradientOf(planner)]
    if (planner.dtypeOf(1) === 'float32') {
      planner.step(() => crossEntropyF32(x.ptr, targets.ptr, losses.ptr, gradient.ptr, rows, columns))
      return
    }
    planner.step(() => {
      const bad = sparseCrossEntropyF32(x.ptr, targets.ptr, losses.ptr, gradient.ptr, rows, columns, ignored)
      if (bad >= 0) throw new LstmError('VALUE', `${label(node)}: expected classes from 0 to ${columns - 1}, got another one at element ${bad} of the targets`)
    })
  },
}

interface ElementLoss {
  readonly kind: keyof typeof ElementLossCode
  readonly delta: number
}

const KINDS = Object.keys(ElementLossCode) as [ElementLoss['kind'], ...ElementLoss['kind'][]]

/** Elements of a row: those of the last axis, but of a list each is a row. */
const columnsOf = (shape: Shape): number => (shape.length > 1 ? shape.at(-1) as number : 1)

/**
 * A loss of each element, averaged over the last axis. Inputs: p and targets, float32 of one shape. Attributes: `kind`, a name of `ElementLossCode`;
 * `delta` of huber, default 1. Outputs: losses without the last axis (of a list: with it), and their gradient by p.
 */
const elementLoss: Operator<ElementLoss> = {
  name: 'elementLoss',
  mostInputs: 2,
  attributes: ['kind', 'delta'],
  time: 'unknown',
  parse: (node) => ({ kind: wordOf(node, 'kind', KINDS), delta: numberOf(node, 'delta', 1) }),
  infer(node, context) {
    const shape = predictionOf(node, context, 1)
    checkTarget(node, context, 1, 'float32', shape)
    return outputsOf(shape.length > 1 ? shape.slice(0, -1) : shape, shape)
  },
  cost: () => NO_COST,
  plan(_node, planner, { kind, delta }) {
    const { elementLossF32 } = kernelsOf(planner)
    const shape = planner.shapeOf(0)
    const columns = columnsOf(shape)
    const rows = lengthOf(shape) / columns
    const [p, targets, losses, gradient] = [planner.input(0), planner.input(1), planner.output(0), gradientOf(planner)]
    const code = ElementLossCode[kind]
    planner.step(() => elementLossF32(code, delta, p.ptr, targets.ptr, losses.ptr, gradient.ptr, rows, columns))
  },
}

/** Losses that only training has: the usual ones. */
export const LOSS_OPERATORS: readonly Operator[] = [softmaxCrossEntropy, elementLoss]
