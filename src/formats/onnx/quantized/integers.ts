// Quantised tensors of a file, with their scales and zero points.
import type { ArrayLike } from '../../../values/ndarray.ts'
import { formatShape, lengthOf } from '../../../values/shape.ts'
import { malformed } from '../../protobuf/wire.ts'
import { nearestInt8, type ScaledIntegers } from '../../quantized/scaled-integers.ts'
import type { Conversion } from '../conversion.ts'

/** Positions of a tensor, its scales and its zero points among the inputs of a node. */
export interface Positions {
  readonly tensor: number
  readonly scale: number
  readonly zero: number
}

/** A tensor that must follow from constants. @throws LstmError `UNSUPPORTED` */
export function known(c: Conversion, position: number, what: string): ArrayLike {
  const name = c.input(position)
  const value = c.importer.builder.value(name)
  if (value !== undefined) return value
  throw c.unsupported(`${what} that does not follow from constants`)
}

/**
 * @param least 0 for activations; weights may have scales below it: onnxruntime's symmetric quantisers make the farthest of a block -8 or -128,
 * whatever its sign
 * @throws LstmError `FORMAT` unless they are numbers that integers may be times
 */
export function checkScales(c: Conversion, { dtype, data }: ArrayLike, what: string, least: number = 0): void {
  if (dtype !== 'float32') throw malformed(`${c.label}: expected floating-point numbers for ${what}, got ${dtype}`)
  const wrong = data.find((scale) => !(scale >= least && Number.isFinite(scale)))
  if (wrong !== undefined) throw malformed(`${c.label}: expected finite numbers${least === 0 ? ' from 0 on' : ''} for ${what}, got ${wrong}`)
}

function checkIntegers(c: Conversion, { dtype }: ArrayLike, what: string): void {
  if (dtype === 'float32') throw malformed(`${c.label}: expected integers for ${what}, got ${dtype}`)
}

/** Scales, and zero points where there are any, of a length that `fits` says is right. */
export function scalesOf(c: Conversion, { scale, zero }: Pick<Positions, 'scale' | 'zero'>, what: string, fits: (shape: readonly number[]) => boolean): Pick<ScaledIntegers, 'scales' | 'zeros'> & { shape: readonly number[] } {
  const scales = known(c, scale, `scales of ${what}`)
  checkScales(c, scales, `the scales of ${what}`, -Infinity)
  const zeros = c.has(zero) ? known(c, zero, `zero points of ${what}`) : undefined
  if (zeros !== undefined) {
    checkIntegers(c, zeros, `the zero points of ${what}`)
    if (zeros.data.length !== scales.data.length) {
      throw malformed(`${c.label}: expected a zero point for each of the ${scales.data.length} scales of ${what}, got ${zeros.data.length}`)
    }
  }
  if (!fits(scales.shape)) throw malformed(`${c.label}: the scales of ${what} ${formatShape(scales.shape)} do not fit it`)
  c.importer.spend(0, scales.data.length)
  return { scales: scales.data, zeros: zeros?.data, shape: scales.shape }
}

/**
 * A weight with one scale, or one for each index along an axis.
 * @param along whether scales of this shape, of several, lie along the axis
 */
export function scaled(c: Conversion, positions: Positions, what: string, axis: number, along: (shape: readonly number[]) => boolean): ScaledIntegers {
  const { data: q, shape, dtype } = known(c, positions.tensor, what)
  checkIntegers(c, { data: q, shape, dtype }, what)
  const size = shape.at(axis)
  if (size === undefined) throw malformed(`${c.label}: expected more axes for ${what}, got ${formatShape(shape)}`)
  const found = scalesOf(c, positions, what, (sizes) => lengthOf(sizes) === 1 || (lengthOf(sizes) === size && along(sizes)))
  return { q, shape, scales: found.scales, zeros: found.zeros, axis: found.scales.length === 1 ? undefined : axis }
}

/** A name for weights made of others: nodes that share the weight share it. */
export function madeOf(c: Conversion, source: ArrayLike['data'], key: string, make: (what: string) => string, what: string): string {
  const { made } = c.importer
  const names = made.get(source) ?? new Map<string, string>()
  made.set(source, names)
  const known = names.get(key)
  if (known !== undefined) return known
  const name = make(what)
  names.set(key, name)
  return name
}

/** Adds a constant of 8 bits with a scale for each index along an axis. Where zero points rule 8 bits out, a note says what it costs. */
export function int8Constant(c: Conversion, source: ScaledIntegers, axis: number, what: string): string {
  c.importer.spend(source.q.length, source.q.length)
  const { weights, error } = nearestInt8(source, axis)
  if (error > 0) {
    c.importer.builder.note(`${c.label}: no 8 bits without zero points are equal to '${what}', whose outputs are quantised anew: weights change by up to ${Number(error.toPrecision(2))}`)
  }
  return c.constant(what, weights)
}
