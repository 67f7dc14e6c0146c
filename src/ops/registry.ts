import { dropout, functionOperators, softmax } from './activations.ts'
import { cast } from './casting.ts'
import { embedding } from './embedding.ts'
import { gather, gatherElements } from './gathering.ts'
import { concat, split } from './joining.ts'
import { linear } from './linear.ts'
import { lstm } from './lstm.ts'
import { oneHot } from './one-hot.ts'
import type { Operator } from './operator.ts'
import { pad } from './padding.ts'
import { flatten, identity, reshape, squeeze, unsqueeze } from './reshaping.ts'
import { reverseSequence, where } from './selecting.ts'
import { constantOfShape, range, shape, size } from './shapes.ts'
import { expand, slice, tile, transpose } from './views.ts'

/** Elements moved, repeated, chosen and counted. */
const MOVEMENT: readonly Operator[] = [
  cast, concat, constantOfShape, expand, flatten, gather, gatherElements, identity, oneHot, pad, range, reshape, reverseSequence,
  shape, size, slice, split, squeeze, tile, transpose, unsqueeze, where,
]

/** Every operator a graph may use, by name. */
const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  [...functionOperators, ...MOVEMENT, dropout, embedding, linear, lstm, softmax].map((operator) => [operator.name, operator]),
)

export function findOperator(name: string): Operator | undefined {
  return OPERATORS.get(name)
}

export function operatorNames(): string[] {
  return [...OPERATORS.keys()]
}
