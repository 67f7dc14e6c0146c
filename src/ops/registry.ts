import { dropout, functionOperators, softmax } from './activations.ts'
import { embedding } from './embedding.ts'
import { linear } from './linear.ts'
import { lstm } from './lstm.ts'
import type { Operator } from './operator.ts'

/** Every operator a graph may use, by name. */
const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  [...functionOperators, dropout, embedding, linear, lstm, softmax].map((operator) => [operator.name, operator]),
)

export function findOperator(name: string): Operator | undefined {
  return OPERATORS.get(name)
}

export function operatorNames(): string[] {
  return [...OPERATORS.keys()]
}
