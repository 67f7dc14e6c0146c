import { PoolCall } from '../../contract/windows/pool.ts'
import { LstmError } from '../../errors.ts'
import type { RecordValues } from '../../values/record.ts'
import { formatShape, lengthOf, type Dimension, type Shape, type SymbolicShape } from '../../values/shape.ts'
import { switchOf } from '../node/attributes.ts'
import { label, requireInput } from '../node/checks.ts'
import type { GraphNode } from '../graph-data.ts'
import type { Operator } from '../operator.ts'
import { passesOf, planReduction } from '../reduction/reduce.ts'
import { along, type TimeRule } from '../time/timing.ts'
import { countWindows, geometryOf, joinShape, paddingOf, reachOf, readWindows, requireWindowed, splitShape, twoAxes as two, WINDOW_ATTRIBUTES, windowsOverTime, type Windows } from './windows.ts'

function windowsOf(node: GraphNode, shape: SymbolicShape): Windows {
  const channelsLast = switchOf(node, 'channelsLast')
  requireWindowed(node, shape, channelsLast)
  const windows = readWindows(node, shape.length - 2, undefined)
  windows.pads.forEach((pad, n) => {
    const reach = reachOf(windows, n % windows.kernel.length)
    if (pad >= reach) throw new LstmError('VALUE', `${label(node)}: expected padding smaller than the window of ${reach}, got ${pad}`)
  })
  return windows
}

interface PoolSettings {
  /** A window may begin in front of the end, and reach past it. */
  readonly ceilMode: boolean
  /** Means count the padding, too. */
  readonly countPad: boolean
}

const POOLS_TIME = 'pools over the timesteps'

/** Other axes than that of the timesteps may be pooled. */
const pooling: TimeRule = (node, context) => {
  const found = windowsOverTime(node, context, undefined)
  if (found === undefined) return along(node, context.timing(0))
  const { windows, over } = found
  return reachOf(windows, over) === 1 && windows.strides[over] === 1 ? along(node, context.timing(0)) : POOLS_TIME
}

/** As kernels number them: `PoolCall`. */
const KINDS = { max: 0, mean: 1, sum: 2 }

export type PoolKind = keyof typeof KINDS

/** What the kernel is told of the pools of a node over an array of `shape`. */
export function poolFields(node: GraphNode, shape: Shape, outShape: Shape, kind: PoolKind, countPad: boolean): RecordValues<typeof PoolCall> {
  const windows = windowsOf(node, shape)
  const { batch, channels, sizes } = splitShape(shape, windows.channelsLast)
  const { sizes: counts } = splitShape(outShape, windows.channelsLast)
  const [planes, inner] = windows.channelsLast ? [batch, channels] : [batch * channels, 1]
  const [padBottom, padRight] = two(sizes.map((size, axis) => paddingOf(windows, axis, size)[1]), 0)
  return {
    what: KINDS[kind], countPad: Number(countPad), planes, inner, ...geometryOf(windows, sizes, counts), padBottom, padRight,
  }
}

/**
 * The largest element, the mean, or the sum, of sliding windows over one or two axes. Input: x [batch, channels, length] or [batch,
 * channels, height, width], float32. Attributes: `kernelShape` (required), `strides` 1, `pads` 0 (all beginnings, then all ends),
 * `autoPad` NOTSET, `dilations` 1, `ceilMode` 0, and for means `countIncludePad` 0. `channelsLast` (not ONNX, false): channels
 * are the last axis. The second output of ONNX's MaxPool, the indices, is not made.
 */
function pool(name: string, onnx: string | undefined, kind: keyof typeof KINDS): Operator<PoolSettings> {
  const average = kind === 'mean'
  return {
    name,
    onnx,
    mostInputs: 1,
    attributes: [...WINDOW_ATTRIBUTES, 'ceilMode', ...(average ? ['countIncludePad'] : [])],
    time: pooling,
    parse: (node) => ({ ceilMode: switchOf(node, 'ceilMode'), countPad: average && switchOf(node, 'countIncludePad') }),
    infer(node, context, { ceilMode }) {
      const x = requireInput(node, context, 0, 'float32')
      const windows = windowsOf(node, x.shape)
      const { batch, channels, sizes } = splitShape<Dimension>(x.shape, windows.channelsLast)
      const counts = sizes.map((size, axis) => countWindows(node, windows, axis, size, ceilMode))
      return [{ dtype: 'float32', shape: joinShape<Dimension>(batch, channels, counts, windows.channelsLast) }]
    },
    cost: (node, context) => ({ detail: `windows of ${windowsOf(node, context.input(0)?.shape ?? []).kernel.join(' x ')}`, multiplyAdds: 0 }),
    plan(node, planner, { countPad }) {
      const { poolF32 } = planner.kernels
      const [x, y] = [planner.input(0), planner.output(0)]
      const call = planner.record(PoolCall, poolFields(node, planner.shapeOf(0), planner.outputShape(0), kind, countPad))
      planner.step(() => poolF32(call.ptr, x.ptr, y.ptr))
    },
  }
}

export const maxPool: Operator<PoolSettings> = pool('maxPool', 'MaxPool', 'max')
export const averagePool: Operator<PoolSettings> = pool('averagePool', 'AveragePool', 'mean')
/** Not ONNX: of LpPool, which adds powers. */
export const sumPool: Operator<PoolSettings> = pool('sumPool', undefined, 'sum')

/**
 * The largest element, or the mean, of every channel. Input: x [batch, channels, sizes...], float32; result [batch, channels, 1...].
 * `channelsLast` (not ONNX, false): channels are the last axis, also of the result.
 */
function globalPool(name: string, onnx: string, average: boolean): Operator<boolean> {
  const reducedOf = (node: GraphNode, channelsLast: boolean, shape: SymbolicShape): boolean[] => {
    if (shape.length < 3) {
      throw new LstmError('SHAPE', `${label(node)}: expected batch, channels and at least one more axis, got ${formatShape(shape)}`)
    }
    const channelAxis = channelsLast ? shape.length - 1 : 1
    return shape.map((_, axis) => axis !== 0 && axis !== channelAxis)
  }
  return {
    name,
    onnx,
    mostInputs: 1,
    attributes: ['channelsLast'],
    time: () => POOLS_TIME,
    parse: (node) => switchOf(node, 'channelsLast'),
    infer(node, context, channelsLast) {
      const { shape } = requireInput(node, context, 0, 'float32')
      const reduced = reducedOf(node, channelsLast, shape)
      return [{ dtype: 'float32', shape: shape.map((size, axis) => (reduced[axis] ? 1 : size)) }]
    },
    cost: () => ({ detail: '', multiplyAdds: 0 }),
    plan(node, planner, channelsLast) {
      const shape: Shape = planner.shapeOf(0)
      const code = average ? 'sum' : 'max'
      const passes = passesOf(shape, reducedOf(node, channelsLast, shape))
      if (lengthOf(shape) > 0) planReduction(planner, { code, next: code, finishing: average ? 'divided' : 'none' }, passes, planner.input(0), planner.output(0))
    },
  }
}

export const globalMaxPool: Operator<boolean> = globalPool('globalMaxPool', 'GlobalMaxPool', false)
export const globalAveragePool: Operator<boolean> = globalPool('globalAveragePool', 'GlobalAveragePool', true)
