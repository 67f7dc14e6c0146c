// Operators from integers to integers, as onnxruntime computes them: exact sums, one scale in float32, rounded to even. QLinearMatMul and QLinearConv
// of ONNX, QGemm and QAttention of com.microsoft, and products of integers without their scales.
import { NdArray } from '../../../values/ndarray.ts'
import { malformed } from '../../protobuf/wire.ts'
import { attentionOf, headCount } from '../composed/microsoft-attention.ts'
import type { Conversion } from '../conversion.ts'
import { asFloat, centredInput, centredWeight, exactProduct, productOfValues, withBias, type Whole } from './exact.ts'
import { checkScales, known } from './integers.ts'
import { toIntegers } from './linear.ts'

/** Scales as constants. */
function scalesAt(c: Conversion, position: number, what: string): ArrayLike<number> {
  const scales = known(c, position, what)
  checkScales(c, scales, what)
  return scales.data
}

function scaleAt(c: Conversion, position: number, what: string): number {
  const scales = scalesAt(c, position, what)
  if (scales.length !== 1) throw c.unsupported(`${what} for each row`)
  return scales[0] as number
}

/** Positions of scales: of x, of the weight, and of the result, which is float32 without one. */
interface Scales {
  readonly x: number
  readonly weight: number
  readonly y?: number
}

/** x scale times weight scale, by that of the result, each step rounded to float32, along an axis that has `behind` axes behind it. */
function factorOf(c: Conversion, { x, weight, y }: Scales, columns: number | string | undefined, behind: number, alpha: number = 1): string {
  const own = Math.fround(alpha * scaleAt(c, x, 'the scale of its input'))
  const each = scalesAt(c, weight, 'the scales of its weight')
  const by = y === undefined ? 1 : scaleAt(c, y, 'the scale of its result')
  if (each.length !== 1 && each.length !== columns) throw malformed(`${c.label}: expected one scale or ${columns} for its weight, got ${each.length}`)
  const factors = Float32Array.from(each, (scale) => Math.fround(own * scale) / by)
  return c.constant('factor', new NdArray(factors, factors.length === 1 ? [] : [factors.length, ...Array.from({ length: behind }, () => 1)]))
}

/** Whole numbers times a factor as integers of the type of a zero point. */
function requantised(c: Conversion, sums: string, factor: string, zero: number): void {
  toIntegers(c, c.emit('mul', [sums, factor]), zero)
}

/** x times a weight, of which either may be known when the model runs only. */
function sumsOf(c: Conversion, x: Whole, tensor: number, zero: number): string {
  if (c.value(tensor) === undefined) return productOfValues(c, x, centredInput(c, tensor, zero))
  const rank = known(c, tensor, 'its weight').shape.length
  return exactProduct(c, x, centredWeight(c, { tensor, zero }, rank - 1, rank - 2), c.type(x.value).shape.length - 1, (a, b) => c.emit('matMul', [a, b]))
}

/** Inputs: a, its scale and zero point, b, its scales and zero points, the scale and zero point of the result. */
export function qLinearMatMul(c: Conversion): void {
  c.onlyAttributes([])
  const sums = asFloat(c, sumsOf(c, centredInput(c, 0, 2), 3, 5))
  requantised(c, sums, factorOf(c, { x: 1, weight: 4, y: 6 }, c.type(c.input(3)).shape.at(-1), 0), 7)
}

/** Inputs: A, its scale and zero point, B, its scales and zero points, C (int32), the scale and zero point of the result, float32 without. */
export function qGemm(c: Conversion): void {
  c.onlyAttributes(['alpha', 'transA', 'transB'])
  const a = centredInput(c, 0, 2)
  const x = c.int('transA', 0) === 0 ? a : { ...a, value: c.emit('transpose', [a.value], { perm: [1, 0] }) }
  const isTurned = c.int('transB', 0) !== 0
  const weight = centredWeight(c, { tensor: 3, zero: 5 }, isTurned ? 0 : 1, isTurned ? 1 : 0)
  const sums = exactProduct(c, x, weight, 1, (rows, part) => c.emit('gemm', [rows, part], { transB: Number(isTurned) }))
  const whole = withBias(c, sums, c.inputs[6] ?? '')
  const isFloat = !c.has(7)
  const factor = factorOf(c, { x: 1, weight: 4, ...(!isFloat && { y: 7 }) }, weight.shape[weight.outputs], 0, c.float('alpha', 1))
  if (isFloat) c.emitOutputs('mul', [whole, factor])
  else requantised(c, whole, factor, 8)
}

/** The exact sums of windows. */
function sumsOfWindows(c: Conversion, x: Whole, tensor: number, zero: number): { sums: string, filters: number, behind: number } {
  const weight = centredWeight(c, { tensor, zero }, 0, 1)
  const { shape } = weight
  if (shape.length > 4) throw c.unsupported(`a window over ${shape.length - 2} axes (there are 1 and 2)`)
  const isGrouped = c.int('group', 1) !== 1
  const attributes = c.attributes()
  const sums = exactProduct(c, x, weight, 1, (rows, part) => {
    if (isGrouped && rows !== x.value) throw c.unsupported('groups of channels whose sums are beyond 2^24')
    return c.emit('conv', [rows, part], attributes)
  })
  return { sums, filters: shape[0] as number, behind: shape.length - 2 }
}

/** Inputs: x, its scale and zero point, w, its scales and zero points, the scale and zero point of the result, a bias (int32). */
export function qLinearConv(c: Conversion): void {
  const { sums, filters, behind } = sumsOfWindows(c, centredInput(c, 0, 2), 3, 5)
  const bias = c.has(8) ? c.emit('reshape', [c.input(8), c.integers('column', [filters, ...Array.from({ length: behind }, () => 1)])]) : ''
  requantised(c, withBias(c, sums, bias), factorOf(c, { x: 1, weight: 4, y: 6 }, filters, behind), 7)
}

/** Inputs: x, w, their zero points. Result: int32. */
export function convInteger(c: Conversion): void {
  const { sums } = sumsOfWindows(c, centredInput(c, 0, 2), 1, 3)
  asInt32(c, sums)
}

/** Inputs: A, B, their zero points. Result: int32. */
export function matMulInteger(c: Conversion): void {
  c.onlyAttributes([])
  asInt32(c, sumsOf(c, centredInput(c, 0, 2), 1, 3))
}

function asInt32(c: Conversion, sums: string): void {
  if (c.type(sums).dtype === 'int32') c.alias(0, sums)
  else c.emitOutputs('cast', [sums], { to: 'int32' })
}

/** Inputs: A, B, their scales, their zero points, a bias (float32). Result: float32. */
export function matMulIntegerToFloat(c: Conversion): void {
  c.onlyAttributes([])
  const sums = asFloat(c, sumsOf(c, centredInput(c, 0, 4), 1, 5))
  const product = [sums, c.emit('mul', [c.input(2), c.input(3)])]
  if (c.has(6)) c.emitOutputs('add', [c.emit('mul', product), c.input(6)])
  else c.emitOutputs('mul', product)
}

/** x as uint8 by the range of all of it, with 0 in it; its scale and zero point. */
export function dynamicQuantizeLinear(c: Conversion): void {
  c.onlyAttributes([])
  const x = c.input(0)
  const zero = c.scalar('nothing', 0)
  const [most, least] = [c.emit('max', [c.emit('reduceMax', [x], { keepdims: 0 }), zero]), c.emit('min', [c.emit('reduceMin', [x], { keepdims: 0 }), zero])]
  const range = c.emit('sub', [most, least])
  const scale = c.emit('where', [c.emit('equal', [range, zero]), c.scalar('one', 1), c.emit('div', [range, c.scalar('steps', 255)])])
  const point = c.emit('round', [c.emit('clip', [c.emit('neg', [c.emit('div', [least, scale])]), zero, c.scalar('most', 255)])])
  const whole = c.emit('add', [c.emit('round', [c.emit('div', [x, scale])]), point])
  c.emit('cast', [c.emit('clip', [whole, zero, c.scalar('most', 255)])], { to: 'uint8' }, [c.output(0)])
  c.alias(1, scale)
  if (c.isNeeded(2)) c.emit('cast', [point], { to: 'uint8' }, [c.output(2)])
}

/** Inputs: x, weights and bias of queries, keys and values beside each other, scales of x and of the weights, mask, zero points, past. */
export function qAttention(c: Conversion): void {
  c.onlyAttributes(['do_rotary', 'mask_filter_value', 'num_heads', 'past_present_share_buffer', 'scale', 'unidirectional'])
  c.requireInt('do_rotary', 0)
  c.requireInt('past_present_share_buffer', 0)
  c.onlyOutputs(2)
  const heads = headCount(c)
  const width = c.type(c.input(1)).shape[1]
  const sums = asFloat(c, sumsOf(c, centredInput(c, 0, 6), 1, 7))
  const joined = c.emit('add', [c.emit('mul', [sums, factorOf(c, { x: 3, weight: 4 }, width, 0)]), c.input(2)])
  attentionOf(c, heads, joined, Array.from({ length: 3 }, () => (typeof width === 'number' ? width / 3 : width)), { mask: 5, past: 8 })
}
