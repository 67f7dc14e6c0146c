// Normalisations in training.
import { LstmError } from '../../errors.ts'
import { label } from '../../ops/node/checks.ts'
import type { GraphNode } from '../../ops/graph-data.ts'
import { formatShape, lengthOf } from '../../values/shape.ts'
import { algebra } from '../algebra.ts'
import type { Lowering, LoweringBuilder, Lowerings } from '../lowering.ts'
import { normalize } from './normalization.ts'

/** How running statistics of batch normalisation follow those of batches. */
export interface RunningStatistics {
  /** The part that the batch has. PyTorch's default is 0.1; Keras calls 1 minus this its momentum, 0.99 by default. */
  readonly momentum: number
  /** Whether the running variance is that of n - 1 (PyTorch); Keras takes that of n. */
  readonly unbiased: boolean
}

const PYTORCH_STATISTICS: RunningStatistics = { momentum: 0.1, unbiased: true }
export const KERAS_STATISTICS: RunningStatistics = { momentum: 0.01, unbiased: false }

/** Scale or bias: a parameter; but the ones and zeros of a layer that has none stay. */
function trainedOrFixed(node: GraphNode, build: LoweringBuilder, name: string, role: string): string {
  if (!build.isConstant(name)) return name
  return name === `${node.name}/${role}` ? build.fixed(name) : build.parameter(name)
}

/** The operator as it is, with scale and bias as parameters. */
const withParameters: Lowering = (node, _settings, [x = '', scale = '', bias = ''], build) => {
  const inputs = [x, trainedOrFixed(node, build, scale, 'weight'), ...(bias === '' ? [] : [trainedOrFixed(node, build, bias, 'bias')])]
  return [build.node(node.op, inputs, node.attributes)]
}

/**
 * By mean and variance of the batch, which the running ones follow. In `predict` and `evaluate`, by the running ones.
 */
function batchNormalization({ momentum, unbiased }: RunningStatistics): Lowering {
  return (node, settings: { readonly epsilon: number, readonly channelsLast: boolean }, inputs, build) => {
    const { add, mul } = algebra(build)
    const [x = '', scale = '', bias = '', ...running] = inputs
    const [weight, shift] = [trainedOrFixed(node, build, scale, 'weight'), trainedOrFixed(node, build, bias, 'bias')]
    const [runningMean, runningVariance] = running.map((name) => (build.isConstant(name) ? build.parameter(name) : name)) as [string, string]
    if (!build.training) return [build.node(node.op, [x, weight, shift, runningMean, runningVariance], node.attributes)]
    const shape = build.shapeOf(x)
    const channelAxis = settings.channelsLast ? shape.length - 1 : 1
    const axes = shape.flatMap((_, axis) => (axis === channelAxis ? [] : [axis]))
    const count = lengthOf(axes.map((axis) => shape[axis] as number))
    if (count < 2) {
      const got = formatShape(shape)
      throw new LstmError('SHAPE', `training: ${label(node)}: expected two elements a channel at least, got ${got}; take a larger batch`)
    }
    const { mean, variance, normal } = normalize(build, x, axes, settings.epsilon, true)
    const beside = shape.map((size, axis) => (axis === channelAxis ? size : 1))
    const follow = (constant: string, old: string, batch: string, gain: number): void => {
      if (!build.isConstant(constant)) return
      const kept = mul(old, build.constant(1 - momentum))
      build.update(constant, add(kept, mul(build.reshape(batch, build.shapeOf(old)), build.constant(momentum * gain))))
    }
    follow(running[0] as string, runningMean, mean as string, 1)
    follow(running[1] as string, runningVariance, variance, unbiased ? count / (count - 1) : 1)
    return [add(mul(normal, build.reshape(weight, beside)), build.reshape(shift, beside))]
  }
}

export function normalizationLowerings(statistics: RunningStatistics = PYTORCH_STATISTICS): Lowerings {
  return {
    layerNormalization: withParameters, rmsNormalization: withParameters, instanceNormalization: withParameters,
    batchNormalization: batchNormalization(statistics),
  }
}
