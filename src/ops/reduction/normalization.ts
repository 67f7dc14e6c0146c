import { BatchNormCall, NormalizeCall } from '../../contract/arrays/normalize.ts'
import { LstmError } from '../../errors.ts'
import { formatShape, lengthOf, sameShape, type SymbolicShape } from '../../values/shape.ts'
import { integerOf, numberOf, resolveAxis, switchOf } from '../node/attributes.ts'
import { label, requireInput } from '../node/checks.ts'
import type { GraphNode, ValueType } from '../graph-data.ts'
import type { InferenceContext, Operator } from '../operator.ts'
import { rowwise } from '../time/rules.ts'

/** Vectors at the given positions must have one element a channel. */
function checkChannels(node: GraphNode, context: InferenceContext, positions: readonly number[], channels: SymbolicShape[number] | undefined): void {
  for (const position of positions) {
    const { shape } = requireInput(node, context, position, 'float32', 1)
    if (typeof shape[0] === 'number' && typeof channels === 'number' && shape[0] !== channels) {
      throw new LstmError('SHAPE', `${label(node)}: expected [${channels}] as input ${position}, got ${formatShape(shape)}`)
    }
  }
}

export function epsilonAttribute(node: GraphNode): number {
  return Math.fround(numberOf(node, 'epsilon', 1e-5))
}

interface RowSettings {
  /** The axis as it is written: it may count from the end. */
  readonly given: number
  readonly epsilon: number
}

/** Normalisation of the axes from `axis` on; its scale and bias have the shape of these axes. */
function rowNormalization(name: string, onnx: string, centred: boolean): Operator<RowSettings> {
  return {
    name,
    onnx,
    mostInputs: centred ? 3 : 2,
    attributes: ['axis', 'epsilon', 'stashType'],
    time: rowwise((node, shape, { given }) => {
      const axis = resolveAxis(node, given, shape.length)
      return shape.flatMap((_, n) => (n >= axis ? [n] : []))
    }),
    parse(node) {
      const stashType = integerOf(node, 'stashType', 1)
      if (stashType !== 1) throw new LstmError('UNSUPPORTED', `${label(node)}: expected 'stashType' 1, got ${stashType}`)
      return { given: integerOf(node, 'axis', -1), epsilon: epsilonAttribute(node) }
    },
    infer(node, context, { given }) {
      const x = requireInput(node, context, 0, 'float32')
      const rowShape = x.shape.slice(resolveAxis(node, given, x.shape.length))
      for (const position of centred && context.input(2) !== undefined ? [1, 2] : [1]) {
        const { shape } = requireInput(node, context, position, 'float32')
        if (rowShape.every((size) => typeof size === 'number') && !sameShape(shape, rowShape)) {
          throw new LstmError('SHAPE', `${label(node)}: expected ${formatShape(rowShape)} as input ${position}, got ${formatShape(shape)}`)
        }
      }
      return [x]
    },
    cost: () => ({ detail: '', multiplyAdds: 0 }),
    plan(node, planner, { given, epsilon }) {
      const { normalizeF32 } = planner.kernels
      const shape = planner.shapeOf(0)
      const axis = resolveAxis(node, given, shape.length)
      const [rows, columns] = [lengthOf(shape.slice(0, axis)), lengthOf(shape.slice(axis))]
      const [x, scale, y] = [planner.input(0), planner.input(1), planner.output(0)]
      const bias = planner.hasInput(2) ? planner.input(2) : { ptr: 0 }
      const call = planner.record(NormalizeCall, { centred: Number(centred), rows, columns, channels: 0, epsilon })
      planner.step(() => normalizeF32(call.ptr, x.ptr, y.ptr, scale.ptr, bias.ptr))
    },
  }
}

/**
 * (x - mean) / sqrt(variance + epsilon) * scale + bias over the axes from `axis` on. Inputs: x, scale, bias (optional); scale and
 * bias have the shape of these axes. Attributes: `axis` -1, `epsilon` 1e-5. Only the first output of ONNX's is made.
 */
export const layerNormalization: Operator<RowSettings> = rowNormalization('layerNormalization', 'LayerNormalization', true)
/** x / sqrt(mean(x^2) + epsilon) * scale over the axes from `axis` on. Inputs: x, scale. Attributes: `axis` -1, `epsilon` 1e-5. */
export const rmsNormalization: Operator<RowSettings> = rowNormalization('rmsNormalization', 'RMSNormalization', false)

/** The input, whose channels are axis 1, or the last one with `channelsLast`. */
export function channelInput(node: GraphNode, context: InferenceContext, channelsLast: boolean, positions: readonly number[]): ValueType {
  const x = requireInput(node, context, 0, 'float32')
  if (x.shape.length < 2) throw new LstmError('SHAPE', `${label(node)}: expected at least batch and channels, got ${formatShape(x.shape)}`)
  checkChannels(node, context, positions, x.shape.at(channelsLast ? -1 : 1))
  return x
}

/**
 * Normalisation by mean and variance of the training data. Inputs: x [batch, channels, ...], scale, bias, mean, variance, all four
 * [channels]; float32. Attributes: `epsilon` 1e-5; `channelsLast` (not ONNX, false): channels are the last axis.
 */
export const batchNormalization: Operator<{ readonly epsilon: number, readonly channelsLast: boolean }> = {
  name: 'batchNormalization',
  onnx: 'BatchNormalization',
  mostInputs: 5,
  attributes: ['epsilon', 'channelsLast'],
  /** Every channel by itself, with numbers of its own. */
  time: rowwise((_node, _shape, { channelsLast }) => [channelsLast ? -1 : 1]),
  parse: (node) => ({ epsilon: epsilonAttribute(node), channelsLast: switchOf(node, 'channelsLast') }),
  infer: (node, context, { channelsLast }) => [channelInput(node, context, channelsLast, [1, 2, 3, 4])],
  cost: () => ({ detail: '', multiplyAdds: 0 }),
  plan(_node, planner, { epsilon, channelsLast }) {
    const { batchNormF32 } = planner.kernels
    const shape = planner.shapeOf(0)
    const channelAxis = channelsLast ? shape.length - 1 : 1
    const channels = shape[channelAxis] as number
    const [outer, inner] = [lengthOf(shape.slice(0, channelAxis)), lengthOf(shape.slice(channelAxis + 1))]
    const [x, y, factors] = [planner.input(0), planner.output(0), planner.workspace(2 * Math.ceil(channels / 16) * 64)]
    const [scale, bias, mean, variance] = [planner.input(1), planner.input(2), planner.input(3), planner.input(4)]
    const call = planner.record(BatchNormCall, { outer, channels, inner, epsilon })
    planner.step(() => batchNormF32(call.ptr, x.ptr, y.ptr, scale.ptr, bias.ptr, mean.ptr, variance.ptr, factors.ptr))
  },
}
