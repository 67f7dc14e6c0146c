// Every operator at once, for places that forbid dynamic imports and for what is one file.
import { addCommonOperators } from './common-operators.ts'
import { FLOW } from './flow/family.ts'
import { QUANTIZED } from './elementwise/through-integers.ts'
import { INDEX_TUPLES } from './movement/index-tuples.ts'
import { RANDOM } from './random/random.ts'
import { addOperators } from './registry.ts'
import { WINDOWS } from './windows/family.ts'

/** Makes all operators known, those of every family too. */
export function addAllOperators(): void {
  addCommonOperators()
  addOperators([...FLOW, ...INDEX_TUPLES, ...QUANTIZED, ...RANDOM, ...WINDOWS])
}

/** A function that needs all operators, for callers that load nothing later. */
export function withAllOperators<Arguments extends unknown[], Result>(run: (...args: Arguments) => Result): (...args: Arguments) => Result {
  return (...args) => {
    addAllOperators()
    return run(...args)
  }
}
