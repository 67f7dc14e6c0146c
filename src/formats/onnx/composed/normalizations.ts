// Normalisations that are several operators of ours.
import { NdArray } from '../../../values/ndarray.ts'
import type { Conversion } from '../conversion.ts'
import { withRows } from '../older-opsets.ts'
import { dimensions } from './sizes.ts'
import { malformed } from '../../protobuf/wire.ts'

/** The smallest positive float32: a norm of 0 makes zeros. */
const LEAST = 2 ** -149

/** x / |x| along an axis, by the sum of the sizes (p 1) or of the squares (p 2). */
export function lpNormalization(c: Conversion): void {
  c.onlyAttributes(['axis', 'p'])
  const x = c.input(0)
  const p = c.int('p', 2)
  if (p !== 1 && p !== 2) throw malformed(`${c.label}: expected 1 or 2 for p, got ${p}`)
  const norm = c.emit(p === 1 ? 'reduceL1' : 'reduceL2', [x, c.integers('axes', [c.int('axis', -1)])], { keepdims: 1 })
  c.emitOutputs('div', [x, c.emit('max', [norm, c.scalar('least', LEAST)])])
}

/**
 * The channels of each group of channels together. Until 21, scale and bias are by group; since then they are by channel.
 * Inputs: x [batch, channels, ...], scale, bias.
 */
export function groupNormalization(c: Conversion): void {
  c.requireInt('stash_type', 1)
  c.onlyAttributes(['stash_type', 'epsilon', 'num_groups'])
  const [x, scale, bias] = [c.input(0), c.input(1), c.input(2)]
  const groups = c.int('num_groups', 0)
  const { shape } = c.type(x)
  const channels = shape[1]
  if (typeof channels !== 'number') throw c.unsupported('an unknown number of channels')
  if (groups < 1 || channels % groups !== 0) throw malformed(`${c.label}: expected groups of equal size of ${channels} channels, got num_groups ${groups}`)
  const byGroup = c.opset < 21
  const filled = (what: string, value: number): string => c.constant(what, new NdArray(new Float32Array(groups).fill(value), [groups]))
  const rows = c.emit('reshape', [x, c.integers('groups', [0, groups, -1])])
  const factors = byGroup ? [scale, bias] : [filled('ones', 1), filled('zeros', 0)]
  const normal = c.emit('instanceNormalization', [rows, ...factors], { epsilon: c.float('epsilon', 1e-5) })
  const target = dimensions(c, [0, channels, ...shape.slice(2).map((_, n) => ({ of: x, axis: n + 2 }))])
  if (byGroup) return c.emitOutputs('reshape', [normal, target])
  const column = c.integers('column', [-1, ...shape.slice(2).map(() => 1)])
  const [tall, low] = [scale, bias].map((factor) => c.emit('reshape', [factor, column])) as [string, string]
  c.emitOutputs('add', [c.emit('mul', [c.emit('reshape', [normal, target]), tall]), low])
}

/** ONNX's own number, added to the deviation. */
const DEVIATION_ADDED = 1e-9

/** (x - mean) / (deviation + 1e-9) over `axes`. */
export function meanVarianceNormalization(c: Conversion): void {
  c.onlyAttributes(['axes'])
  const x = c.input(0)
  const axes = c.integers('axes', c.ints('axes') ?? [0, 2, 3])
  const mean = (value: string): string => c.emit('reduceMean', [value, axes], { keepdims: 1 })
  const centred = c.emit('sub', [x, mean(x)])
  const deviation = c.emit('sqrt', [mean(c.emit('mul', [centred, centred]))])
  c.emitOutputs('div', [centred, c.emit('add', [deviation, c.scalar('added', DEVIATION_ADDED)])])
}

/** 1 at the first of the largest along an axis, 0 elsewhere. */
export function hardmax(c: Conversion): void {
  withRows(c, (x, axis, outputs) => {
    const largest = c.emit('argMax', [x], { axis, keepdims: 0 })
    const depth = c.emit('gather', [c.emit('shape', [x]), c.integers('axis', [axis])], { axis: 0 })
    return c.emit('oneHot', [largest, depth, c.constant('values', new NdArray(Float32Array.of(0, 1), [2]))], { axis }, outputs)
  })
}
