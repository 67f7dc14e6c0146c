import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import { isNumeric, lengthOf, type Dimension, type SymbolicShape } from '../../values/shape.ts'
import { MOST_AXES } from '../node/checks.ts'
import type { Operator } from '../operator.ts'

/**
 * An operator that moves elements, and so moves sizes, of shapes that there can be: it is evaluated with numbers that stand for them.
 * @param moved whose elements it moves: those of its first input, or of all
 */
/* @__NO_SIDE_EFFECTS__ */
export function movingSizes<Settings>(operator: Operator<Settings>, moved: 'first' | 'all' = 'first'): Operator<Settings> {
  return {
    ...operator,
    sizes(node, context, settings, types): readonly SymbolicShape[] | undefined {
      if (types[0].dtype !== 'int32' || !types.every(({ shape }) => isNumeric(shape) && lengthOf(shape) <= MOST_AXES)) return undefined
      const table: Dimension[] = []
      const values: ArrayLike[] = []
      for (let position = 0; position < (moved === 'all' ? node.inputs.length : 1); position++) {
        const sizes = context.sizes(position)
        const shape = context.input(position)?.shape
        if (sizes === undefined || shape === undefined || !isNumeric(shape)) return undefined
        values.push(new NdArray(Int32Array.from(sizes, (size) => table.push(size) - 1), shape))
      }
      const value = (position: number): ArrayLike | undefined => values[position] ?? context.value(position)
      return operator.evaluate?.(node, { ...context, value }, settings, types)?.map(({ data }) => Array.from(data, (code) => table[code] as Dimension))
    },
  }
}
