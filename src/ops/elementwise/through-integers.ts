import { LstmError } from '../../errors.ts'
import { NdArray } from '../../values/ndarray.ts'
import { lengthOf } from '../../values/shape.ts'
import { numberOf } from '../node/attributes.ts'
import { label, requireInput } from '../node/checks.ts'
import type { GraphNode } from '../graph-data.ts'
import type { Operator } from '../operator.ts'

/** Of whole numbers. */
export interface Grid {
  readonly scale: number
  readonly zero: number
  readonly least: number
  readonly most: number
}

function gridOf(node: GraphNode): Grid {
  const scale = Math.fround(numberOf(node, 'scale', 1))
  if (!(scale >= 0 && scale < Infinity)) throw new LstmError('VALUE', `${label(node)}: expected a finite number from 0 on for 'scale', got ${scale}`)
  return { scale, zero: Math.fround(numberOf(node, 'zero', 0)), least: Math.fround(numberOf(node, 'least', 0)), most: Math.fround(numberOf(node, 'most', 255)) }
}

/** The nearest whole number, to the even one of two. */
function nearest(x: number): number {
  const whole = Math.round(x)
  return whole - x === 0.5 && whole % 2 !== 0 ? whole - 1 : whole
}

function through(x: number, { scale, zero, least, most }: Grid): number {
  const moved = Math.fround(nearest(Math.fround(x / scale)) + zero)
  const within = Number.isNaN(moved) ? NaN : Math.min(Math.max(moved, least), most)
  return Math.fround(Math.fround(within - zero) * scale)
}

/**
 * (clamp(round(x / scale) + zero, least, most) - zero) scale: what a QuantizeLinear and the DequantizeLinear after it make of an activation with one
 * scale. Input: x, float32. Attributes: `scale` (1), `zero` (0), `least` (0), `most` (255).
 */
export const throughIntegers: Operator<Grid> = {
  name: 'throughIntegers',
  mostInputs: 1,
  attributes: ['scale', 'zero', 'least', 'most'],
  time: 'pointwise',
  parse: gridOf,
  infer: (node, context) => [requireInput(node, context, 0, 'float32')],
  evaluate(_node, context, grid) {
    const x = context.value(0)
    return x === undefined ? undefined : [new NdArray(Float32Array.from(x.data, (value) => through(value, grid)), x.shape)]
  },
  cost: (node) => ({ detail: `steps of ${gridOf(node).scale}`, multiplyAdds: 0 }),
  plan(_node, planner, { scale, zero, least, most }) {
    const { throughIntegersF32 } = planner.kernels
    const [x, y] = [planner.input(0), planner.output(0)]
    const length = lengthOf(planner.shapeOf(0))
    planner.step(() => throughIntegersF32(x.ptr, y.ptr, length, scale, zero, least, most))
  },
}

/** A family of its own: models that were quantised with activations. */
export const QUANTIZED: readonly Operator[] = [throughIntegers]
