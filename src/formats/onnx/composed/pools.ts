// Pools of powers: (sum over a window of |x|^p)^(1/p).
import { malformed } from '../../protobuf/wire.ts'
import type { Conversion } from '../conversion.ts'

/** What `add` makes of the powers of the input, rooted. */
function ofPowers(c: Conversion, add: (powers: string) => string): void {
  const p = c.int('p', 2)
  if (p < 1) throw malformed(`${c.label}: expected a whole number >= 1 for p, got ${p}`)
  const x = c.input(0)
  if (p === 2) return c.emitOutputs('sqrt', [add(c.emit('square', [x]))])
  const sizes = c.emit('abs', [x])
  if (p === 1) return c.alias(0, add(sizes))
  c.emitOutputs('pow', [add(c.emit('pow', [sizes, c.scalar('p', p)])), c.scalar('root', 1 / p)])
}

/** Windows over one axis or two; what is outside adds nothing. */
export function lpPool(c: Conversion): void {
  const axes = c.type(c.input(0)).shape.length - 2
  if (axes > 2) throw c.unsupported(`a window over ${axes} axes (there are 1 and 2)`)
  ofPowers(c, (powers) => c.emit('sumPool', [powers], c.attributes('p')))
}

/** Each channel as one window. */
export function globalLpPool(c: Conversion): void {
  c.onlyAttributes(['p'])
  const axes = c.type(c.input(0)).shape.slice(2).map((_, n) => n + 2)
  ofPowers(c, (powers) => c.emit('reduceSum', [powers, c.integers('axes', axes)], { keepdims: 1 }))
}
