import { describe, expect, it } from 'vitest'
import { LINEAR_LOWERINGS, LINEAR_RULES } from '../../src/gradients/linear.ts'
import { lowerings } from '../../src/gradients/lower/lowerings.ts'
import { RULES } from '../../src/gradients/rules.ts'
import { addAllOperators } from '../../src/ops/all.ts'
import { knownOperators } from '../../src/ops/registry.ts'
import { TRAINING } from '../../src/ops/training/family.ts'

addAllOperators()

/** Operators of models that cannot be trained through, and why. */
const WITHOUT: Readonly<Record<string, string>> = {
  choice: 'graphs inside nodes are not differentiated',
  loop: 'graphs inside nodes are not differentiated',
  history: 'streams alone have it',
  resize: 'no model around an LSTM that was seen has one',
}

const known = new Set([RULES, LINEAR_RULES, LINEAR_LOWERINGS, lowerings()].flatMap((all) => Object.keys(all)))

describe('every operator of the registry', () => {
  it('has a gradient, or a reason why it has none', () => {
    const own = new Set(TRAINING.map(({ name }) => name))
    // Recurrent layers have lowerings of their own.
    const names = knownOperators().filter(({ name, recurrent }) => !own.has(name) && recurrent === undefined).map(({ name }) => name)
    expect(names.length).toBeGreaterThan(100)
    expect(names.filter((name) => !known.has(name)).sort()).toEqual(Object.keys(WITHOUT).sort())
  })

  it('is there for every rule', () => {
    const names = new Set([...knownOperators(), ...TRAINING].map(({ name }) => name))
    expect(Object.keys(RULES).filter((name) => !names.has(name))).toEqual([])
  })
})
