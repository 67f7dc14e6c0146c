import { LstmError } from '../../errors.ts'
import { NdArray } from '../../values/ndarray.ts'
import { formatShape, lengthOf, type Shape } from '../../values/shape.ts'
import { numericInput } from '../elementwise/arithmetic.ts'
import { FOLD_LENGTH } from '../layout/broadcast.ts'
import { integerOf, resolveAxis, switchOf } from '../node/attributes.ts'
import { label } from '../node/checks.ts'
import type { GraphNode } from '../graph-data.ts'
import type { Operator } from '../operator.ts'
import { LOOKS_FOR_STEPS } from '../time/reasons.ts'
import { along, timeAxis } from '../time/timing.ts'
import { reducedShape, type Pass } from './reduce.ts'

interface ArgumentSettings {
  /** The axis as it is written: it may count from the end. */
  readonly given: number
  readonly keepdims: boolean
  readonly last: boolean
}

function readArgument(node: GraphNode): ArgumentSettings {
  return { given: integerOf(node, 'axis', 0), keepdims: switchOf(node, 'keepdims', true), last: switchOf(node, 'selectLastIndex') }
}

/**
 * Position of the largest or smallest element along an axis, int32. Input: x, float32 or int32. Attributes: `axis` 0,
 * `keepdims` 1, `selectLastIndex` 0: with 1, the last one of equal elements. NaN counts as infinitely far.
 */
function argument(name: string, onnx: string, least: boolean): Operator<ArgumentSettings> {
  const shapeOf = <Size>({ keepdims }: ArgumentSettings, shape: readonly Size[], axis: number): (Size | 1)[] => (
    reducedShape(shape, shape.map((_, n) => n === axis), keepdims)
  )
  const passOf = (shape: Shape, axis: number): Pass => (
    { outer: lengthOf(shape.slice(0, axis)), length: shape[axis] as number, inner: lengthOf(shape.slice(axis + 1)) }
  )
  return {
    name,
    onnx,
    mostInputs: 1,
    attributes: ['axis', 'keepdims', 'selectLastIndex'],
    time(node, context, { given, keepdims }) {
      const axis = timeAxis(context) as number
      const along0 = resolveAxis(node, given, context.shape(0)?.length as number)
      if (along0 === axis) return LOOKS_FOR_STEPS
      return along(node, keepdims || along0 > axis ? axis : axis - 1)
    },
    parse: readArgument,
    infer(node, context, settings) {
      const { shape } = numericInput(node, context, 0)
      const axis = resolveAxis(node, settings.given, shape.length)
      if (shape[axis] === 0) throw new LstmError('SHAPE', `${label(node)}: expected at least one element along axis ${axis}, got ${formatShape(shape)}`)
      return [{ dtype: 'int32', shape: shapeOf(settings, shape, axis) }]
    },
    cost: () => ({ detail: '', multiplyAdds: 0 }),
    evaluate(node, context, settings) {
      const x = context.value(0)
      if (x === undefined || x.data.length > FOLD_LENGTH) return undefined
      const axis = resolveAxis(node, settings.given, x.shape.length)
      const { outer, length, inner } = passOf(x.shape, axis)
      const out = Int32Array.from({ length: outer * inner }, (_, n) => {
        const begin = Math.floor(n / inner) * length * inner + n % inner
        const sized = Array.from({ length }, (_unused, i) => {
          const element = x.data[begin + i * inner] as number
          return Number.isNaN(element) ? Infinity : least ? -element : element
        })
        const best = sized.reduce((a, b) => Math.max(a, b), -Infinity)
        return settings.last ? sized.lastIndexOf(best) : sized.indexOf(best)
      })
      return [new NdArray(out, shapeOf(settings, x.shape, axis))]
    },
    plan(node, planner, { given, last }) {
      const { argF32 } = planner.kernels
      const [x, y] = [planner.input(0), planner.output(0)]
      const shape = planner.shapeOf(0)
      const { outer, length, inner } = passOf(shape, resolveAxis(node, given, shape.length))
      const isInt = Number(planner.dtypeOf(0) === 'int32')
      planner.step(() => argF32(Number(least), Number(last), isInt, x.ptr, y.ptr, outer, length, inner))
    },
  }
}

export const argMax: Operator<ArgumentSettings> = argument('argMax', 'ArgMax', false)
export const argMin: Operator<ArgumentSettings> = argument('argMin', 'ArgMin', true)
