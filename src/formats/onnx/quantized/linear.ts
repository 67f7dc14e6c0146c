// QuantizeLinear and DequantizeLinear. Integers are integers of ours, and a pair of the two is computed as ONNX says.
import type { ArrayLike } from '../../../values/ndarray.ts'
import { formatShape, lengthOf } from '../../../values/shape.ts'
import { malformed } from '../../protobuf/wire.ts'
import { equalInt8, widened, type ScaledIntegers } from '../../quantized/scaled-integers.ts'
import type { Conversion } from '../conversion.ts'
import { typeFacts } from '../tensors.ts'
import { checkScales, known, madeOf, scalesOf } from './integers.ts'
import { OUTPUTS_AXIS, ZERO_TYPE } from './patterns.ts'

const BOUNDS: Readonly<Record<string, readonly [least: number, most: number]>> = {
  uint4: [0, 15], int4: [-8, 7], uint8: [0, 255], int8: [-128, 127], uint16: [0, 65535], int16: [-32768, 32767],
}

const ATTRIBUTES = ['axis', 'block_size', 'output_dtype', 'precision', 'saturate', OUTPUTS_AXIS, ZERO_TYPE]

/** The axis that several scales lie along. */
function axisOf(c: Conversion, rank: number): number {
  const axis = c.int('axis', 1)
  const from = axis < 0 ? axis + rank : axis
  if (from < 0 || from >= rank) throw malformed(`${c.label}: expected an axis from ${-rank} to ${rank - 1}, got ${axis}`)
  return from
}

/** Scales or zero points as float32 that broadcast against x: one for all, or [n] along the axis. */
function spread(c: Conversion, position: number): string {
  const name = c.input(position)
  const { dtype, shape } = c.type(name)
  const value = dtype === 'float32' ? name : c.emit('cast', [name], { to: 'float32' })
  if (shape.length === 0) return value
  if (shape.length > 1) throw c.unsupported(`scales in blocks ${formatShape(shape)}`)
  if (shape[0] === 1) return c.emit('reshape', [value, c.integers('none', [])])
  const rank = c.type(c.input(0)).shape.length
  const behind = rank - 1 - axisOf(c, rank)
  return behind === 0 ? value : c.emit('unsqueeze', [value, c.integers('axes', Array.from({ length: behind }, (_, n) => n + 1))])
}

/** Whole numbers from x / scale + zero point, to even where two are as near, within those of the type. */
export function quantizeLinear(c: Conversion): void {
  c.onlyAttributes(ATTRIBUTES)
  if (c.int('block_size', 0) !== 0) throw c.unsupported('scales in blocks')
  const x = c.input(0)
  const isUnsigned = !c.has(2) || c.type(c.input(2)).dtype === 'uint8'
  const told = c.int(ZERO_TYPE, 0) || c.int('output_dtype', 0)
  const name = told === 0 ? isUnsigned ? 'uint8' : 'an integer of which neither the file nor its zero point says more' : typeFacts(told, `${c.label}: its output`).name
  const bounds = Object.hasOwn(BOUNDS, name) ? BOUNDS[name] : undefined
  if (bounds === undefined) throw c.unsupported(`the element type ${name}`)
  const whole = c.emit('round', [c.emit('div', [x, spread(c, 1)])])
  const moved = c.has(2) ? c.emit('add', [whole, spread(c, 2)]) : whole
  const within = c.emit('clip', [moved, c.scalar('least', bounds[0]), c.scalar('most', bounds[1])])
  const result = c.output(0)
  c.emit('cast', [within], { to: name === 'uint8' ? 'uint8' : 'int32' }, [result])
  c.importer.quantised.set(result, { x, scale: c.input(1), zero: c.inputs[2] ?? '', bounds })
}

/** The only element of a value that is known; undefined where it has several, or is not known. */
function single(c: Conversion, name: string): number | undefined {
  const data = name === '' ? undefined : c.importer.builder.value(name)?.data
  return data?.length === 1 ? data[0] : undefined
}

/** The pair of a QuantizeLinear and this node as one operator, where both have the same scale and zero point, one of each; whether it is one. */
function pairWith(c: Conversion): boolean {
  const before = c.importer.quantised.get(c.input(0))
  const scale = single(c, c.input(1))
  const zeroName = c.inputs[2] ?? ''
  const zero = zeroName === '' ? 0 : single(c, zeroName)
  if (before === undefined || scale === undefined || zero === undefined || before.scale !== c.input(1) || before.zero !== zeroName) return false
  checkScales(c, c.value(1) as ArrayLike, 'its scale')
  const [least, most] = before.bounds
  c.emitOutputs('throughIntegers', [before.x], { scale, zero, least, most })
  return true
}

/** Rows of a table of integers, looked up before they are dequantised: as an embedding that keeps them; whether it is one. */
function rowsOfTable(c: Conversion): boolean {
  const lookup = c.importer.producer(c.input(0))
  const table = lookup?.op === 'gather' && Number(lookup.attributes.axis ?? 0) === 0 ? c.importer.builder.value(lookup.inputs[0] as string) : undefined
  if (lookup === undefined || table === undefined || table.dtype === 'float32' || table.shape.length !== 2) return false
  if (single(c, c.input(1)) === undefined || (c.has(2) && single(c, c.inputs[2] as string) === undefined)) return false
  const found = scalesOf(c, { scale: 1, zero: 2 }, 'its input', () => true)
  c.importer.spend(4 * table.data.length, table.data.length)
  const weights = equalInt8({ q: table.data, shape: table.shape, scales: found.scales, zeros: found.zeros, axis: undefined }, 0)
  if (weights === undefined) return false
  const weight = madeOf(c, table.data, `embedding ${c.input(1)} ${c.inputs[2] ?? ''}`, (what) => c.constant(what, weights), 'table')
  c.emit('embedding', [lookup.inputs[1] as string], {}, [c.output(0)], { weight })
  return true
}

/** x as integers of 8 bits: rounded to even, the zero point at `zero` added, within the bounds of its type. Without one, uint8 and 0. */
export function toIntegers(c: Conversion, x: string, zero: number): void {
  const name = !c.has(zero) || c.type(c.input(zero)).dtype === 'uint8' ? 'uint8' : 'int8'
  const [least, most] = BOUNDS[name] as readonly [number, number]
  const whole = c.emit('round', [x])
  const moved = c.has(zero) ? c.emit('add', [whole, c.emit('reshape', [c.emit('cast', [c.input(zero)], { to: 'float32' }), c.integers('none', [])])]) : whole
  const within = c.emit('clip', [moved, c.scalar('least', least), c.scalar('most', most)])
  c.emitOutputs('cast', [within], { to: name === 'uint8' ? 'uint8' : 'int32' })
}

/** (x - zero point) scale. */
export function dequantizeLinear(c: Conversion): void {
  c.onlyAttributes(ATTRIBUTES)
  if (c.type(c.input(0)).dtype === 'float32') throw malformed(`${c.label}: expected integers, got float32`)
  if (c.value(0) !== undefined && c.value(1) !== undefined && (!c.has(2) || c.value(2) !== undefined)) return dequantizedConstant(c)
  if (c.int('block_size', 0) !== 0) throw c.unsupported('scales in blocks of what is no constant')
  if (pairWith(c) || rowsOfTable(c)) return
  const numbers = asNumbers(c, c.input(0))
  const moved = c.has(2) ? c.emit('sub', [numbers, spread(c, 2)]) : numbers
  c.emitOutputs('mul', [moved, spread(c, 1)])
}

/** Integers as float32: those that a QuantizeLinear before made are there as such. */
export function asNumbers(c: Conversion, x: string): string {
  const maker = c.importer.producer(x)
  const from = maker?.op === 'cast' ? maker.inputs[0] as string : ''
  return c.importer.producer(from)?.op === 'clip' ? from : c.emit('cast', [x], { to: 'float32' })
}

/** Weights of 8 bits where a product is what reads them and each of its outputs has one scale; else float32. */
function dequantizedConstant(c: Conversion): void {
  const { data: q, shape } = known(c, 0, 'its input')
  const block = c.int('block_size', 0)
  const found = scalesOf(c, { scale: 1, zero: 2 }, 'its input', (sizes) => fits(c, sizes, shape, block))
  const axis = found.scales.length === 1 && block === 0 ? undefined : axisOf(c, shape.length)
  const source: ScaledIntegers = { q, shape, scales: found.scales, zeros: found.zeros, axis, ...(block !== 0 && { block }) }
  c.importer.spend(4 * q.length, 2 * q.length)
  const outputs = c.hasAttribute(OUTPUTS_AXIS) ? c.int(OUTPUTS_AXIS, 0) : undefined
  const outputsAxis = outputs !== undefined && outputs < 0 ? outputs + shape.length : outputs
  const isWeight = outputsAxis !== undefined && shape.length > 1 && outputsAxis >= 0 && outputsAxis < shape.length
  const key = `dequantize ${c.input(1)} ${c.inputs[2] ?? ''} ${axis} ${block} ${outputsAxis}`
  c.alias(0, madeOf(c, q, key, (what) => c.constant(what, (isWeight ? equalInt8(source, outputsAxis) : undefined) ?? widened(source)), 'weight'))
}

/** Whether scales are one, one for each index of the axis, or one for each block along it. */
function fits(c: Conversion, sizes: readonly number[], shape: readonly number[], block: number): boolean {
  if (block < 0) throw malformed(`${c.label}: expected a block_size from 0 on, got ${block}`)
  if (block === 0) return lengthOf(sizes) === 1 || (sizes.length === 1 && sizes[0] === shape[axisOf(c, shape.length)])
  const axis = axisOf(c, shape.length)
  return sizes.length === shape.length && sizes.every((size, n) => size === (n === axis ? Math.ceil((shape[n] as number) / block) : shape[n]))
}
