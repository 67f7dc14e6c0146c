// Products of whole numbers, exact: float32 has every whole number up to 2^24, so that sums which never leave that range are exact in any order.
import { Int8Weights } from '../../../ops/products/narrow-weights.ts'
import { NdArray, type ArrayLike } from '../../../values/ndarray.ts'
import { lengthOf } from '../../../values/shape.ts'
import { malformed } from '../../protobuf/wire.ts'
import type { Conversion } from '../conversion.ts'
import { known, type Positions } from './integers.ts'
import { asNumbers } from './linear.ts'

const EXACT = 2 ** 24

/** Whole numbers as float32, none of them farther from 0 than `most`. */
export interface Whole {
  readonly value: string
  readonly most: number
}

/** Integers of 8 bits less their zero point, which is one for all of them. */
export function centredInput(c: Conversion, tensor: number, zero: number): Whole {
  const x = c.input(tensor)
  const { dtype } = c.type(x)
  if (dtype === 'float32') throw malformed(`${c.label}: expected integers, got float32`)
  const numbers = asNumbers(c, x)
  const [least, most] = dtype === 'uint8' ? [0, 255] : [-128, 127]
  if (!c.has(zero)) return { value: numbers, most: 255 }
  const point = c.value(zero)
  const given = c.input(zero)
  if (lengthOf(c.type(given).shape.map((size) => (typeof size === 'number' ? size : 2))) !== 1) throw c.unsupported('a zero point for each row')
  if (point === undefined) {
    const number = c.emit('reshape', [c.emit('cast', [given], { to: 'float32' }), c.integers('none', [])])
    return { value: c.emit('sub', [numbers, number]), most: 255 }
  }
  const at = point.data[0] as number
  return { value: at === 0 ? numbers : c.emit('sub', [numbers, c.scalar('zero point', at)]), most: Math.max(Math.abs(least - at), Math.abs(most - at)) }
}

/** A constant weight less its zero points, as matrices: of each output the sizes of what multiplies each input. */
export interface WholeWeight {
  readonly data: Int16Array
  readonly shape: readonly number[]
  /** Axes: that of the outputs, and that which may be cut into parts. */
  readonly outputs: number
  readonly inputs: number
}

/** @param outputs the axis of outputs, along which there may be several zero points */
export function centredWeight(c: Conversion, { tensor, zero }: Pick<Positions, 'tensor' | 'zero'>, outputs: number, inputs: number): WholeWeight {
  const { data, shape, dtype } = known(c, tensor, 'its weight')
  if (dtype === 'float32') throw malformed(`${c.label}: expected integers for its weight, got float32`)
  const zeros = c.has(zero) ? known(c, zero, 'zero points of its weight').data : Int32Array.of(0)
  const count = shape[outputs]
  if (count === undefined || shape[inputs] === undefined) throw malformed(`${c.label}: expected more axes for its weight, got ${shape.length}`)
  if (zeros.length !== 1 && zeros.length !== count) throw malformed(`${c.label}: expected one zero point or ${count} for its weight, got ${zeros.length}`)
  c.importer.spend(2 * data.length, data.length)
  const inner = lengthOf(shape.slice(outputs + 1))
  const zeroOf = zeros.length === 1 ? () => 0 : (n: number) => Math.floor(n / inner) % count
  const centred = Int16Array.from(data, (value, n) => value - (zeros[zeroOf(n)] as number))
  return { data: centred, shape, outputs, inputs }
}

/** Parts of a weight along its inputs, each as large as sums of what it multiplies stay exact. */
function exactParts(c: Conversion, { data, shape, outputs, inputs }: WholeWeight, most: number): { readonly begin: number, readonly end: number }[] {
  const [columns, length] = [shape[outputs] as number, shape[inputs] as number]
  const [columnInner, rowInner] = [lengthOf(shape.slice(outputs + 1)), lengthOf(shape.slice(inputs + 1))]
  /** Of each input and output, the sum of sizes. */
  const sums = new Float64Array(length * columns)
  for (let n = 0; n < data.length; n++) {
    const at = Math.floor(n / rowInner) % length * columns + Math.floor(n / columnInner) % columns
    sums[at] = (sums[at] as number) + Math.abs(data[n] as number)
  }
  c.importer.spend(8 * sums.length, data.length)
  const parts: { begin: number, end: number }[] = []
  let [begin, running] = [0, new Float64Array(columns)]
  for (let index = 0; index < length; index++) {
    const own = sums.subarray(index * columns, (index + 1) * columns)
    const isFull = own.some((sum, n) => (sum + (running[n] as number)) * most > EXACT)
    if (isFull && index === begin) throw c.unsupported('a window whose sums are beyond 2^24')
    if (isFull) {
      parts.push({ begin, end: index })
      begin = index
      running = Float64Array.from(own)
    } else own.forEach((sum, n) => running[n] = (running[n] as number) + sum)
  }
  return [...parts, { begin, end: length }]
}

/** Weights from `begin` to `end` along the inputs: 8 bits, widened when a model is made, where they fit. */
function partOf({ data, shape, inputs, outputs }: WholeWeight, begin: number, end: number): ArrayLike {
  const inner = lengthOf(shape.slice(inputs + 1))
  const length = shape[inputs] as number
  const part = data.filter((_, n) => {
    const index = Math.floor(n / inner) % length
    return index >= begin && index < end
  })
  const sizes = shape.map((size, axis) => (axis === inputs ? end - begin : size))
  if (part.some((value) => value < -128 || value > 127)) return new NdArray(Float32Array.from(part), sizes)
  return new Int8Weights({ q: Int8Array.from(part), scales: new Float32Array(sizes[outputs] as number).fill(1), axis: outputs }, sizes, false)
}

/**
 * The sums of products of whole numbers, exact: float32 where they are whole numbers that float32 has, else int32.
 * @param axis of x, that the inputs of the weight lie along
 * @param emit adds the product of (a part of) x and a weight
 */
export function exactProduct(c: Conversion, x: Whole, weight: WholeWeight, axis: number, emit: (x: string, weight: string) => string): string {
  const parts = exactParts(c, weight, x.most)
  const products = parts.map(({ begin, end }) => {
    const part = c.constant('weight', partOf(weight, begin, end))
    if (parts.length === 1) return emit(x.value, part)
    const rows = c.emit('slice', [x.value, c.integers('begin', [begin]), c.integers('end', [end]), c.integers('axis', [axis])])
    return c.emit('cast', [emit(rows, part)], { to: 'int32' })
  })
  return products.reduce((sum, product) => c.emit('add', [sum, product]))
}

/** The same of two values that are known when the model runs: exact as long as sums stay below 2^24. */
export function productOfValues(c: Conversion, a: Whole, b: Whole): string {
  const k = c.type(a.value).shape.at(-1)
  const isExact = typeof k === 'number' && k * a.most * b.most <= EXACT
  if (!isExact) c.importer.builder.note(`${c.label}: sums of more than ${Math.floor(EXACT / a.most / b.most)} products of two activations may be rounded`)
  return c.emit('matMul', [a.value, b.value])
}

/** The sums with a bias of whole numbers added, as float32. */
export function withBias(c: Conversion, sums: string, bias: string): string {
  if (bias === '') return asFloat(c, sums)
  if (c.type(bias).dtype !== 'int32') throw malformed(`${c.label}: expected int32 for its bias, got ${c.type(bias).dtype}`)
  const whole = c.type(sums).dtype === 'int32' ? sums : c.emit('cast', [sums], { to: 'int32' })
  return c.emit('cast', [c.emit('add', [whole, bias])], { to: 'float32' })
}

/** Whole numbers as float32, rounded to even where it has none of them. */
export function asFloat(c: Conversion, sums: string): string {
  return c.type(sums).dtype === 'float32' ? sums : c.emit('cast', [sums], { to: 'float32' })
}
