// Losses: each row's loss, and as a second output its gradient by the prediction, which the backward pass only multiplies with what comes in.
// No model has them: nodes of a training step. Kernels: assembly/gradients/.
import { CtcCall } from '../../contract/gradients/ctc.ts'
import { ElementLossCode, SignalRatioCall } from '../../contract/gradients/losses.ts'
import { LstmError } from '../../errors.ts'
import type { TrainingKernels } from '../../runtime/gradient-kernels.ts'
import { formatShape, lengthOf, sameShape, type Shape, type SymbolicShape } from '../../values/shape.ts'
import { integerOf, numberOf, switchOf, wordOf } from '../node/attributes.ts'
import { label, requireInput } from '../node/checks.ts'
import type { GraphNode, ValueType } from '../graph-data.ts'
import type { InferenceContext, Operator, Planner } from '../operator.ts'

const kernelsOf = (planner: Planner): TrainingKernels => planner.kernels as TrainingKernels

/** Outputs: the losses of the rows, and the gradient, which is like the prediction. */
const outputsOf = (losses: SymbolicShape, prediction: SymbolicShape): ValueType[] => (
  [{ dtype: 'float32', shape: losses }, { dtype: 'float32', shape: prediction }]
)

/** The predictions: input 0, with an axis at least. */
function predictionOf(node: GraphNode, context: InferenceContext, axes: number): SymbolicShape {
  const { shape } = requireInput(node, context, 0, 'float32')
  if (shape.length < axes) throw new LstmError('SHAPE', `${label(node)}: expected predictions with at least ${axes} axes, got ${formatShape(shape)}`)
  return shape
}

/** @throws LstmError `SHAPE` unless the target at that position has this shape */
function checkTarget(node: GraphNode, context: InferenceContext, position: number, dtype: 'float32' | 'int32', shape: SymbolicShape): void {
  const target = requireInput(node, context, position, dtype)
  if (!sameShape(target.shape, shape)) throw new LstmError('SHAPE', `${label(node)}: expected targets ${dtype} ${formatShape(shape)}, got ${formatShape(target.shape)}`)
}

/** Where the second output goes if nobody wants it: kernels write it all the same. */
const gradientOf = (planner: Planner): { readonly ptr: number } => (
  planner.hasOutput(1) ? planner.output(1) : planner.workspace(lengthOf(planner.shapeOf(0)) * 4)
)

const NO_COST = { detail: '', multiplyAdds: 0 }

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

interface SignalRatio {
  readonly preEmphasis: number
  readonly ratioWeight: number
  readonly meanWeight: number
  readonly epsilon: number
}

/**
 * The error-to-signal ratio of sounds (see `signalRatioF32`). Inputs: p and targets, float32 [batch, timesteps] or [batch, timesteps, channels]. Attributes:
 * `preEmphasis` (default 0.85), `ratioWeight` (0.75), `meanWeight` (0.25), `epsilon` (1e-5). Outputs: losses [batch], and their gradient by p.
 */
const signalRatio: Operator<SignalRatio> = {
  name: 'signalRatio',
  mostInputs: 2,
  attributes: ['preEmphasis', 'ratioWeight', 'meanWeight', 'epsilon'],
  time: 'unknown',
  parse: (node) => ({
    preEmphasis: numberOf(node, 'preEmphasis', 0.85), ratioWeight: numberOf(node, 'ratioWeight', 0.75), meanWeight: numberOf(node, 'meanWeight', 0.25),
    epsilon: numberOf(node, 'epsilon', 1e-5),
  }),
  infer(node, context) {
    const shape = predictionOf(node, context, 2)
    if (shape.length > 3) throw new LstmError('SHAPE', `${label(node)}: expected [batch, timesteps] or [batch, timesteps, channels], got ${formatShape(shape)}`)
    checkTarget(node, context, 1, 'float32', shape)
    return outputsOf(shape.slice(0, 1), shape)
  },
  cost: () => NO_COST,
  plan(_node, planner, settings) {
    const { signalRatioF32 } = kernelsOf(planner)
    const [rows, steps, channels = 1] = planner.shapeOf(0) as [number, number, number?]
    const [p, targets, losses, gradient] = [planner.input(0), planner.input(1), planner.output(0), gradientOf(planner)]
    const call = planner.record(SignalRatioCall, { rows, steps, channels, ...settings })
    planner.step(() => signalRatioF32(call.ptr, p.ptr, targets.ptr, losses.ptr, gradient.ptr))
  },
}

interface Ctc {
  readonly blank: number
  readonly perLabel: boolean
  readonly zeroInfinity: boolean
}

/**
 * Connectionist temporal classification of softmax(x): PyTorch's `ctc_loss`. Inputs: x float32 [batch, timesteps, classes]; labels int32 [batch, labels];
 * how many timesteps each row has, and how many labels, int32 [batch]. Attributes: `blank` (default 0), from the end where negative; `perLabel` (default
 * true): divided by the row's labels; `zeroInfinity` (default false): a row that no alignment fits has no loss. Outputs: losses [batch], their gradient by x.
 */
const ctc: Operator<Ctc> = {
  name: 'ctc',
  mostInputs: 4,
  attributes: ['blank', 'perLabel', 'zeroInfinity'],
  time: 'unknown',
  parse: (node) => ({ blank: integerOf(node, 'blank', 0), perLabel: switchOf(node, 'perLabel', true), zeroInfinity: switchOf(node, 'zeroInfinity') }),
  infer(node, context, { blank }) {
    const { shape } = requireInput(node, context, 0, 'float32', 3)
    const [batch = 1, , classes = 1] = shape
    const labels = requireInput(node, context, 1, 'int32', 2).shape
    checkTarget(node, context, 1, 'int32', [batch, labels[1] ?? 1])
    checkTarget(node, context, 2, 'int32', [batch])
    checkTarget(node, context, 3, 'int32', [batch])
    if (typeof classes === 'number' && (blank >= classes || blank < -classes)) {
      throw new LstmError('VALUE', `${label(node)}: expected a blank from ${-classes} to ${classes - 1}, got ${blank}`)
    }
    return outputsOf([batch], shape)
  },
  cost: () => NO_COST,
  mayRefuse: () => true,
  plan(node, planner, { blank, perLabel, zeroInfinity }) {
    const { ctcF32 } = kernelsOf(planner)
    const [rows, steps, columns] = planner.shapeOf(0) as [number, number, number]
    const labels = planner.shapeOf(1)[1] as number
    const call = planner.record(CtcCall, {
      rows, steps, columns, labels, blank: blank < 0 ? blank + columns : blank, perLabel: Number(perLabel), zeroInfinity: Number(zeroInfinity),
    })
    const [x, given, stepCounts, labelCounts] = [0, 1, 2, 3].map((n) => planner.input(n)) as [Slotted, Slotted, Slotted, Slotted]
    const [losses, gradient] = [planner.output(0), gradientOf(planner)]
    const workspace = planner.workspace(8 * (steps * (2 * labels + 2) + 2 * (2 * labels + 1) + columns))
    planner.step(() => {
      const bad = ctcF32(call.ptr, x.ptr, given.ptr, stepCounts.ptr, labelCounts.ptr, losses.ptr, gradient.ptr, workspace.ptr)
      if (bad < 0) return
      throw new LstmError('VALUE', `${label(node)}: row ${bad}: expected 1 to ${steps} timesteps, and 0 to ${labels} labels that are classes from 0 to ${columns - 1} and not the blank; its counts or labels are others`)
    })
  },
}

type Slotted = ReturnType<Planner['input']>

/** What only training has: losses. */
export const LOSS_OPERATORS: readonly Operator[] = [softmaxCrossEntropy, elementLoss, signalRatio, ctc]
