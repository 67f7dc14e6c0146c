// Normalisations that models call as functions: keras.ops.layer_normalization and its siblings.
import type { LayerCall } from '../layer-call.ts'
import { axisArgument, axesOf, FIRST, operands, plain, tensorOf, type Given, type Operation } from './operation.ts'

/** keras.config.epsilon() */
const EPSILON = 1e-7

/** Axes counted from the front, and epsilon. */
function settingsOf(call: LayerCall, axis: Given[number], epsilon: Given[number], rank: number): { readonly axes: number[], readonly epsilon: string } {
  const axes = axesOf(call, plain(axis) === undefined ? { json: -1 } : axis).map((one) => axisArgument(call, { json: one }, rank)).sort((a, b) => a - b)
  return { axes, epsilon: call.emit.number(Number(plain(epsilon) ?? EPSILON)) }
}

/** A factor or summand, `undefined` where there is none: with fewer axes than x, it stands along the axes that are normalised. */
function besides(call: LayerCall, name: string, given: Given[number], x: string, axes: readonly number[]): string | undefined {
  const { emit, path } = call
  if (given === undefined || plain(given) === null) return undefined
  const [value] = operands(call, [given]) as [string]
  const rank = emit.rankOf(x)
  if (emit.rankOf(value) === rank || axes.every((axis, n) => axis === rank - axes.length + n)) return value
  const sizes = Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? Number(emit.shapeOf(value)[axes.indexOf(axis)] ?? -1) : 1))
  return emit.node(`${path}/${name}`, 'reshape', [value, emit.integers(...sizes)])
}

/** gamma (x - mean) / sqrt(variance + epsilon) + beta; with `rms_scaling`, gamma x / sqrt(variance + epsilon). */
const layerNormalization: Operation = {
  names: [FIRST, 'gamma', 'beta', 'axis', 'epsilon', 'rms_scaling'],
  emit(call, given) {
    const { emit, path } = call
    const x = tensorOf(call, given)
    const { axes, epsilon } = settingsOf(call, given[3], given[4], emit.rankOf(x))
    const along = emit.integers(...axes)
    const centred = emit.node(`${path}/centred`, 'sub', [x, emit.node(`${path}/mean`, 'reduceMean', [x, along], { keepdims: true })])
    const variance = emit.node(`${path}/variance`, 'reduceMean', [emit.node(`${path}/squares`, 'square', [centred]), along], { keepdims: true })
    const deviation = emit.node(`${path}/deviation`, 'sqrt', [emit.node(`${path}/bounded`, 'add', [variance, epsilon])])
    const isRms = plain(given[5]) === true
    const gamma = besides(call, 'gamma', given[1], x, axes)
    const beta = isRms ? undefined : besides(call, 'beta', given[2], x, axes)
    const unit = emit.node(`${path}/unit`, 'div', [isRms ? x : centred, deviation])
    const scaled = gamma === undefined ? unit : emit.node(`${path}/scaled`, 'mul', [unit, gamma])
    return beta === undefined ? scaled : emit.node(path, 'add', [scaled, beta])
  },
}

/** scale x / sqrt(mean x^2 + epsilon) */
const rmsNormalization: Operation = {
  names: [FIRST, 'scale', 'axis', 'epsilon'],
  emit(call, given) {
    const { emit, path } = call
    const x = tensorOf(call, given)
    const { axes, epsilon } = settingsOf(call, given[2], given[3], emit.rankOf(x))
    const squares = emit.node(`${path}/squares`, 'reduceMean', [emit.node(`${path}/square`, 'square', [x]), emit.integers(...axes)], { keepdims: true })
    const unit = emit.node(`${path}/unit`, 'div', [x, emit.node(`${path}/length`, 'sqrt', [emit.node(`${path}/bounded`, 'add', [squares, epsilon])])])
    const scale = besides(call, 'scale', given[1], x, axes)
    return scale === undefined ? unit : emit.node(path, 'mul', [unit, scale])
  },
}

/** scale (x - mean) / sqrt(variance + epsilon) + offset, with mean and variance as they are given, along one axis. */
const batchNormalization: Operation = {
  names: [FIRST, 'mean', 'variance', 'offset', 'scale', 'axis', 'epsilon'],
  emit(call, given) {
    const { emit, path } = call
    const x = tensorOf(call, given)
    const axes = [axisArgument(call, given[5], emit.rankOf(x), -1)]
    const along = (name: string, position: number): string | undefined => besides(call, name, given[position], x, axes)
    const [mean, variance] = [along('mean', 1), along('variance', 2)] as [string, string]
    const deviation = emit.node(`${path}/deviation`, 'sqrt', [emit.node(`${path}/bounded`, 'add', [variance, emit.number(Number(plain(given[6]) ?? 1e-3))])])
    const unit = emit.node(`${path}/unit`, 'div', [emit.node(`${path}/centred`, 'sub', [x, mean]), deviation])
    const [offset, scale] = [along('offset', 3), along('scale', 4)]
    const scaled = scale === undefined ? unit : emit.node(`${path}/scaled`, 'mul', [unit, scale])
    return offset === undefined ? scaled : emit.node(path, 'add', [scaled, offset])
  },
}

/** By Keras 3's class names, in lower case. */
export const NORMALIZING_FUNCTIONS: Readonly<Record<string, Operation>> = {
  layernorm: layerNormalization, rmsnorm: rmsNormalization, batchnorm: batchNormalization,
}
