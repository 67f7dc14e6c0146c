// Elements that are moved: their gradients go back to where they came from, and are added where they were repeated.
import { resolveAxis } from '../ops/node/attributes.ts'
import { hasInput } from '../ops/node/checks.ts'
import { resolveAxes } from '../ops/node/lists.ts'
import { knownIntegers } from '../ops/node/sizes.ts'
import type { GraphNode } from '../ops/graph-data.ts'
import type { Shape } from '../values/shape.ts'
import { algebra } from './algebra.ts'
import { integers } from './builder.ts'
import { none, onlyGradient, refuse, same } from './elementwise.ts'
import type { GradientBuilder, GradientCall, GradientRule, GradientRules } from './rule.ts'

/** The elements of an int32 input, which are known when sizes are numbers. */
function numbersOf({ node }: GradientCall, build: GradientBuilder, position: number, what: string): readonly number[] {
  return knownIntegers(node, { value: (at) => build.valueOf(node.inputs[at] as string) }, position, what)
}

/** The first input, back in its shape. */
const reshaped: GradientRule = (call, build) => [build.reshape(onlyGradient(call), build.shapeOf(call.node.inputs[0] as string))]

const transpose: GradientRule = (call, build) => {
  const { perm } = call.node.attributes
  const rank = build.shapeOf(onlyGradient(call)).length
  const order = (perm as readonly number[] | undefined) ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis)
  return [algebra(build).transpose(onlyGradient(call), order.map((_, axis) => order.indexOf(axis)))]
}

const expand: GradientRule = (call, build) => [build.sumTo(onlyGradient(call), build.shapeOf(call.node.inputs[0] as string))]

const tile: GradientRule = (call, build) => {
  const shape = build.shapeOf(call.node.inputs[0] as string)
  const repeats = numbersOf(call, build, 1, 'repeats')
  const apart = build.reshape(onlyGradient(call), shape.flatMap((size, axis) => [repeats[axis] as number, size]))
  return [build.reshape(algebra(build).sum(apart, shape.map((_, axis) => 2 * axis)), shape)]
}

/** Zeros, with each part of the updates added to the place that an index names along an axis. */
function scatterAdd(build: GradientBuilder, updates: string, indices: string, shape: Shape, axis: number): string {
  return build.node('scatterAdd', [updates, indices], { shape, axis })
}

/** The same for indices that are known. */
function scatterTo(build: GradientBuilder, updates: string, indices: readonly number[], size: number, axis: number): string {
  const shape = build.shapeOf(updates).map((own, n) => (n === axis ? size : own))
  return scatterAdd(build, updates, build.constant(integers(...indices)), shape, axis)
}

/** Zeros around, or with negative numbers less of it. */
function padded(build: GradientBuilder, value: string, before: readonly number[], after: readonly number[]): string {
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

/** Which element of an axis stands at each place of the padded one; undefined for a number that is filled in. */
function paddedIndices(mode: string, size: number, before: number, after: number): (number | undefined)[] {
  const [first, end] = [Math.max(0, -before), size - Math.max(0, -after)]
  const kept = end - first
  return Array.from({ length: size + before + after }, (_, n) => {
    const at = n - Math.max(0, before)
    if (at >= 0 && at < kept) return first + at
    if (mode === 'edge') return first + (at < 0 ? 0 : kept - 1)
    if (mode === 'wrap') return first + (at + kept) % kept
    if (mode === 'reflect') return first + (at < 0 ? -at : 2 * (kept - 1) - at)
    return undefined
  })
}

const pad: GradientRule = (call, build) => {
  const { node, settings: mode, wanted } = call as GradientCall<string>
  const shape = build.shapeOf(node.inputs[0] as string)
  const pads = numbersOf(call, build, 1, 'pads')
  const axes = hasInput(node, 3) ? resolveAxes(node, numbersOf(call, build, 3, 'axes'), shape.length) : shape.map((_, axis) => axis)
  const [before, after] = [0, axes.length].map((begin) => shape.map((_, axis) => pads[begin + axes.indexOf(axis)] as number).map((count, axis) => (
    axes.includes(axis) ? count : 0
  ))) as [number[], number[]]
  const gradient = onlyGradient(call)
  const inside = (): string => {
    if (mode === 'constant') return padded(build, gradient, before.map((count) => -count), after.map((count) => -count))
    // What was padded last is taken back first.
    return shape.map((_, axis) => axis).reverse().reduce((value, axis) => {
      const [size, left, right] = [shape[axis] as number, before[axis] as number, after[axis] as number]
      return left === 0 && right === 0 ? value : scatterTo(build, value, paddedIndices(mode, size, left, right) as number[], size, axis)
    }, gradient)
  }
  const x = wanted[0] === true || wanted[2] === true ? inside() : ''
  // The number that is padded with has what is left of the sum.
  const fill = (): string => {
    const all = shape.map((_, axis) => axis)
    const { sub, sum } = algebra(build)
    return build.reshape(sub(sum(gradient, all), sum(x, all)), build.shapeOf(node.inputs[2] as string))
  }
  return [wanted[0] ? x : undefined, undefined, wanted[2] ? (mode === 'constant' ? fill() : undefined) : undefined, undefined]
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

const split: GradientRule = ({ node, settings, outputs }: GradientCall<number>, build) => {
  const axis = resolveAxis(node, settings, build.shapeOf(node.inputs[0] as string).length)
  const parts = outputs.map((gradient, n) => gradient ?? build.filled(0, build.shapeOf(node.outputs[n] as string)))
  return [parts.length === 1 ? parts[0] : build.node('concat', parts, { axis }), undefined]
}

/** The same node of the gradient: what is turned or cut twice. */
const again: GradientRule = (call, build) => [build.node(call.node.op, [onlyGradient(call), ...call.node.inputs.slice(1)], call.node.attributes)]

const axisOf = (node: GraphNode, axis: number, shape: Shape): number => resolveAxis(node, axis, shape.length)

const gather: GradientRule = (call, build) => {
  const { node, settings } = call as GradientCall<number>
  const shape = build.shapeOf(node.inputs[0] as string)
  return [scatterAdd(build, onlyGradient(call), node.inputs[1] as string, shape, axisOf(node, settings, shape)), undefined]
}

const lookUp: GradientRule = (call, build) => {
  const [table = '', indices = ''] = call.node.inputs
  return [scatterAdd(build, onlyGradient(call), indices, build.shapeOf(table), 0), undefined]
}

const gatherElements: GradientRule = (call, build) => {
  const { node: { inputs: [data = '', indices = ''] }, settings } = call as GradientCall<number>
  const zeros = build.filled(0, build.shapeOf(data))
  return [build.node('scatterElements', [zeros, indices, onlyGradient(call)], { axis: settings, reduction: 'add' }), undefined]
}

/** `scatterNd` knows no axes that both have: their indices are put in front of the tuples. */
const gatherNd: GradientRule = (call, build) => {
  const { node: { inputs: [data = '', given = ''] }, settings: batchDims } = call as GradientCall<number>
  const tuples = build.shapeOf(given).slice(0, -1)
  const coordinates = Array.from({ length: batchDims }, (_, axis) => {
    const numbers = build.constant(integers(...Array.from({ length: tuples[axis] as number }, (_unused, n) => n)))
    const shape = [...tuples.map((size, n) => (n === axis ? size : 1)), 1]
    return build.node('expand', [build.reshape(numbers, shape), build.constant(integers(...tuples, 1))])
  })
  const indices = batchDims === 0 ? given : build.node('concat', [...coordinates, given], { axis: tuples.length })
  return [build.node('scatterNd', [build.filled(0, build.shapeOf(data)), indices, onlyGradient(call)], { reduction: 'add' }), undefined]
}

/** `scatterElements` and `scatterNd`: what was replaced has no gradient, what was added to has it all. */
function scattering(gathering: string, attributesOf: (settings: { readonly given: number }) => Readonly<Record<string, number>>): GradientRule {
  return (call, build) => {
    const { node, settings, wanted } = call as GradientCall<{ readonly given: number }>
    const [, indices = '', updates = ''] = node.inputs
    const reduction = node.attributes.reduction ?? 'none'
    if (reduction !== 'none' && reduction !== 'add') return refuse(node, `the reduction '${String(reduction)}'`)
    const gradient = onlyGradient(call)
    const kept = (): string => (
      reduction === 'add' ? gradient : build.node(node.op, [gradient, indices, build.filled(0, build.shapeOf(updates))], node.attributes)
    )
    return [
      wanted[0] ? kept() : undefined, undefined,
      wanted[2] ? build.node(gathering, [gradient, indices], attributesOf(settings)) : undefined,
    ]
  }
}

export const MOVEMENT: GradientRules = {
  reshape: reshaped, flatten: reshaped, squeeze: reshaped, unsqueeze: reshaped, identity: same, transpose, expand, tile, slice, pad, concat, split,
  gather, gatherElements, gatherNd, lookUp, reverseSequence: again, trilu: again,
  scatterElements: scattering('gatherElements', ({ given }) => ({ axis: given })), scatterNd: scattering('gatherNd', () => ({})),
  oneHot: none, shape: none, size: none, range: none, constantOfShape: none, random: none,
}
