// Families of operators: what they say they hold, and that nothing is loaded before a model names it.
import { describe, expect, it } from 'vitest'
import { addAllOperators } from '../../src/ops/all.ts'
import { addCommonOperators } from '../../src/ops/common-operators.ts'
import { FAMILIES, loadOnnxOperators, loadOperatorsNamed } from '../../src/ops/families.ts'
import { findOperator, operatorNames } from '../../src/ops/registry.ts'

const own = operatorNames()
addCommonOperators()
const common = operatorNames()
const families = Object.entries(FAMILIES)

describe.each(families)('the family %s', (_name, { operators, onnx, load }) => {
  it('is not known before it is named', async () => {
    await loadOperatorsNamed(['lstm', 'add', 'no operator'])
    await loadOnnxOperators(['LSTM', 'Add', 'NoOperator'])
    expect(operators.filter((name) => common.includes(name) || findOperator(name) !== undefined)).toEqual([])
  })

  it('says what it holds, and which operators of ONNX need it', async () => {
    const loaded = await load()
    expect(loaded.map(({ name }) => name).sort()).toEqual([...operators].sort())
    const needed = loaded.flatMap((operator) => [operator.onnx ?? []].flat())
    expect(needed.filter((name) => !onnx.includes(name))).toEqual([])
  })
})

it('families are known once one of their operators is named, by our name or that of ONNX', async () => {
  for (const [, { operators, onnx }] of families) {
    if (onnx.length > 0) await loadOnnxOperators([onnx.at(-1) as string])
    else await loadOperatorsNamed([operators.at(-1) as string])
    expect(operators.filter((name) => findOperator(name) === undefined)).toEqual([])
  }
})

it('all operators are those of layers, the common ones and those of all families', () => {
  addAllOperators()
  expect(operatorNames().sort()).toEqual([...new Set([...own, ...common, ...families.flatMap(([, { operators }]) => operators)])].sort())
})
