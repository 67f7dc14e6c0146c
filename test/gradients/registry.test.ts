import { describe, expect, it } from 'vitest'
import { familiesOf } from '../../src/gradients/families.ts'
import { allFamilies } from '../../src/gradients/late/all.ts'
import { addAllOperators } from '../../src/ops/all.ts'
import { knownOperators } from '../../src/ops/registry.ts'

addAllOperators()

/** Operators of models that cannot be trained through, and why. */
const WITHOUT: Readonly<Record<string, string>> = {
  choice: 'graphs inside nodes are not differentiated',
  loop: 'graphs inside nodes are not differentiated',
  history: 'streams alone have it',
  resize: 'no model around an LSTM that was seen has one',
}

const { operators, rules, lowerings } = allFamilies()
const known = new Set([...Object.keys(rules), ...Object.keys(lowerings)])

describe('every operator of the registry', () => {
  it('has a gradient, or a reason why it has none', () => {
    const own = new Set(operators.map(({ name }) => name))
    const names = knownOperators().filter(({ name }) => !own.has(name)).map(({ name }) => name)
    expect(names.length).toBeGreaterThan(100)
    expect(names.filter((name) => !known.has(name)).sort()).toEqual(Object.keys(WITHOUT).sort())
  })

  it('is there for every rule', () => {
    const names = new Set([...knownOperators(), ...operators].map(({ name }) => name))
    expect(Object.keys(rules).filter((name) => !names.has(name))).toEqual([])
  })
})

describe('families of gradients', () => {
  it.each(knownOperators().map(({ name }) => name).filter((name) => known.has(name)))('%s is in the family that is loaded for it', async (name) => {
    const family = await familiesOf([name], [])
    expect(name in family.rules || name in family.lowerings).toBe(true)
  })
})
