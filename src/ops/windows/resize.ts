import { ResizeCall } from '../../contract/windows/resize.ts'
import { LstmError } from '../../errors.ts'
import { checkShape, formatShape, lengthOf, type Dimension, type Shape, type SymbolicShape } from '../../values/shape.ts'
import { finiteOf, wordOf, wrong } from '../node/attributes.ts'
import { hasInput, label, requireInput } from '../node/checks.ts'
import { resolveAxes } from '../node/lists.ts'
import { checkSizes, freshSize, integerList } from '../node/sizes.ts'
import type { GraphNode } from '../graph-data.ts'
import type { InferenceContext, Operator, Slot } from '../operator.ts'
import { OTHER_AXIS } from '../time/rules.ts'
import { along, timeAxis, type TimeRule } from '../time/timing.ts'

const MODES = ['nearest', 'linear', 'cubic'] as const
const COORDINATES = ['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric', 'half_pixel_symmetric'] as const
const ROUNDINGS = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'] as const

interface ResizeSettings {
  readonly mode: typeof MODES[number]
  readonly coordinates: typeof COORDINATES[number]
  readonly rounding: typeof ROUNDINGS[number]
  readonly cubicCoefficient: number
  readonly scales: readonly number[] | undefined
  /** As they are written; undefined for all. */
  readonly axes: readonly number[] | undefined
}

/** An attribute that is a list of numbers. */
function numbersOf(node: GraphNode, attribute: string, fits: (value: number) => boolean, expected: string): readonly number[] | undefined {
  const value = node.attributes[attribute]
  if (value === undefined) return undefined
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'number' && fits(item))) throw wrong(node, attribute, expected)
  return value as readonly number[]
}

function readSettings(node: GraphNode): ResizeSettings {
  return {
    mode: wordOf(node, 'mode', MODES),
    coordinates: wordOf(node, 'coordinateTransformationMode', COORDINATES),
    rounding: wordOf(node, 'nearestMode', ROUNDINGS),
    cubicCoefficient: finiteOf(node, 'cubicCoeffA', -Infinity, -0.75),
    scales: numbersOf(node, 'scales', (scale) => Number.isFinite(scale) && scale > 0, 'numbers above 0')?.map(Math.fround),
    axes: numbersOf(node, 'axes', Number.isInteger, 'whole numbers'),
  }
}

/** What is asked for along each axis: a scale, or a size, undefined where it is known later; axes that stay as they are have neither. */
interface Wanted {
  readonly scale?: number
  readonly size?: Dimension | undefined
}

function wantedOf(node: GraphNode, context: InferenceContext, { scales, axes }: ResizeSettings, rank: number): readonly (Wanted | undefined)[] {
  if (hasInput(node, 1) === (scales !== undefined)) {
    throw new LstmError(scales === undefined ? 'SHAPE' : 'VALUE', `${label(node)}: expected either 'scales' or sizes as input 1, got ${scales === undefined ? 'neither' : 'both'}`)
  }
  const sizes = scales === undefined ? integerList(node, context, 1, 'sizes') : undefined
  const resolved = resolveAxes(node, axes ?? Array.from({ length: rank }, (_, axis) => axis), rank)
  const count = scales?.length ?? sizes?.count
  if (count !== resolved.length) throw new LstmError('SHAPE', `${label(node)}: expected ${resolved.length} ${scales === undefined ? 'sizes' : "'scales'"}, one for each axis, got ${count}`)
  return Array.from({ length: rank }, (_, axis): Wanted | undefined => {
    const position = resolved.indexOf(axis)
    if (position < 0) return undefined
    return scales === undefined ? { size: sizes?.sizes?.[position] } : { scale: scales[position] as number }
  })
}

function sizesOf(node: GraphNode, context: InferenceContext, settings: ResizeSettings, shape: SymbolicShape): Dimension[] {
  return wantedOf(node, context, settings, shape.length).map((wanted, axis) => {
    const size = shape[axis] as Dimension
    if (wanted === undefined || wanted.scale === 1) return size
    if (wanted.scale === undefined) {
      if (typeof wanted.size === 'number' && wanted.size < 1) throw new LstmError('VALUE', `${label(node)}: expected sizes of 1 or more, got ${wanted.size} for axis ${axis}`)
      return wanted.size ?? freshSize(node, axis)
    }
    if (typeof size === 'string') return freshSize(node, axis)
    const scaled = Math.floor(Math.fround(size * wanted.scale))
    if (scaled < 1) throw new LstmError('SHAPE', `${label(node)}: a scale of ${wanted.scale} leaves nothing of the ${size} elements of axis ${axis}`)
    return scaled
  })
}

/** Where an element of the result lies among those of an axis, in float32 as onnxruntime reckons. */
function placeOf({ coordinates }: ResizeSettings, n: number, size: number, outSize: number, scale: number): number {
  const centre = Math.fround(Math.fround(Math.fround(n + 0.5) / scale) - 0.5)
  switch (coordinates) {
    case 'asymmetric': return Math.fround(n / scale)
    case 'align_corners': return outSize === 1 ? 0 : Math.fround(n * (size - 1) / (outSize - 1))
    case 'pytorch_half_pixel': return outSize > 1 ? centre : 0
    case 'half_pixel_symmetric': return Math.fround(size / 2 * (1 - outSize / (scale * size)) + centre)
    case 'half_pixel': return centre
  }
}

function rounded({ rounding }: ResizeSettings, place: number): number {
  switch (rounding) {
    case 'floor': return Math.floor(place)
    case 'ceil': return Math.ceil(place)
    case 'round_prefer_ceil': return Math.floor(place + 0.5)
    case 'round_prefer_floor': return Math.ceil(place - 0.5)
  }
}

/** What an element of the result is the sum of. */
interface Taps {
  readonly taps: number
  readonly indices: Int32Array
  readonly weights: Float32Array
}

/** Weights of the four elements around a place: https://en.wikipedia.org/wiki/Bicubic_interpolation#Bicubic_convolution_algorithm */
function cubicWeights(a: number, part: number): number[] {
  const near = (x: number): number => ((a + 2) * x - (a + 3)) * x * x + 1
  const far = (x: number): number => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
  return [far(1 + part), near(part), near(1 - part), far(2 - part)]
}

function tapsOf(settings: ResizeSettings, size: number, outSize: number, scale: number): Taps {
  const { mode } = settings
  const taps = { nearest: 1, linear: 2, cubic: 4 }[mode]
  const indices = new Int32Array(outSize * taps)
  const weights = new Float32Array(outSize * taps)
  const inside = (index: number): number => Math.max(0, Math.min(size - 1, index))
  for (let n = 0; n < outSize; n++) {
    const place = placeOf(settings, n, size, outSize, scale)
    const bounded = mode === 'linear' ? inside(place) : place
    const first = mode === 'nearest' ? rounded(settings, place) : Math.floor(bounded)
    const part = bounded - first
    const own = mode === 'nearest' ? [1] : mode === 'linear' ? [1 - part, part] : cubicWeights(settings.cubicCoefficient, part)
    own.forEach((weight, t) => {
      indices[n * taps + t] = inside(first + t - (mode === 'cubic' ? 1 : 0))
      weights[n * taps + t] = weight
    })
  }
  return { taps, indices, weights }
}

/** Other axes than that of the timesteps may be resized. */
const resizing: TimeRule<ResizeSettings> = (node, context, { scales, axes }) => {
  const axis = timeAxis(context)
  const shape = context.shape(0) as SymbolicShape
  if (axis === undefined || context.timing(1) !== undefined) return OTHER_AXIS
  const position = resolveAxes(node, axes ?? shape.map((_, n) => n), shape.length).indexOf(axis)
  const isKept = position < 0 || (scales === undefined ? typeof shape[axis] === 'string' && context.outputShape(0)[axis] === shape[axis] : scales[position] === 1)
  return isKept ? along(node, axis) : 'makes the sequence longer or shorter'
}

/**
 * Axes made longer or shorter. Inputs: x float32, sizes (int32 list; or the attribute `scales`). Attributes: `axes`, those that sizes or scales are of
 * (all); `mode` `nearest`, `linear` or `cubic`; `coordinateTransformationMode` `half_pixel`, `pytorch_half_pixel`, `align_corners`, `asymmetric`
 * or `half_pixel_symmetric`; `nearestMode` `round_prefer_floor`, `round_prefer_ceil`, `floor` or `ceil`; `cubicCoeffA` -0.75. Beyond the ends the first
 * and the last element go on. One axis after the other.
 */
export const resize: Operator<ResizeSettings> = {
  name: 'resize',
  onnx: 'Resize',
  mostInputs: 2,
  attributes: ['scales', 'axes', 'mode', 'coordinateTransformationMode', 'nearestMode', 'cubicCoeffA'],
  time: resizing,
  takesSizes: [1],
  parse: readSettings,
  infer(node, context, settings) {
    const { shape } = requireInput(node, context, 0, 'float32')
    return checkSizes(node, [{ dtype: 'float32', shape: sizesOf(node, context, settings, shape) }])
  },
  cost: (_node, _context, { mode }) => ({ detail: mode, multiplyAdds: 0 }),
  plan(node, planner, settings) {
    const { resizeF32 } = planner.kernels
    const [shape, wanted] = [planner.shapeOf(0), planner.outputShape(0)]
    if (shape.includes(0) && lengthOf(wanted) > 0) throw new LstmError('SHAPE', `${label(node)}: nothing can be made of ${formatShape(shape)}`)
    const scaleOf = (axis: number): number => {
      const position = resolveAxes(node, settings.axes ?? shape.map((_, n) => n), shape.length).indexOf(axis)
      return settings.scales?.[position] ?? Math.fround((wanted[axis] as number) / (shape[axis] as number))
    }
    const axes = wanted.flatMap((size, axis) => (size === shape[axis] && scaleOf(axis) === 1 ? [] : [axis]))
    if (axes.length === 0 || lengthOf(wanted) === 0) return planner.alias(0, 0)
    let from: Slot = planner.input(0)
    let current: Shape = shape
    axes.forEach((axis, n) => {
      const [size, outSize] = [current[axis] as number, wanted[axis] as number]
      const next = current.map((old, other) => (other === axis ? outSize : old))
      checkShape(next, label(node))
      const { taps, indices, weights } = tapsOf(settings, size, outSize, scaleOf(axis))
      const [indicesAt, weightsAt] = [planner.constant(indices), planner.constant(weights)]
      const [source, to] = [from, n === axes.length - 1 ? planner.output(0) : planner.workspace(lengthOf(next) * 4)]
      const call = planner.record(ResizeCall, {
        outer: lengthOf(current.slice(0, axis)), size, outSize, inner: lengthOf(current.slice(axis + 1)), taps,
      })
      planner.step(() => resizeF32(call.ptr, indicesAt.ptr, weightsAt.ptr, source.ptr, to.ptr))
      from = to
      current = next
    })
  },
}
