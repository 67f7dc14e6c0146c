// Elements that are moved in other ways than in usual/movement.ts.
import { resolveAxis } from '../../ops/node/attributes.ts'
import { hasInput } from '../../ops/node/checks.ts'
import { resolveAxes } from '../../ops/node/lists.ts'
import type { GraphNode } from '../../ops/graph-data.ts'
import type { Shape } from '../../values/shape.ts'
import { algebra } from '../algebra.ts'
import { integers } from '../builder.ts'
import type { GradientCall, GradientRule, GradientRules } from '../rule.ts'
import { onlyGradient } from '../usual/elementwise.ts'
import { numbersOf, padded, scatterAdd, scatterTo } from '../usual/movement.ts'
import { none, refuse } from './arithmetic.ts'

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

export const MOVES: GradientRules = {
  transpose, expand, tile, pad, split, gather, gatherElements, gatherNd, reverseSequence: again, trilu: again,
  scatterElements: scattering('gatherElements', ({ given }) => ({ axis: given })), scatterNd: scattering('gatherNd', () => ({})),
  oneHot: none, shape: none, size: none, range: none, constantOfShape: none, random: none,
}
