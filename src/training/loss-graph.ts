// What a loss becomes in a graph: a node that gives the losses of the rows, and the rule of its gradient.
import { LstmError } from '../errors.ts'
import type { GradientBuilder } from '../gradients/rule.ts'
import { RESHAPES } from '../ops/movement/reshape.ts'
import type { GraphInput, GraphNode } from '../graph/graph.ts'
import { label } from '../ops/node/checks.ts'
import { formatShape, lengthOf, sameShape, type Shape } from '../values/shape.ts'
import type { CtcLoss, Loss, ProbabilityLoss, SparseLoss } from './descriptions/losses.ts'

/** No class is ignored. */
const NO_CLASS = -(2 ** 31)

/** What a loss needs besides the prediction: inputs of the graph. */
export interface LossTarget {
  readonly role: 'target' | 'labels' | 'inputLengths' | 'targetLengths'
  readonly input: GraphInput & { readonly shape: Shape }
}

/** A loss that was added to a graph. */
export interface AddedLoss {
  /** The value that has the losses of the rows: [batch], or [batch, timesteps] where each timestep has a target. */
  readonly losses: string
  readonly targets: readonly LossTarget[]
  /** Whether the prediction is logits, not probabilities. */
  readonly isLogits: boolean
}

/** Operators that only change the shape: what made a value is behind them. */
const SHAPE_ONLY = new Set([...RESHAPES, 'dropout'])

/** The node that makes a value, and whether nodes that change its shape stand between. */
function makerOf(nodes: readonly GraphNode[], value: string): { readonly node: GraphNode | undefined, readonly direct: boolean } {
  let direct = true
  for (let name = value; ;) {
    const node = nodes.find(({ outputs }) => outputs.includes(name))
    if (node === undefined || !SHAPE_ONLY.has(node.op)) return { node, direct }
    direct = direct && node.op === 'dropout'
    name = node.inputs[0] as string
  }
}

/** What a loss of probabilities is given. */
interface Source {
  /** Logits, or probabilities. */
  readonly value: string
  readonly isLogits: boolean
  /** Whether they are the prediction itself. */
  readonly isWhole: boolean
}

/** Losses that are of probabilities. */
const isOfProbabilities = (loss: Loss): loss is ProbabilityLoss | SparseLoss | CtcLoss => /Crossentropy$|^ctc$/.test(loss.loss)

/** Logits where the model gives them, or has them before its last function. */
function sourceOf(loss: Loss, nodes: readonly GraphNode[], prediction: string, axes: number): Source {
  if (!isOfProbabilities(loss)) return { value: prediction, isLogits: false, isWhole: true }
  const last = loss.loss === 'binaryCrossentropy' ? ['sigmoid'] : ['softmax', 'logSoftmax']
  const { node, direct } = makerOf(nodes, prediction)
  const isLast = node !== undefined && last.includes(node.op) && (node.op === 'sigmoid' || [-1, axes - 1].includes(Number(node.attributes.axis ?? -1)))
  if (loss.fromLogits === true && isLast && node.op !== 'logSoftmax') {
    throw new LstmError('VALUE', `${loss.loss}: fromLogits is true, but the model ends in ${label(node)}: its outputs are no logits. Leave fromLogits out, and it is taken off`)
  }
  if (isLast && direct) return { value: node.inputs[0] as string, isLogits: true, isWhole: false }
  if (isLast) return { value: prediction, isLogits: node.op === 'logSoftmax', isWhole: true }
  return { value: prediction, isLogits: loss.fromLogits !== false, isWhole: true }
}

/** What Keras cuts probabilities to before it takes logarithms. */
const LEAST_PROBABILITY = 1e-7

/** The same as logits: softmax(log p) is p, divided by its sum, as Keras does. */
function logitsOf({ value, isLogits }: Pick<Source, 'value' | 'isLogits'>, build: GradientBuilder): string {
  if (isLogits) return value
  return build.node('log', [build.node('max', [value, build.constant(LEAST_PROBABILITY)])])
}

/** The losses whose targets are like the prediction, as the operator calls them. */
const KINDS = { meanSquaredError: 'squared', meanAbsoluteError: 'absolute', huber: 'huber' } as const

/**
 * Adds a loss.
 * @param nodes those of the graph so far
 * @param prediction the value that is compared; its sizes are numbers
 * @param targetShape that of the targets that will be given for a batch (of ctc: of the labels)
 * @param prefix of the names of the inputs that it adds
 * @param addInput adds an input to the graph
 * @throws LstmError `SHAPE` where targets do not fit, `VALUE` for `fromLogits` of a model that ends in a softmax
 */
export function addLoss(
  loss: Loss, nodes: readonly GraphNode[], prediction: string, targetShape: Shape, build: GradientBuilder, prefix: string,
  addInput: (input: GraphInput) => void,
): AddedLoss {
  const shape = build.shapeOf(prediction)
  const targets: LossTarget[] = []
  const target = (role: LossTarget['role'], dtype: 'float32' | 'int32', sizes: Shape): string => {
    const input = { name: `${prefix}${role}`, dtype, shape: sizes }
    addInput(input)
    targets.push({ role, input })
    return input.name
  }
  const made = (op: string, inputs: readonly string[], attributes: Readonly<Record<string, number | boolean | string>> = {}): AddedLoss => (
    { losses: build.nodes(op, inputs, attributes, 2)[0] as string, targets, isLogits: source.isLogits && source.isWhole }
  )
  checkTargetShape(loss, shape, targetShape)
  const source = sourceOf(loss, nodes, prediction, shape.length)
  switch (loss.loss) {
    case 'sparseCategoricalCrossentropy': {
      return made('softmaxCrossEntropy', [logitsOf(source, build), target('target', 'int32', shape.slice(0, -1))], { ignored: loss.ignoreIndex ?? NO_CLASS })
    }
    case 'categoricalCrossentropy': {
      return made('softmaxCrossEntropy', [logitsOf(source, build), target('target', 'float32', shape)])
    }
    case 'binaryCrossentropy': {
      return made('elementLoss', [source.value, target('target', 'float32', shape)], { kind: source.isLogits ? 'binaryLogits' : 'binary' })
    }
    case 'ctc': {
      const { blank, perLabel, zeroInfinity } = loss
      const rows = [shape[0] as number]
      const inputs = [logitsOf(source, build), target('labels', 'int32', targetShape)]
      return made('ctc', [...inputs, target('inputLengths', 'int32', rows), target('targetLengths', 'int32', rows)], { blank, perLabel, zeroInfinity })
    }
    case 'esr': {
      const { preEmphasis, esrWeight, dcWeight, epsilon } = loss
      return made('signalRatio', [prediction, target('target', 'float32', shape)], { preEmphasis, ratioWeight: esrWeight, meanWeight: dcWeight, epsilon })
    }
    default: {
      const delta = loss.loss === 'huber' ? loss.delta : 1
      return made('elementLoss', [prediction, target('target', 'float32', shape)], { kind: KINDS[loss.loss], delta })
    }
  }
}

/** The shape of the targets that a loss takes for predictions of a shape; of ctc, which takes any number of labels, undefined. */
export function targetShapeOf({ loss }: Loss, prediction: Shape): Shape | undefined {
  if (loss === 'ctc') return undefined
  return loss === 'sparseCategoricalCrossentropy' ? prediction.slice(0, -1) : prediction
}

/** Axes of length 1 at the end may be missing, or be there besides: [batch] for [batch, 1]. */
const withoutEnd = (shape: Shape): Shape => {
  let end = shape.length
  while (end > 1 && shape[end - 1] === 1) end--
  return shape.slice(0, end)
}

/** @throws LstmError `SHAPE` unless targets of a shape fit predictions of a shape */
export function checkTargetShape(loss: Loss, prediction: Shape, targets: Shape): void {
  const least = loss.loss === 'ctc' ? 3 : ['meanSquaredError', 'meanAbsoluteError', 'huber', 'binaryCrossentropy'].includes(loss.loss) ? 1 : 2
  if (prediction.length < least) throw new LstmError('SHAPE', `${loss.loss}: expected an output of the model with at least ${least} axes, got ${formatShape(prediction)}`)
  const expected = targetShapeOf(loss, prediction)
  if (expected === undefined) {
    if (targets.length === 2 && targets[0] === prediction[0]) return
    const isTimeMajor = targets.length === 2 && targets[0] === prediction[1]
    const hint = isTimeMajor ? ". The output has its timesteps first, as PyTorch's ctc_loss takes it; here it is [batch, timesteps, classes]: leave out the transpose at the end of the model" : ''
    throw new LstmError('SHAPE', `${loss.loss}: expected labels [${prediction[0] as number}, labels] for the output ${formatShape(prediction)}, got ${formatShape(targets)}${hint}`)
  }
  if (lengthOf(expected) === lengthOf(targets) && sameShape(withoutEnd(expected), withoutEnd(targets))) return
  const isOneHot = loss.loss === 'sparseCategoricalCrossentropy' && sameShape(targets, prediction)
  const isSparse = loss.loss === 'categoricalCrossentropy' && sameShape(withoutEnd(targets), withoutEnd(prediction.slice(0, -1)))
  const hint = isOneHot
    ? ". One-hot targets are those of 'categoricalCrossentropy'"
    : isSparse ? ". Targets that are one class each are those of 'sparseCategoricalCrossentropy'" : ''
  throw new LstmError('SHAPE', `${loss.loss}: expected targets ${formatShape(expected)} for the output ${formatShape(prediction)}, got ${formatShape(targets)}${hint}`)
}
