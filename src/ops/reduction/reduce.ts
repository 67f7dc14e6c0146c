// Reductions over axes, as in ONNX.
import { LstmError } from '../../errors.ts'
import { createData, type DataOf, type DType } from '../../values/dtype.ts'
import { NdArray } from '../../values/ndarray.ts'
import { formatShape, lengthOf, type Shape, type SymbolicShape } from '../../values/shape.ts'
import { integerOf, resolveAxes, resolveAxis, switchOf } from '../node/attributes.ts'
import { hasInput, label, requireInput } from '../node/checks.ts'
import { knownIntegers } from '../node/sizes.ts'
import { numericInput } from '../elementwise/arithmetic.ts'
import { FOLD_LENGTH, planBinary, positionsOf } from '../layout/broadcast.ts'
import { bindFunction } from '../elementwise/functions.ts'
import type { GraphNode, InferenceContext, Operator, Planner, Slot } from '../operator.ts'

/** A reduction by its numbers in assembly/arrays/reduce.ts. Over several groups of axes it is done group by group. */
interface Reduction {
  /** Of the first group. */
  readonly code: number
  /** Of further groups. */
  readonly next: number
  /** What becomes of the last result: nothing 0, divided by the number of elements 1, its square root 2. */
  readonly finishing: number
  /** A function of every element before, and of every result after: steps of their own. */
  readonly before?: 'abs'
  readonly after?: 'log'
}

/** The middle axis of (outer, length, inner) goes. */
interface Pass {
  readonly outer: number
  readonly length: number
  readonly inner: number
}

/** Which axes go, true or false for each. */
function reducedAxes(node: GraphNode, context: Pick<InferenceContext, 'value'>, shape: SymbolicShape): boolean[] {
  const given = hasInput(node, 1) ? knownIntegers(node, context, 1, 'axes') : []
  const isNone = switchOf(node, 'noopWithEmptyAxes')
  if (given.length === 0) return shape.map(() => !isNone)
  const axes = resolveAxes(node, given, shape.length)
  return shape.map((_, axis) => axes.includes(axis))
}

function reducedShape<Size>(shape: readonly Size[], reduced: readonly boolean[], keepdims: boolean): (Size | 1)[] {
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
    planner.step(() => reduceF32(n === 0 ? code : next, last ? finishing : 0, count, input.ptr, target.ptr, outer, length, inner))
    source = target
  })
}

const START = [0, -Infinity, Infinity, 1] as const

function combine(code: number, a: number, b: number): number {
  return code === 0 ? a + b : code === 1 ? Math.max(a, b) : code === 2 ? Math.min(a, b) : a * b
}

/** A pass in JavaScript, in the order of the kernel: four partial results. */
function evaluatePass(dtype: DType, code: number, finishing: number, count: number, data: DataOf, { outer, length, inner }: Pass): DataOf {
  const out = createData(dtype, outer * inner)
  const f = code & 3
  for (let n = 0; n < out.length; n++) {
    const begin = Math.floor(n / inner) * length * inner + n % inner
    const parts = [0, 1, 2, 3].map(() => START[f] as number)
    for (let i = 0; i < length; i++) {
      const x = data[begin + i * inner] as number
      const part = parts[i & 3] as number
      parts[i & 3] = dtype === 'int32' && f === 3 ? Math.imul(part, x) : combine(f, part, code >= 4 ? x * x : x)
    }
    const [a, b, c, d] = parts as [number, number, number, number]
    const result = dtype === 'int32' && f === 3 ? Math.imul(Math.imul(a, b), Math.imul(c, d)) : combine(f, combine(f, a, b), combine(f, c, d))
    out[n] = finishing === 1 ? result / count : finishing === 2 ? Math.sqrt(result) : result
  }
  return out
}

/**
 * Reduction of a tensor over axes. Inputs: x (float32; int32 too where `takesInt`), axes (int32, optional, known before
 * run time; none: all). Attributes: `keepdims` 1, `noopWithEmptyAxes` 0: with 1, no axes means that nothing is reduced.
 */
function reduction(name: string, of: Reduction, takesInt: boolean): Operator {
  return {
    name,
    mostInputs: 2,
    attributes: ['keepdims', 'noopWithEmptyAxes'],
    infer(node, context) {
      const { dtype, shape } = takesInt ? numericInput(node, context, 0) : requireInput(node, context, 0, 'float32')
      const reduced = reducedAxes(node, context, shape)
      return [{ dtype, shape: reducedShape(shape, reduced, switchOf(node, 'keepdims', true)) }]
    },
    cost: () => ({ detail: '', multiplyAdds: 0 }),
    evaluate(node, context) {
      const x = context.value(0)
      if (x === undefined || x.data.length > FOLD_LENGTH) return undefined
      const reduced = reducedAxes(node, context, x.shape)
      const passes = passesOf(x.shape, reduced)
      const count = passes.reduce((product, { length }) => product * length, 1)
      let data: DataOf = of.before === undefined ? x.data : x.data.map(Math.abs)
      passesOrIdentity(passes, x.shape).forEach((pass, n, { length }) => {
        data = evaluatePass(x.dtype, n === 0 ? of.code : of.next, n === length - 1 ? of.finishing : 0, count, data, pass)
      })
      if (of.after !== undefined) data = data.map(Math.log)
      return [new NdArray(data, reducedShape(x.shape, reduced, switchOf(node, 'keepdims', true)))]
    },
    plan(node, planner) {
      const shape = planner.shapeOf(0)
      const [x, y] = [planner.input(0), planner.output(0)]
      const passes = passesOrIdentity(passesOf(shape, reducedAxes(node, planner, shape)), shape)
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
        planner.step(() => reduceI32(of.code, input.ptr, target.ptr, outer, length, inner))
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
export const reduceSum: Operator = reduction('reduceSum', { code: 0, next: 0, finishing: 0 }, true)
/** The mean. float32 only, like the next two. */
export const reduceMean: Operator = reduction('reduceMean', { code: 0, next: 0, finishing: 1 }, false)
/** The square root of the sum of squares. */
export const reduceL2: Operator = reduction('reduceL2', { code: 4, next: 0, finishing: 2 }, false)
/** The sum of magnitudes. */
export const reduceL1: Operator = reduction('reduceL1', { code: 0, next: 0, finishing: 0, before: 'abs' }, false)
/** The logarithm of the sum. */
export const reduceLogSum: Operator = reduction('reduceLogSum', { code: 0, next: 0, finishing: 0, after: 'log' }, false)
/** The sum of squares. */
export const reduceSumSquare: Operator = reduction('reduceSumSquare', { code: 4, next: 0, finishing: 0 }, false)
/** The largest element. */
export const reduceMax: Operator = reduction('reduceMax', { code: 1, next: 1, finishing: 0 }, true)
/** The smallest element. */
export const reduceMin: Operator = reduction('reduceMin', { code: 2, next: 2, finishing: 0 }, true)
/** The product. */
export const reduceProd: Operator = reduction('reduceProd', { code: 3, next: 3, finishing: 0 }, true)

/** Finite: what is taken off before the exponentials, and added again after the logarithm. */
const MOST_FLOAT32 = 3.4028234663852886e38

/**
 * log(sum(e^x)): the largest element is taken off first, so that nothing overflows. Inputs and attributes as those of all
 * reductions; float32.
 */
export const reduceLogSumExp: Operator = {
  ...reduction('reduceLogSumExp', { code: 1, next: 1, finishing: 0 }, false),
  evaluate(node, context) {
    const x = context.value(0)
    if (x === undefined || x.data.length > FOLD_LENGTH) return undefined
    const reduced = reducedAxes(node, context, x.shape)
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
    return [new NdArray(out, reducedShape(x.shape, reduced, switchOf(node, 'keepdims', true)))]
  },
  plan(node, planner) {
    const { activateF32 } = planner.kernels
    const shape = planner.shapeOf(0)
    const reduced = reducedAxes(node, planner, shape)
    const kept = reducedShape(shape, reduced, true)
    const [length, outLength] = [lengthOf(shape), lengthOf(kept)]
    const [x, y] = [planner.input(0), planner.output(0)]
    const [largest, shifted] = [planner.workspace(outLength * 4), planner.workspace(length * 4)]
    const passes = passesOrIdentity(passesOf(shape, reduced), shape)
    planReduction(planner, { code: 1, next: 1, finishing: 0 }, passes, x, largest)
    const clipped = bindFunction('clipped', -MOST_FLOAT32, MOST_FLOAT32, planner.label)
    planner.step(() => activateF32(clipped.code, clipped.alpha, clipped.beta, largest.ptr, largest.ptr, outLength))
    planBinary(planner, 'sub', 'float32', { slot: x, shape }, { slot: largest, shape: kept }, { slot: shifted, shape })
    planFunction(planner, 'exp', shifted, length, shifted)
    planReduction(planner, { code: 0, next: 0, finishing: 0 }, passes, shifted, y)
    planFunction(planner, 'log', y, outLength, y)
    planBinary(planner, 'add', 'float32', { slot: y, shape: kept }, { slot: largest, shape: kept }, { slot: y, shape: kept })
  },
}

/**
 * Position of the largest or smallest element along an axis, int32. Input: x, float32 or int32. Attributes: `axis` 0,
 * `keepdims` 1, `selectLastIndex` 0: with 1, the last one of equal elements. NaN counts as infinitely far.
 */
function argument(name: string, least: boolean): Operator {
  const axisOf = (node: GraphNode, shape: SymbolicShape): number => resolveAxis(node, integerOf(node, 'axis', 0), shape.length)
  const shapeOf = <Size>(node: GraphNode, shape: readonly Size[], axis: number): (Size | 1)[] => (
    reducedShape(shape, shape.map((_, n) => n === axis), switchOf(node, 'keepdims', true))
  )
  const passOf = (shape: Shape, axis: number): Pass => (
    { outer: lengthOf(shape.slice(0, axis)), length: shape[axis] as number, inner: lengthOf(shape.slice(axis + 1)) }
  )
  return {
    name,
    mostInputs: 1,
    attributes: ['axis', 'keepdims', 'selectLastIndex'],
    infer(node, context) {
      const { shape } = numericInput(node, context, 0)
      const axis = axisOf(node, shape)
      switchOf(node, 'selectLastIndex')
      if (shape[axis] === 0) throw new LstmError('SHAPE', `${label(node)}: expected at least one element along axis ${axis}, got ${formatShape(shape)}`)
      return [{ dtype: 'int32', shape: shapeOf(node, shape, axis) }]
    },
    cost: () => ({ detail: '', multiplyAdds: 0 }),
    evaluate(node, context) {
      const x = context.value(0)
      if (x === undefined || x.data.length > FOLD_LENGTH) return undefined
      const axis = axisOf(node, x.shape)
      const last = switchOf(node, 'selectLastIndex')
      const { outer, length, inner } = passOf(x.shape, axis)
      const out = Int32Array.from({ length: outer * inner }, (_, n) => {
        const begin = Math.floor(n / inner) * length * inner + n % inner
        const sized = Array.from({ length }, (_unused, i) => {
          const element = x.data[begin + i * inner] as number
          return Number.isNaN(element) ? Infinity : least ? -element : element
        })
        const best = sized.reduce((a, b) => Math.max(a, b), -Infinity)
        return last ? sized.lastIndexOf(best) : sized.indexOf(best)
      })
      return [new NdArray(out, shapeOf(node, x.shape, axis))]
    },
    plan(node, planner) {
      const { argF32 } = planner.kernels
      const [x, y] = [planner.input(0), planner.output(0)]
      const shape = planner.shapeOf(0)
      const { outer, length, inner } = passOf(shape, axisOf(node, shape))
      const [last, isInt] = [Number(switchOf(node, 'selectLastIndex')), Number(planner.dtypeOf(0) === 'int32')]
      planner.step(() => argF32(Number(least), last, isInt, x.ptr, y.ptr, outer, length, inner))
    },
  }
}

export const argMax: Operator = argument('argMax', false)
export const argMin: Operator = argument('argMin', true)
