// Layers that model.quantize() made: kernels of 8 bits with a scale for each output, or of 4 bits, two in a byte, with scales for each output
// or for each block of inputs. Scales of whole outputs divide; those of blocks multiply, and have zero points.
import { Int8Weights } from '../../ops/products/narrow-weights.ts'
import type { ArrayLike, NdArray } from '../../values/ndarray.ts'
import { formatShape, sameShape, type Shape } from '../../values/shape.ts'
import { equalInt8, widened, type ScaledIntegers } from '../quantized/scaled-integers.ts'
import { transposed } from './emitter.ts'
import { notSupported, type LayerCall } from './layer-call.ts'
import type { Quantization } from './policies.ts'
import { malformed } from './settings.ts'

/** Tensors of a layer: integers, scales, and of blocks zero points and which block an element is in. */
interface Parts {
  readonly q: NdArray
  readonly scale: NdArray
  readonly zero: NdArray | undefined
  readonly groups: NdArray | undefined
}

function expect(what: string, name: string, array: ArrayLike | undefined, shape: Shape): void {
  if (array !== undefined && !sameShape(array.shape, shape)) throw malformed(`${what}: expected ${name} ${formatShape(shape)}, got ${formatShape(array.shape)}`)
}

/** Integers with rows and columns exchanged. */
function turned(data: Int8Array, rows: number, columns: number): Int8Array {
  const result = new Int8Array(data.length)
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) result[column * rows + row] = data[row * columns + column] as number
  return result
}

/** Integers [rows, columns], two of 4 bits in a byte along an axis, the first in the lower half. */
function integers({ data }: NdArray, rows: number, columns: number, packed: 0 | 1 | undefined): Int8Array {
  if (packed === undefined) return Int8Array.from(data)
  const result = new Int8Array(rows * columns)
  const width = packed === 1 ? Math.ceil(columns / 2) : columns
  for (let n = 0; n < result.length; n++) {
    const [row, column] = [Math.floor(n / columns), n % columns]
    const [index, half] = packed === 1 ? [row * width + (column >> 1), column & 1] : [(row >> 1) * width + column, row & 1]
    result[n] = (data[index] as number) << (half === 0 ? 28 : 24) >> 28
  }
  return result
}

/**
 * What the integers of a matrix are times.
 * @param axis of outputs; the other one is that of blocks
 */
function scaledBy(
  what: string, { scale, zero, groups }: Parts, q: Int8Array, shape: readonly [number, number], axis: 0 | 1, block: number | undefined,
): ScaledIntegers {
  const [outputs, others] = [shape[axis], shape[1 - axis] as number]
  const isWrong = scale.data.some((value) => !(value > 0 && value < Infinity))
  if (isWrong) throw malformed(`${what}: expected scales above 0, got others`)
  if (block === undefined) {
    expect(what, 'scales', scale, [outputs])
    return { q, shape, scales: Float32Array.from(scale.data, (value) => 1 / value), axis }
  }
  const blocks = Math.ceil(others / block)
  const expected = axis === 0 ? [outputs, blocks] : [blocks, outputs]
  expect(what, 'scales', scale, expected)
  expect(what, 'zero points', zero, expected)
  expect(what, 'g_idx', groups, [others])
  if (groups?.data.some((group, n) => group !== Math.floor(n / block)) !== false) throw notSupported(`${what}: blocks in another order`)
  if (blocks === 1) return { q, shape, scales: scale.data, zeros: zero?.data, axis }
  return { q, shape, scales: scale.data, zeros: zero?.data, axis: 1 - axis, block }
}

const QUANTIZED_NAMES = { kernel: ['kernel_scale', 'kernel_zero'], embeddings: ['embeddings_scale', 'embeddings_zero'] } as const

function take({ layer, weights }: LayerCall, name: 'kernel' | 'embeddings', between: readonly string[], block: number | undefined): [Parts, NdArray | undefined] {
  const [scaleName, zeroName] = QUANTIZED_NAMES[name]
  const { settings } = layer
  if (settings.json('lora_rank') !== undefined && weights.takeNamed([`lora_${name}_a`]) !== undefined) throw notSupported(`${settings.what}: quantised weights with low-rank additions`)
  const names = [name, ...between, scaleName, ...(block === undefined ? [] : [zeroName, 'g_idx'])]
  const found = new Map(weights.take(names, settings.what).map((tensor, n) => [names[n], tensor]))
  const q = found.get(name) as NdArray
  if (q.dtype === 'float32' || q.shape.length !== 2) throw malformed(`${settings.what}: expected integers with two axes, got ${q.dtype} ${formatShape(q.shape)}`)
  return [{ q, scale: found.get(scaleName) as NdArray, zero: found.get(zeroName), groups: found.get('g_idx') }, found.get('bias')]
}

/** The kernel of a dense layer as a constant [outputs, inputs], and its bias. */
export function quantizedKernel(
  call: LayerCall, { bits, block }: Quantization, inputs: number | string | undefined,
): { weight: string, bias: NdArray | undefined } {
  const { layer: { settings }, emit, path } = call
  const { what } = settings
  const [parts, bias] = take(call, 'kernel', settings.flag('use_bias', true) ? ['bias'] : [], block)
  const units = settings.count('units')
  const [stored, width] = parts.q.shape as [number, number]
  // Until Keras 3.13, two inputs shared a byte; since then, two outputs.
  const packed = bits === 8 ? undefined : width === units && (units > 1 || stored !== inputs) ? 0 : 1
  const rows = packed === 0 ? typeof inputs === 'number' ? inputs : 2 * stored : stored
  expect(what, 'a kernel', parts.q, packed === undefined ? [rows, units] : packed === 0 ? [Math.ceil(rows / 2), units] : [rows, Math.ceil(units / 2)])
  const weight = emit.constant(`${path}/weight`, parts.q, () => {
    emit.budget.copy(2 * rows * units, rows * units, 'Keras: integers')
    const source = scaledBy(what, parts, integers(parts.q, rows, units, packed), [rows, units], 1, block)
    const equal = equalInt8(source, 1)
    if (equal !== undefined) return new Int8Weights({ q: turned(equal.q, rows, units), scales: equal.scales, axis: 0 }, [units, rows])
    emit.budget.take(8 * rows * units, 'Keras: widened weights')
    return transposed(widened(source))
  })
  return { weight, bias }
}

/** The table of an embedding as a constant [rows, width]. */
export function quantizedTable(call: LayerCall, { bits, block }: Quantization): string {
  const { layer: { settings }, emit, path } = call
  const { what } = settings
  const [parts] = take(call, 'embeddings', [], block)
  const [rows, width] = [settings.count('input_dim'), settings.count('output_dim')]
  expect(what, 'embeddings', parts.q, [rows, bits === 8 ? width : Math.ceil(width / 2)])
  return emit.constant(`${path}/weight`, parts.q, () => {
    emit.budget.copy(rows * width, rows * width, 'Keras: integers')
    const source = scaledBy(what, parts, integers(parts.q, rows, width, bits === 8 ? undefined : 1), [rows, width], 0, block)
    const equal = equalInt8(source, 0)
    if (equal === undefined) emit.budget.take(4 * rows * width, 'Keras: widened weights')
    return equal ?? widened(source)
  })
}

/** Integers [outputs, inputs] of 8 bits as weights, with scales for the outputs in their order, whatever axes of one element they have. */
export function int8Matrix(what: string, { data, shape, dtype }: NdArray, scale: NdArray | undefined): Int8Weights {
  const [outputs] = shape as [number, number]
  const isWrong = scale?.dtype !== 'float32' || scale.data.length !== outputs || scale.data.some((value) => !(value > 0 && value < Infinity))
  if (dtype === 'float32' || isWrong) throw malformed(`${what}: expected integers and ${outputs} scales above 0`)
  return new Int8Weights({ q: Int8Array.from(data), scales: Float32Array.from(scale.data, (value) => 1 / value), axis: 0 }, shape)
}
