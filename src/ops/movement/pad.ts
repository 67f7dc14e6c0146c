import { LstmError } from '../../errors.ts'
import { NdArray } from '../../values/ndarray.ts'
import { formatShape, lengthOf, type Dimension, type Shape } from '../../values/shape.ts'
import { wordOf } from '../node/attributes.ts'
import { anyInput, hasInput, label } from '../node/checks.ts'
import { resolveAxes } from '../node/lists.ts'
import { freshSize, integerList, knownIntegers, type IntegerList } from '../node/sizes.ts'
import { movement } from '../layout/movement.ts'
import type { GraphNode } from '../graph-data.ts'
import type { InferenceContext, Operator } from '../operator.ts'
import { along, timeAxis, type TimeRule } from '../time/timing.ts'
import { stridesOf, whole, type Move } from '../layout/strides.ts'

const MODES = ['constant', 'reflect', 'edge', 'wrap'] as const
type Mode = typeof MODES[number]

/** How many elements are added before and after an axis; negative ones are taken away. */
interface Pad {
  readonly before: number
  readonly after: number
}

/** Pads of all axes; undefined where they are known only at run time. */
function padsOf(node: GraphNode, rank: number, list: (position: number, what: string) => IntegerList): (Pad | undefined)[] {
  const pads = list(1, 'pads')
  const axes = hasInput(node, 3) ? list(3, 'axes') : undefined
  const count = axes?.count ?? rank
  if (pads.count !== 2 * count) throw new LstmError('SHAPE', `${label(node)}: expected ${2 * count} pads, got ${pads.count}`)
  if (pads.values === undefined || (axes !== undefined && axes.values === undefined)) return Array.from({ length: rank }, () => undefined)
  const resolved = resolveAxes(node, axes?.values ?? Array.from({ length: rank }, (_, axis) => axis), rank)
  return Array.from({ length: rank }, (_, axis) => {
    const position = resolved.indexOf(axis)
    return position < 0 ? { before: 0, after: 0 } : { before: pads.values?.[position] as number, after: pads.values?.[count + position] as number }
  })
}

/** Elements of an axis that stay. */
function keptSize(size: number, { before, after }: Pad): number {
  return size + Math.min(before, 0) + Math.min(after, 0)
}

function paddedSize(node: GraphNode, mode: Mode, axis: number, size: Dimension, pad: Pad | undefined): Dimension {
  if (pad === undefined) return freshSize(node, axis)
  const { before, after } = pad
  if (typeof size === 'string') return before + after === 0 ? size : freshSize(node, axis)
  const kept = keptSize(size, pad)
  const most = mode === 'constant' ? Infinity : mode === 'reflect' ? kept - 1 : mode === 'wrap' ? kept : kept > 0 ? Infinity : 0
  if (kept < 0 || Math.max(before, after, 0) > Math.max(most, 0)) {
    const allowed = kept < 0 ? 'pads that take away no more than there is' : `pads of at most ${Math.max(most, 0)} with mode '${mode}'`
    throw new LstmError('SHAPE', `${label(node)}: expected ${allowed}, got ${before} and ${after} for axis ${axis} of ${size} elements`)
  }
  return size + before + after
}

function checkValue(node: GraphNode, context: InferenceContext, dtype: string): void {
  if (!hasInput(node, 2)) return
  const value = anyInput(node, context, 2)
  const single = value.shape.length <= 1 && value.shape.every((size) => size === 1)
  if (value.dtype !== dtype || !single) {
    throw new LstmError('VALUE', `${label(node)}: expected one ${dtype} value to pad with, got ${value.dtype} ${formatShape(value.shape)}`)
  }
}

/** Fills the pads of one axis from what the output holds already: all of the axes before, the middle of those after. */
function fillAxis(mode: Exclude<Mode, 'constant'>, axis: number, middle: readonly { readonly begin: number, readonly size: number }[], output: Shape): Move[] {
  const strides = stridesOf(output)
  const { begin, size } = middle[axis] as { begin: number, size: number }
  const end = begin + size
  const after = (output[axis] as number) - end
  const step = { reflect: -1, edge: 0, wrap: 1 }[mode]
  const copy = (count: number, to: number, from: number): Move => {
    const other = (at: number): number => strides.reduce((offset, stride, n) => (
      offset + stride * (n === axis ? at : n < axis ? 0 : (middle[n] as { begin: number }).begin)
    ), 0)
    const shape = output.map((total, n) => (n === axis ? count : n < axis ? total : (middle[n] as { size: number }).size))
    const read = strides.map((stride, n) => (n === axis ? stride * step : stride))
    return { source: 'output', output: 0, shape, from: { offset: other(from), strides: read }, to: { offset: other(to), strides } }
  }
  const moves: Move[] = []
  if (begin > 0) moves.push(copy(begin, 0, { reflect: 2 * begin, edge: begin, wrap: size }[mode]))
  if (after > 0) moves.push(copy(after, end, { reflect: end - 2, edge: end - 1, wrap: begin }[mode]))
  return moves
}

/** Zeros in front of the first step are what a convolution behind it remembers at first. */
const padding: TimeRule<Mode> = (node, context, mode) => {
  const axis = timeAxis(context) as number
  const rank = context.outputShape(0).length
  const pads = context.numbers(1)
  if (pads === undefined || context.shape(3) !== undefined) return 'pads by sizes that are not known'
  const [before, after] = [pads[axis] as number, pads[rank + axis] as number]
  if (before === 0 && after === 0) return along(node, axis)
  const value = context.shape(2) === undefined ? 0 : context.numbers(2)?.[0]
  if (after !== 0 || before < 0 || value !== 0 || mode !== 'constant') return 'pads the sequence with other things than zeros in front'
  const name = freshSize(node, 'pads')
  const data = Int32Array.from(pads, (pad, n) => (n === axis ? 0 : pad))
  return {
    ...along(node, axis), lead: before, instead: { ...node, inputs: [node.inputs[0] as string, name, ...node.inputs.slice(2)] },
    constant: [name, new NdArray(data, [data.length])],
  }
}

/**
 * Elements added around, or with negative pads taken away. Inputs: data, pads (int32 list: all begins,
 * then all ends), value (one element, optional, default 0), axes (int32 list, optional, default all).
 * Attribute `mode`: `constant` (default); `reflect`, mirrored without the last element; `edge`, the last
 * element repeated; `wrap`, from the other end. What is taken away is gone before the rest is mirrored.
 * @throws LstmError `SHAPE` for more pads than there is to mirror (`reflect`) or to wrap
 */
export const pad: Operator<Mode> = movement({
  name: 'pad',
  onnx: 'Pad',
  mostInputs: 4,
  attributes: ['mode'],
  time: padding,
  parse: (node) => wordOf(node, 'mode', MODES),
  infer(node, context, mode) {
    const { dtype, shape } = anyInput(node, context, 0)
    checkValue(node, context, dtype)
    const pads = padsOf(node, shape.length, (position, what) => integerList(node, context, position, what))
    return [{ dtype, shape: shape.map((size, axis) => paddedSize(node, mode, axis, size, pads[axis])) }]
  },
  moves(node, { shapeOf, outputShape, value }, mode) {
    const [input, output] = [shapeOf(0), outputShape(0)]
    const pads = padsOf(node, input.length, (position, what) => {
      const values = knownIntegers(node, { value }, position, what)
      return { count: values.length, values, sizes: values }
    }) as Pad[]
    const middle = pads.map((one, axis) => ({ begin: Math.max(one.before, 0), size: keptSize(input[axis] as number, one) }))
    const offset = (strides: readonly number[], at: (axis: number) => number): number => (
      strides.reduce((sum, stride, axis) => sum + stride * at(axis), 0)
    )
    const [read, write] = [stridesOf(input), stridesOf(output)]
    const keep: Move = {
      source: 0,
      output: 0,
      shape: middle.map(({ size }) => size),
      from: { offset: offset(read, (axis) => Math.max(-(pads[axis] as Pad).before, 0)), strides: read },
      to: { offset: offset(write, (axis) => (middle[axis] as { begin: number }).begin), strides: write },
    }
    if (lengthOf(keep.shape) === lengthOf(output)) return [keep]
    if (mode !== 'constant') return [keep, ...output.flatMap((_, axis) => fillAxis(mode, axis, middle, output))]
    const everywhere = { offset: 0, strides: output.map(() => 0) }
    return [{ source: hasInput(node, 2) ? 2 : { fill: 0 }, output: 0, shape: output, from: everywhere, to: whole(output) }, keep]
  },
})
