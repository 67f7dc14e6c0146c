// Elements that are moved: their gradients go back to where they came from, and are added where they were repeated.
import { resolveAxis } from '../../ops/node/attributes.ts'
import { hasInput } from '../../ops/node/checks.ts'
import { resolveAxes } from '../../ops/node/lists.ts'
import { knownIntegers } from '../../ops/node/sizes.ts'
import type { Shape } from '../../values/shape.ts'
import { integers } from '../builder.ts'
import type { GradientBuilder, GradientCall, GradientRule, GradientRules } from '../rule.ts'
import { onlyGradient } from './elementwise.ts'

/** The elements of an int32 input, which are known when sizes are numbers. */
export function numbersOf({ node }: GradientCall, build: GradientBuilder, position: number, what: string): readonly number[] {
  return knownIntegers(node, { value: (at) => build.valueOf(node.inputs[at] as string) }, position, what)
}

/** The gradient of what stays as it is. */
const same: GradientRule = (call) => [onlyGradient(call)]

/** The first input, back in its shape. */
const reshaped: GradientRule = (call, build) => [build.reshape(onlyGradient(call), build.shapeOf(call.node.inputs[0] as string))]

/** Zeros, with each part of the updates added to the place that an index names along an axis. */
export function scatterAdd(build: GradientBuilder, updates: string, indices: string, shape: Shape, axis: number): string {
  return build.node('scatterAdd', [updates, indices], { shape, axis })
}

/** The same for indices that are known. */
export function scatterTo(build: GradientBuilder, updates: string, indices: readonly number[], size: number, axis: number): string {
  const shape = build.shapeOf(updates).map((own, n) => (n === axis ? size : own))
  return scatterAdd(build, updates, build.constant(integers(...indices)), shape, axis)
}

/** Zeros around, or with negative numbers less of it. */
export function padded(build: GradientBuilder, value: string, before: readonly number[], after: readonly number[]): string {
  return [...before, ...after].every((count) => count === 0) ? value : build.node('pad', [value, build.constant(integers(...before, ...after))])
}

/** Elements of an axis, from 0 to the size, that a slice takes. */
function slicedIndices(size: number, start: number, end: number, step: number): number[] {
  const last = step > 0 ? size : size - 1
  const clamp = (bound: number, lowest: number): number => Math.max(lowest, Math.min(last, bound < 0 ? bound + size : bound))
  const first = clamp(start, 0)
  const stop = clamp(end, step > 0 ? 0 : -1)
  return Array.from({ length: Math.max(0, Math.ceil((stop - first) / step)) }, (_, n) => first + n * step)
}

const slice: GradientRule = (call, build) => {
  const { node } = call
  const shape = build.shapeOf(node.inputs[0] as string)
  const [starts, ends] = [numbersOf(call, build, 1, 'starts'), numbersOf(call, build, 2, 'ends')]
  const axes = hasInput(node, 3) ? resolveAxes(node, numbersOf(call, build, 3, 'axes'), shape.length) : starts.map((_, n) => n)
  const steps = hasInput(node, 4) ? numbersOf(call, build, 4, 'steps') : starts.map(() => 1)
  const before = shape.map(() => 0)
  const after = shape.map(() => 0)
  let gradient = onlyGradient(call)
  axes.forEach((axis, n) => {
    const size = shape[axis] as number
    const indices = slicedIndices(size, starts[n] as number, ends[n] as number, steps[n] as number)
    if (steps[n] === 1 && indices.length > 0) {
      before[axis] = indices[0] as number
      after[axis] = size - 1 - (indices.at(-1) as number)
    } else {
      gradient = scatterTo(build, gradient, indices, size, axis)
    }
  })
  return [padded(build, gradient, before, after)]
}

/** Parts of a value along an axis, of these sizes. */
function partsOf(build: GradientBuilder, value: string, axis: number, sizes: readonly number[]): string[] {
  if (sizes.length === 1) return [value]
  return build.nodes('split', [value, build.constant(integers(...sizes))], { axis }, sizes.length)
}

const concat: GradientRule = (call, build) => {
  const { node, settings, wanted } = call as GradientCall<number>
  const shapes = node.inputs.map((name) => build.shapeOf(name))
  const axis = resolveAxis(node, settings, shapes[0]?.length as number)
  const parts = partsOf(build, onlyGradient(call), axis, shapes.map((shape) => shape[axis] as number))
  return parts.map((part, position) => (wanted[position] === true ? part : undefined))
}

export const MOVEMENT: GradientRules = {
  reshape: reshaped, flatten: reshaped, squeeze: reshaped, unsqueeze: reshaped, identity: same, concat, slice,
}
