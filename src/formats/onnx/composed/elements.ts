// Functions of elements that are several operators of ours.
import type { Conversion } from '../conversion.ts'

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
