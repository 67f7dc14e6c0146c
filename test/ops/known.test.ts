// What must be loaded before a graph can run.
import { expect, it } from 'vitest'
import { isKnown } from '../../src/ops/known.ts'
import type { Attribute, GraphNode } from '../../src/ops/graph-data.ts'

const node = (op: string, activations?: Attribute): GraphNode => (
  { name: 'n', op, inputs: [], outputs: [], parameters: {}, attributes: activations === undefined ? {} : { activations } }
)

it('is an operator that nobody has loaded, or a function that a layer names', () => {
  expect(isKnown(node('lstm'))).toBe(true)
  expect(isKnown(node('lstm', ['sigmoid', 'tanh', 'tanh']))).toBe(true)
  expect(isKnown(node('lstm', ['sigmoid', 'tanh', 'noSuchFunction']))).toBe(false)
  expect(isKnown(node('noSuchOperator'))).toBe(false)
  // What is no list is refused by the operator, not by what loads it.
  expect(isKnown(node('lstm', 'tanh'))).toBe(true)
})
