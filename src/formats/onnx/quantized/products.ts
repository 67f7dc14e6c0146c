// Products whose weights are integers. Activations are quantised by our own products: row by row, where onnxruntime does it once for all.
import { createData } from '../../../values/dtype.ts'
import { NdArray, type ArrayLike } from '../../../values/ndarray.ts'
import { formatShape } from '../../../values/shape.ts'
import { malformed } from '../../protobuf/wire.ts'
import { widened } from '../../quantized/scaled-integers.ts'
import type { Conversion } from '../conversion.ts'
import { checkScales, int8Constant, known, madeOf, scaled } from './integers.ts'

/** Scales along the last axis, others being 1. */
const alongLast = (shape: readonly number[]): boolean => shape.slice(0, -1).every((size) => size === 1)

/** Inputs: x, w [k, n], its scale and zero point, [] or [n], bias. */
export function dynamicQuantizeMatMul(c: Conversion): void {
  c.onlyAttributes([])
  const source = scaled(c, { tensor: 1, scale: 2, zero: 3 }, 'its weight', -1, alongLast)
  const axis = source.shape.length - 1
  const data = known(c, 1, 'its weight').data
  const weight = madeOf(c, data, `matMul ${c.input(2)} ${c.inputs[3] ?? ''}`, (what) => int8Constant(c, { ...source, axis: source.axis === undefined ? undefined : axis }, axis, what), 'weight')
  const bias = c.inputs[4] ?? ''
  if (bias === '') return c.emitOutputs('matMul', [c.input(0), weight])
  c.emitOutputs('add', [c.emit('matMul', [c.input(0), weight]), bias])
}

/** Inputs: x, w [filters, channels, window..], its scale, that is [] or broadcasts along the filters, and its zero point. */
export function dynamicQuantizeConv(c: Conversion): void {
  const rank = known(c, 1, 'its weight').shape.length
  if (rank > 4) throw c.unsupported(`a window over ${rank - 2} axes (there are 1 and 2)`)
  const source = scaled(c, { tensor: 1, scale: 2, zero: 3 }, 'its weight', 0, (shape) => shape.length >= rank - 1 && shape.slice(1 - rank).slice(1).every((size) => size === 1))
  const data = known(c, 1, 'its weight').data
  const weight = madeOf(c, data, `conv ${c.input(2)} ${c.inputs[3] ?? ''}`, (what) => int8Constant(c, source, 0, what), 'weight')
  c.emitOutputs('conv', [c.input(0), weight], c.attributes())
}

/** Weights of 2, 4 or 8 bits in blocks along k, a zero point each: [n, blocks, bytes of a block], lowest bits first. They are widened. */
export function matMulNBits(c: Conversion): void {
  c.onlyAttributes(['K', 'N', 'bits', 'block_size', 'accuracy_level', 'weight_prepacked'])
  c.requireInt('weight_prepacked', 0)
  const [k, n, bits, block] = [c.int('K', 0), c.int('N', 0), c.int('bits', 4), c.int('block_size', 0)] as const
  const fits = [k, n, block].every((size) => Number.isSafeInteger(size) && size > 0) && [2, 4, 8].includes(bits)
  if (!fits) throw malformed(`${c.label}: expected K, N, block_size above 0 and 2, 4 or 8 bits, got ${k}, ${n}, ${block} and ${bits}`)
  if (c.has(4)) throw c.unsupported('an order of groups (g_idx)')
  const packed = known(c, 1, 'its weight')
  const blocks = Math.ceil(k / block)
  const q = unpacked(c, packed, 'its weight', n, blocks * block, bits, Math.ceil(block * bits / 8) * blocks)
  const scales = known(c, 2, 'scales of its weight')
  checkScales(c, scales, 'the scales of its weight', -Infinity)
  if (scales.data.length !== n * blocks) throw malformed(`${c.label}: expected ${n * blocks} scales, got ${formatShape(scales.shape)}`)
  const given = c.has(3) ? known(c, 3, 'zero points of its weight') : undefined
  const zeros = given === undefined
    ? new Uint8Array(n * blocks).fill(2 ** (bits - 1))
    : given.dtype === 'float32' ? given.data : unpacked(c, given, 'its zero points', n, blocks, bits, Math.ceil(blocks * bits / 8))
  if (zeros.length !== n * blocks) throw malformed(`${c.label}: expected ${n * blocks} zero points, got ${zeros.length}`)
  c.importer.spend(4 * n * k, 2 * n * k)
  const weight = c.constant('weight', turned(widened({ q, shape: [n, blocks * block], scales: scales.data, zeros, axis: 1, block }), k))
  const bias = c.inputs[5] ?? ''
  if (bias === '') return c.emitOutputs('matMul', [c.input(0), weight])
  c.emitOutputs('add', [c.emit('matMul', [c.input(0), weight]), bias])
}

/** Rows of integers, each of which begins at a byte. */
function unpacked(c: Conversion, { dtype, data, shape }: ArrayLike, what: string, rows: number, columns: number, bits: number, rowBytes: number): Uint8Array {
  if (dtype !== 'uint8' || data.length !== rows * rowBytes) throw malformed(`${c.label}: expected ${rows * rowBytes} bytes for ${what}, got ${dtype} ${formatShape(shape)}`)
  c.importer.spend(rows * columns, rows * columns / 4)
  const each = 8 / bits
  const result = new Uint8Array(rows * columns)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const byte = data[row * rowBytes + Math.floor(column / each)] as number
      result[row * columns + column] = (byte >> (bits * (column % each))) & (2 ** bits - 1)
    }
  }
  return result
}

/** [n, more than k] as [k, n]. */
function turned({ data, shape }: ArrayLike, k: number): NdArray {
  const [n, width] = shape as [number, number]
  const result = createData('float32', k * n)
  for (let row = 0; row < k; row++) for (let column = 0; column < n; column++) result[row * n + column] = data[column * width + row] as number
  return new NdArray(result, [k, n])
}
