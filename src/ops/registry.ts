import { dropout, functionOperators } from './elementwise/activations.ts'
import { embedding } from './products/embedding.ts'
import { linear } from './products/linear.ts'
import { lstm } from './recurrent/lstm.ts'
import type { Operator } from './operator.ts'
import { softmax } from './reduction/softmax.ts'

/** Operators a graph may use, by name: those of the layers API, and the others once they are asked for. */
const OPERATORS: Map<string, Operator> = new Map()

/** Makes operators known; doing so again changes nothing. */
export function addOperators(operators: readonly Operator[]): void {
  addOwn()
  for (const operator of operators) OPERATORS.set(operator.name, operator)
}

/** At the first question: importing this module does nothing. */
function addOwn(): void {
  if (OPERATORS.size > 0) return
  for (const operator of [...functionOperators, dropout, embedding, linear, lstm, softmax]) OPERATORS.set(operator.name, operator)
}

export function findOperator(name: string): Operator | undefined {
  addOwn()
  return OPERATORS.get(name)
}

/** All that are known by now. */
export function knownOperators(): Operator[] {
  addOwn()
  return [...OPERATORS.values()]
}

export function operatorNames(): string[] {
  return knownOperators().map(({ name }) => name)
}
