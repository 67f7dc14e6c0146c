import { LstmError } from '../../errors.ts'
import { formatShape, type Dimension, type SymbolicShape } from '../../values/shape.ts'
import { integerOf, resolveAxis } from '../node/attributes.ts'
import { anyInput, hasInput, label } from '../node/checks.ts'
import { freshSize, integerList, knownIntegers } from '../node/sizes.ts'
import { movement } from '../layout/movement.ts'
import { movingSizes } from '../layout/moved-sizes.ts'
import type { GraphNode, ValueType } from '../graph-data.ts'
import type { InferenceContext, Operator } from '../operator.ts'
import { JOINS_STEPS } from '../time/reasons.ts'
import { rowwise } from '../time/rules.ts'
import { along } from '../time/timing.ts'
import { stridesOf, whole, type Move } from '../layout/strides.ts'

/** The inputs of a concat, which must be alike but for the size of one axis. */
function alike(node: GraphNode, context: InferenceContext, given: number): ValueType[] {
  const parts = node.inputs.map((_, position) => anyInput(node, context, position))
  const [first] = parts
  if (first === undefined) throw new LstmError('SHAPE', `${label(node)}: expected at least one input, got none`)
  const rank = first.shape.length
  const axis = resolveAxis(node, given, rank)
  const sameSizes = (n: number): boolean => new Set(parts.map(({ shape }) => shape[n]).filter((size) => typeof size === 'number')).size <= 1
  const got = parts.map((part) => `${part.dtype} ${formatShape(part.shape)}`).join(', ')
  if (parts.some(({ dtype }) => dtype !== first.dtype)) throw new LstmError('VALUE', `${label(node)}: expected inputs of one dtype, got ${got}`)
  if (parts.some(({ shape }) => shape.length !== rank) || first.shape.some((_, n) => n !== axis && !sameSizes(n))) {
    throw new LstmError('SHAPE', `${label(node)}: expected inputs that differ along axis ${axis} only, got ${got}`)
  }
  return parts
}

/** The inputs one after the other along an axis. Inputs: any number, of one dtype. Attribute `axis` (required). */
export const concat: Operator<number> = movingSizes(movement({
  name: 'concat',
  onnx: 'Concat',
  mostInputs: Infinity,
  attributes: ['axis'],
  time(node, context, given) {
    const axis = context.timing(0)
    const joined = resolveAxis(node, given, context.outputShape(0).length)
    if (typeof axis !== 'number' || node.inputs.some((_, position) => context.timing(position) !== axis)) {
      return 'joins what has timesteps with what has none'
    }
    return joined === axis ? JOINS_STEPS : along(node, axis)
  },
  parse: (node) => integerOf(node, 'axis'),
  infer(node, context, given) {
    const parts = alike(node, context, given)
    const [{ dtype, shape }] = parts as [ValueType]
    const joined = resolveAxis(node, given, shape.length)
    const sizes = shape.map((size, axis): Dimension => {
      const along = parts.map((part) => part.shape[axis] as Dimension)
      if (axis !== joined) return along.find((one) => typeof one === 'number') ?? size
      if (along.length === 1) return size
      const numbers = along.filter((one) => typeof one === 'number')
      return numbers.length === along.length ? numbers.reduce((sum, one) => sum + one, 0) : freshSize(node, axis)
    })
    return [{ dtype, shape: sizes }]
  },
  moves(node, { shapeOf, outputShape }, given) {
    const to = stridesOf(outputShape(0))
    const axis = resolveAxis(node, given, to.length)
    let offset = 0
    return node.inputs.map((_, position): Move => {
      const shape = shapeOf(position)
      const part: Move = { source: position, output: 0, shape, from: whole(shape), to: { offset, strides: to } }
      offset += (shape[axis] as number) * (to[axis] as number)
      return part
    })
  },
}), 'all')

/** How many parts a split has: as many as the node has outputs. */
function partCount(node: GraphNode, count: number = integerOf(node, 'numOutputs', node.outputs.length)): number {
  if (count !== node.outputs.length || count < 1) {
    throw new LstmError('VALUE', `${label(node)}: expected as many parts as outputs, ${node.outputs.length}, got ${count}`)
  }
  return count
}

/** Sizes of parts as equal as can be: the last is smaller where they do not divide (ONNX). */
function equalParts(node: GraphNode, size: number, count: number): number[] {
  const each = Math.ceil(size / count)
  const parts = Array.from({ length: count }, (_, n) => Math.min(each, size - n * each))
  if (parts.some((part) => part < 0)) {
    throw new LstmError('SHAPE', `${label(node)}: expected an axis that splits into ${count} parts, got ${size} elements`)
  }
  return parts
}

function partSizes(node: GraphNode, context: InferenceContext, shape: SymbolicShape, axis: number): Dimension[] {
  const size = shape[axis] as Dimension
  const open = (count: number): Dimension[] => Array.from({ length: count }, (_, n) => freshSize(node, `${n}.${axis}`))
  if (!hasInput(node, 1)) return typeof size === 'number' ? equalParts(node, size, partCount(node)) : open(partCount(node))
  if (node.attributes.numOutputs !== undefined) {
    throw new LstmError('VALUE', `${label(node)}: expected sizes or 'numOutputs', got both`)
  }
  const { count, values } = integerList(node, context, 1, 'sizes', node.outputs.length)
  partCount(node, count)
  if (values === undefined) return open(count)
  const sum = values.reduce((total, part) => total + part, 0)
  if (values.some((part) => part < 0) || (typeof size === 'number' && sum !== size)) {
    throw new LstmError('SHAPE', `${label(node)}: expected sizes of 0 or more that add up to ${size}, got ${formatShape(values)}`)
  }
  return [...values]
}

/**
 * Parts along an axis, an output each. Inputs: input, split (int32 list of sizes, optional). Without
 * sizes the parts are equal, the last one smaller if need be. Attributes `axis` (default 0) and
 * `numOutputs` (default and only choice: as many as the node has outputs).
 */
export const split: Operator<number> = movingSizes(movement({
  name: 'split',
  onnx: 'Split',
  mostInputs: 2,
  carriesZeros: true,
  attributes: ['axis', 'numOutputs'],
  time: rowwise((_node, _shape, axis) => [axis]),
  parse: (node) => integerOf(node, 'axis', 0),
  infer(node, context, given) {
    const { dtype, shape } = anyInput(node, context, 0)
    const axis = resolveAxis(node, given, shape.length)
    return partSizes(node, context, shape, axis).map((part) => ({ dtype, shape: shape.map((size, n) => (n === axis ? part : size)) }))
  },
  moves(node, { shapeOf, value }, given) {
    const shape = shapeOf(0)
    const strides = stridesOf(shape)
    const axis = resolveAxis(node, given, shape.length)
    const sizes = hasInput(node, 1) ? knownIntegers(node, { value }, 1, 'sizes') : equalParts(node, shape[axis] as number, partCount(node))
    let offset = 0
    return sizes.map((size, output): Move => {
      const part = shape.map((one, n) => (n === axis ? size : one))
      const from = { offset, strides }
      offset += size * (strides[axis] as number)
      return { source: 0, output, shape: part, from, to: whole(part) }
    })
  },
}))
