// Functions of elements that are several operators of ours.
import { NdArray } from '../../../values/ndarray.ts'
import type { Conversion } from '../conversion.ts'

/** Powers of whole numbers above this one do not fit int32 but for 0, 1 and -1. */
const LARGEST_POWER = 31

const isWhole = (c: Conversion): boolean => c.type(c.input(0)).dtype === 'int32'
const whole = (c: Conversion, value: number): string => c.constant('whole', new NdArray(Int32Array.of(value), []))

/** Of whole numbers the larger one of x and -x: our functions of elements are of float32. */
export function abs(c: Conversion): void {
  if (!isWhole(c)) return c.emitOutputs('abs', c.inputs, c.attributes())
  c.emitOutputs('max', [c.input(0), c.emit('sub', [whole(c, 0), c.input(0)])])
}

export function neg(c: Conversion): void {
  if (!isWhole(c)) return c.emitOutputs('neg', c.inputs, c.attributes())
  c.emitOutputs('sub', [whole(c, 0), c.input(0)])
}

export function sign(c: Conversion): void {
  if (!isWhole(c)) return c.emitOutputs('sign', c.inputs, c.attributes())
  c.emitOutputs('clip', [c.input(0), whole(c, -1), whole(c, 1)])
}

/** The exponents may have another dtype than what is raised; powers of whole numbers are products. */
export function pow(c: Conversion): void {
  const [x, exponent] = [c.input(0), c.input(1)]
  if (!isWhole(c)) {
    const isFloat = c.type(exponent).dtype === 'float32'
    return c.emitOutputs('pow', [x, isFloat ? exponent : c.emit('cast', [exponent], { to: 'float32' })], c.attributes())
  }
  const known = c.value(1)
  const power = known?.data.length === 1 && known.shape.length <= c.type(x).shape.length ? known.data[0] as number : NaN
  if (!(Number.isInteger(power) && power >= 1 && power <= LARGEST_POWER)) {
    throw c.unsupported(`a power of whole numbers whose exponent is not known beforehand to be one number from 1 to ${LARGEST_POWER}`)
  }
  let product = x
  for (let n = 1; n < power; n++) product = c.emit('mul', [product, x])
  c.alias(0, product)
}

/** Whether x is infinite; of which sign, attributes say. */
export function isInf(c: Conversion): void {
  c.onlyAttributes(['detect_negative', 'detect_positive'])
  const x = c.input(0)
  const [negative, positive] = [c.int('detect_negative', 1) !== 0, c.int('detect_positive', 1) !== 0]
  if (negative && positive) return c.emitOutputs('equal', [c.emit('abs', [x]), c.scalar('infinity', Infinity)])
  if (negative || positive) return c.emitOutputs('equal', [x, c.scalar('infinity', positive ? Infinity : -Infinity)])
  // Neither: what is not equal to itself and equal to itself.
  const isNumber = c.emit('equal', [x, x])
  c.emitOutputs('xor', [isNumber, isNumber])
}
