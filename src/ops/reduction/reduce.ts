// Reductions over axes, as in ONNX.
import { FinishingCode, ReductionCode } from '../../contract/arrays/reduce.ts'
import { createData, type DataOf, type DType } from '../../values/dtype.ts'
import { NdArray } from '../../values/ndarray.ts'
import { lengthOf, type Shape, type SymbolicShape } from '../../values/shape.ts'
import { resolveAxis, switchOf } from '../node/attributes.ts'
import { hasInput, requireInput } from '../node/checks.ts'
import { resolveAxes } from '../node/lists.ts'
import { knownIntegers } from '../node/sizes.ts'
import { numericInput } from '../elementwise/arithmetic.ts'
import { FOLD_LENGTH, planBinary, positionsOf } from '../layout/broadcast.ts'
import { bindFunction } from '../elementwise/functions.ts'
import type { GraphNode } from '../graph-data.ts'
import type { InferenceContext, Operator, Planner, Slot } from '../operator.ts'
import { SUMS_STEPS } from '../time/reasons.ts'
import { along, timeAxis, type TimeRule } from '../time/timing.ts'

type ReductionName = keyof typeof ReductionCode
type Finishing = keyof typeof FinishingCode

/** A reduction as the kernel has it. Over several groups of axes it is done group by group. */
interface Reduction {
  /** Of the first group. */
  readonly code: ReductionName
  /** Of further groups. */
  readonly next: ReductionName
  /** What becomes of the last result. */
  readonly finishing: Finishing
  /** A function of every element before, and of every result after: steps of their own. */
  readonly before?: 'abs'
  readonly after?: 'log'
}

/** The middle axis of (outer, length, inner) goes. */
export interface Pass {
  readonly outer: number
  readonly length: number
  readonly inner: number
}

interface ReductionSettings {
  readonly keepdims: boolean
  /** No axes mean none, not all. */
  readonly noop: boolean
}

function readReduction(node: GraphNode): ReductionSettings {
  return { keepdims: switchOf(node, 'keepdims', true), noop: switchOf(node, 'noopWithEmptyAxes') }
}

/** Which axes go, true or false for each. */
function reducedAxes(node: GraphNode, context: Pick<InferenceContext, 'value'>, { noop }: ReductionSettings, shape: SymbolicShape): boolean[] {
  const given = hasInput(node, 1) ? knownIntegers(node, context, 1, 'axes') : []
  if (given.length === 0) return shape.map(() => !noop)
  const axes = resolveAxes(node, given, shape.length)
  return shape.map((_, axis) => axes.includes(axis))
}

export function reducedShape<Size>(shape: readonly Size[], reduced: readonly boolean[], keepdims: boolean): (Size | 1)[] {
  return keepdims ? shape.map((size, axis) => (reduced[axis] ? 1 : size)) : shape.filter((_, axis) => !reduced[axis])
}

/** Neighbouring axes that go together are one pass; the last group goes first. */
export function passesOf(shape: Shape, reduced: readonly boolean[]): Pass[] {
  const passes: Pass[] = []
  const left = [...shape]
  for (let end = shape.length; end > 0; end--) {
    if (!reduced[end - 1]) continue
    let begin = end - 1
    while (begin > 0 && reduced[begin - 1]) begin--
    const length = lengthOf(left.slice(begin, end))
    passes.push({ outer: lengthOf(left.slice(0, begin)), length, inner: lengthOf(left.slice(end)) })
    left.fill(1, begin, end)
    end = begin + 1
  }
  return passes
}

/** Plans the passes of a float32 reduction. */
export function planReduction(planner: Planner, { code, next, finishing }: Reduction, passes: readonly Pass[], from: Slot, to: Slot): void {
  const { reduceF32 } = planner.kernels
  const count = passes.reduce((product, { length }) => product * length, 1)
  let source = from
  passes.forEach(({ outer, length, inner }, n) => {
    const last = n === passes.length - 1
    const input = source
    const target = last ? to : planner.workspace(outer * inner * 4)
    const [f, end] = [ReductionCode[n === 0 ? code : next], FinishingCode[last ? finishing : 'none']]
    planner.step(() => reduceF32(f, end, count, input.ptr, target.ptr, outer, length, inner))
    source = target
  })
}

const START: Readonly<Record<ReductionName, number>> = { sum: 0, max: -Infinity, min: Infinity, product: 1, sumOfSquares: 0 }

function combine(code: ReductionName, a: number, b: number): number {
  switch (code) {
    case 'max': return Math.max(a, b)
    case 'min': return Math.min(a, b)
    case 'product': return a * b
    default: return a + b
  }
}

/** A pass in JavaScript, in the order of the kernel: four partial results. */
function evaluatePass(dtype: DType, code: ReductionName, finishing: Finishing, count: number, data: DataOf, { outer, length, inner }: Pass): DataOf {
  const out = createData(dtype, outer * inner)
  const isProduct = dtype === 'int32' && code === 'product'
  for (let n = 0; n < out.length; n++) {
    const begin = Math.floor(n / inner) * length * inner + n % inner
    const parts = [0, 1, 2, 3].map(() => START[code])
    for (let i = 0; i < length; i++) {
      const x = data[begin + i * inner] as number
      const part = parts[i & 3] as number
      parts[i & 3] = isProduct ? Math.imul(part, x) : combine(code, part, code === 'sumOfSquares' ? x * x : x)
    }
    const [a, b, c, d] = parts as [number, number, number, number]
    const result = isProduct ? Math.imul(Math.imul(a, b), Math.imul(c, d)) : combine(code, combine(code, a, b), combine(code, c, d))
    out[n] = finishing === 'divided' ? result / count : finishing === 'root' ? Math.sqrt(result) : result
  }
  return out
}

/** Other axes than that of the timesteps may go. */
const reducing: TimeRule<ReductionSettings> = (node, context, { keepdims, noop }) => {
  const axis = timeAxis(context)
  const rank = context.shape(0)?.length as number
  const given = context.shape(1) === undefined ? [] : context.numbers(1)
  const axes = given?.length === 0 && !noop ? [...Array(rank).keys()] : given?.map((one) => resolveAxis(node, one, rank))
  if (axis === undefined || axes === undefined || axes.includes(axis)) return SUMS_STEPS
  return along(node, keepdims ? axis : axis - axes.filter((one) => one < axis).length)
}

/**
 * Reduction of a tensor over axes. Inputs: x (float32; int32 too where `takesInt`), axes (int32, optional, known before
 * run time; none: all). Attributes: `keepdims` 1, `noopWithEmptyAxes` 0: with 1, no axes means that nothing is reduced.
 */
function reduction(name: string, onnx: string, of: Reduction, takesInt: boolean): Operator<ReductionSettings> {
  return {
    name,
    onnx,
    mostInputs: 2,
    attributes: ['keepdims', 'noopWithEmptyAxes'],
    time: reducing,
    parse: readReduction,
    infer(node, context, settings) {
      const { dtype, shape } = takesInt ? numericInput(node, context, 0) : requireInput(node, context, 0, 'float32')
      const reduced = reducedAxes(node, context, settings, shape)
      return [{ dtype, shape: reducedShape(shape, reduced, settings.keepdims) }]
    },
    cost: () => ({ detail: '', multiplyAdds: 0 }),
    evaluate(node, context, settings) {
      const x = context.value(0)
      if (x === undefined || x.data.length > FOLD_LENGTH) return undefined
      const reduced = reducedAxes(node, context, settings, x.shape)
      const passes = passesOf(x.shape, reduced)
      const count = passes.reduce((product, { length }) => product * length, 1)
      let data: DataOf = of.before === undefined ? x.data : x.data.map(Math.abs)
      passesOrIdentity(passes, x.shape).forEach((pass, n, { length }) => {
        data = evaluatePass(x.dtype, n === 0 ? of.code : of.next, n === length - 1 ? of.finishing : 'none', count, data, pass)
      })
      if (of.after !== undefined) data = data.map(Math.log)
      return [new NdArray(data, reducedShape(x.shape, reduced, settings.keepdims))]
    },
    plan(node, planner, settings) {
      const shape = planner.shapeOf(0)
      const [x, y] = [planner.input(0), planner.output(0)]
      const passes = passesOrIdentity(passesOf(shape, reducedAxes(node, planner, settings, shape)), shape)
      if (planner.dtypeOf(0) === 'float32') {
        planReduction(planner, of, passes, of.before === undefined ? x : planFunction(planner, of.before, x, lengthOf(shape)), y)
        if (of.after !== undefined) planFunction(planner, of.after, y, lengthOf(planner.outputShape(0)), y)
        return
      }
      const { reduceI32 } = planner.kernels
      let source = x
      passes.forEach(({ outer, length, inner }, n) => {
        const input = source
        const target = n === passes.length - 1 ? y : planner.workspace(outer * inner * 4)
        planner.step(() => reduceI32(ReductionCode[of.code], input.ptr, target.ptr, outer, length, inner))
        source = target
      })
    },
  }
}

/** Reducing nothing is a pass of length 1: squares and roots are taken all the same. */
function passesOrIdentity(passes: readonly Pass[], shape: Shape): readonly Pass[] {
  return passes.length > 0 ? passes : [{ outer: lengthOf(shape), length: 1, inner: 1 }]
}

/** Appends a function of every element, into a workspace unless told otherwise. */
function planFunction(planner: Planner, name: string, from: Slot, length: number, to: Slot = planner.workspace(length * 4)): Slot {
  const { activateF32 } = planner.kernels
  const { code, alpha, beta } = bindFunction(name, undefined, undefined, planner.label)
  planner.step(() => activateF32(code, alpha, beta, from.ptr, to.ptr, length))
  return to
}

/** The sum. */
export const reduceSum: Operator<ReductionSettings> = reduction('reduceSum', 'ReduceSum', { code: 'sum', next: 'sum', finishing: 'none' }, true)
/** The mean. float32 only, like the next two. */
export const reduceMean: Operator<ReductionSettings> = reduction('reduceMean', 'ReduceMean', { code: 'sum', next: 'sum', finishing: 'divided' }, false)
/** The square root of the sum of squares. */
export const reduceL2: Operator<ReductionSettings> = reduction('reduceL2', 'ReduceL2', { code: 'sumOfSquares', next: 'sum', finishing: 'root' }, false)
/** The sum of magnitudes. */
export const reduceL1: Operator<ReductionSettings> = reduction('reduceL1', 'ReduceL1', { code: 'sum', next: 'sum', finishing: 'none', before: 'abs' }, false)
/** The logarithm of the sum. */
export const reduceLogSum: Operator<ReductionSettings> = reduction('reduceLogSum', 'ReduceLogSum', { code: 'sum', next: 'sum', finishing: 'none', after: 'log' }, false)
/** The sum of squares. */
export const reduceSumSquare: Operator<ReductionSettings> = reduction('reduceSumSquare', 'ReduceSumSquare', { code: 'sumOfSquares', next: 'sum', finishing: 'none' }, false)
/** The largest element. */
export const reduceMax: Operator<ReductionSettings> = reduction('reduceMax', 'ReduceMax', { code: 'max', next: 'max', finishing: 'none' }, true)
/** The smallest element. */
export const reduceMin: Operator<ReductionSettings> = reduction('reduceMin', 'ReduceMin', { code: 'min', next: 'min', finishing: 'none' }, true)
/** The product. */
export const reduceProd: Operator<ReductionSettings> = reduction('reduceProd', 'ReduceProd', { code: 'product', next: 'product', finishing: 'none' }, true)

/** Finite: what is taken off before the exponentials, and added again after the logarithm. */
const MOST_FLOAT32 = 3.4028234663852886e38

/**
 * log(sum(e^x)): the largest element is taken off first, so that nothing overflows. Inputs and attributes as those of all
 * reductions; float32.
 */
export const reduceLogSumExp: Operator<ReductionSettings> = {
  ...reduction('reduceLogSumExp', 'ReduceLogSumExp', { code: 'max', next: 'max', finishing: 'none' }, false),
  evaluate(node, context, settings) {
    const x = context.value(0)
    if (x === undefined || x.data.length > FOLD_LENGTH) return undefined
    const reduced = reducedAxes(node, context, settings, x.shape)
    const places = positionsOf(reducedShape(x.shape, reduced, true), x.shape)
    const out = new Float32Array(lengthOf(reducedShape(x.shape, reduced, true)))
    const largest = new Float64Array(out.length).fill(-MOST_FLOAT32)
    const sums = new Float64Array(out.length)
    x.data.forEach((element, n) => {
      const at = places[n] as number
      largest[at] = Math.min(MOST_FLOAT32, Math.max(largest[at] as number, element))
    })
    x.data.forEach((element, n) => {
      const at = places[n] as number
      sums[at] = (sums[at] as number) + Math.exp(element - (largest[at] as number))
    })
    out.forEach((_, n) => (out[n] = Math.log(sums[n] as number) + (largest[n] as number)))
    return [new NdArray(out, reducedShape(x.shape, reduced, settings.keepdims))]
  },
  plan(node, planner, settings) {
    const { activateF32 } = planner.kernels
    const shape = planner.shapeOf(0)
    const reduced = reducedAxes(node, planner, settings, shape)
    const kept = reducedShape(shape, reduced, true)
    const [length, outLength] = [lengthOf(shape), lengthOf(kept)]
    const [x, y] = [planner.input(0), planner.output(0)]
    const [largest, shifted] = [planner.workspace(outLength * 4), planner.workspace(length * 4)]
    const passes = passesOrIdentity(passesOf(shape, reduced), shape)
    planReduction(planner, { code: 'max', next: 'max', finishing: 'none' }, passes, x, largest)
    const clipped = bindFunction('clipped', -MOST_FLOAT32, MOST_FLOAT32, planner.label)
    planner.step(() => activateF32(clipped.code, clipped.alpha, clipped.beta, largest.ptr, largest.ptr, outLength))
    planBinary(planner, 'sub', 'float32', { slot: x, shape }, { slot: largest, shape: kept }, { slot: shifted, shape })
    planFunction(planner, 'exp', shifted, length, shifted)
    planReduction(planner, { code: 'sum', next: 'sum', finishing: 'none' }, passes, shifted, y)
    planFunction(planner, 'log', y, outLength, y)
    planBinary(planner, 'add', 'float32', { slot: y, shape: kept }, { slot: largest, shape: kept }, { slot: y, shape: kept })
  },
}
