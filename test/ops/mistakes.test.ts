// The same mistake has the same code, whichever operator it is made with: one sound node of every operator, and everything that can be wrong with it.
import { describe, expect, it } from 'vitest'
import { LstmError, type LstmErrorCode } from '../../src/errors.ts'
import { GraphBuilder } from '../../src/graph/builder.ts'
import type { GraphNode } from '../../src/ops/graph-data.ts'
import { findOperator, operatorNames } from '../../src/ops/registry.ts'
import { createData, type DType } from '../../src/values/dtype.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { ints } from './one-node.ts'
import { floats, sampleOf, SAMPLES, zeros, type Sample } from './samples.ts'

const DTYPES: readonly DType[] = ['float32', 'int32', 'uint8']
const ALL = operatorNames()

/** The code of the error that the node makes, or undefined where it is sound; inputs from `constants` on are constants. */
function codeOf(op: string, { inputs, parameters = {}, attributes = {}, outputs = 1, bodies }: Omit<Sample, 'inputs'> & { inputs: readonly (NdArray | undefined)[] }, constants = 1): LstmErrorCode | undefined {
  const builder = new GraphBuilder()
  const names = inputs.map((value, n) => {
    if (value === undefined) return ''
    if (n >= constants) builder.constant(`i${n}`, value)
    else builder.input({ name: `i${n}`, dtype: value.dtype, shape: value.shape })
    return `i${n}`
  })
  for (const [role, value] of Object.entries(parameters)) builder.constant(`p.${role}`, value)
  const node: GraphNode = {
    name: 'node', op, inputs: names, outputs: Array.from({ length: outputs }, (_, n) => `o${n}`),
    parameters: Object.fromEntries(Object.keys(parameters).map((role) => [role, `p.${role}`])), attributes, ...(bodies && { bodies }),
  }
  try {
    builder.add(node)
  } catch (error) {
    if (!(error instanceof LstmError)) throw error
    expect(error.message.startsWith(`${op} 'node': `), error.message).toBe(true)
    return error.code
  }
  return undefined
}

const retyped = (value: NdArray, dtype: DType): NdArray => new NdArray(createData(dtype, value.data.length), value.shape)
const withInput = (sample: Sample, position: number, value: NdArray | undefined): readonly (NdArray | undefined)[] =>
  sample.inputs.map((input, n) => (n === position ? value : input))

describe('the same mistake has the same code, whichever operator makes it', () => {
  it.each(ALL)('%s: the sound node is sound', (op) => {
    expect(codeOf(op, sampleOf(op))).toBeUndefined()
    expect(codeOf(op, sampleOf(op), 0)).toBeUndefined()
  })

  it.each(ALL)('%s: an attribute it does not know is UNSUPPORTED, one of a wrong type VALUE', (op) => {
    const sample = sampleOf(op)
    expect(codeOf(op, { ...sample, attributes: { ...sample.attributes, nonsense: 1 } })).toBe('UNSUPPORTED')
    for (const attribute of findOperator(op)?.attributes ?? []) {
      for (const wrong of ['nonsense', [0.5, 'nonsense'] as unknown as string[]]) {
        expect(codeOf(op, { ...sample, attributes: { ...sample.attributes, [attribute]: wrong } }), attribute).toBe('VALUE')
      }
    }
  })

  it.each(ALL.filter((op) => findOperator(op)?.attributes.includes('axis')))('%s: an axis that is not there, or is no whole number, is VALUE', (op) => {
    const sample = sampleOf(op)
    for (const axis of [9, -9, 0.5, NaN, '1', true]) expect(codeOf(op, { ...sample, attributes: { ...sample.attributes, axis } }), String(axis)).toBe('VALUE')
  })

  it.each(ALL.filter((op) => sampleOf(op).axes !== undefined))('%s: an axis that is not there, or is there twice, is VALUE; axes of floats are too', (op) => {
    const sample = sampleOf(op)
    const position = sample.axes as number
    for (const axis of [9, -9]) expect(codeOf(op, { ...sample, inputs: withInput(sample, position, ints(axis)) }), String(axis)).toBe('VALUE')
    expect(codeOf(op, { ...sample, inputs: withInput(sample, position, floats(1)) })).toBe('VALUE')
    if (op.startsWith('reduce') || op.endsWith('squeeze')) expect(codeOf(op, { ...sample, inputs: withInput(sample, position, ints(1, 1)) })).toBe('VALUE')
  })

  it.each(ALL.filter((op) => findOperator(op)?.mostInputs !== Infinity))('%s: too many inputs are UNSUPPORTED', (op) => {
    const { mostInputs } = findOperator(op) as { mostInputs: number }
    const sample = sampleOf(op)
    const inputs = Array.from({ length: mostInputs + 1 }, (_, n) => sample.inputs[n] ?? floats(2, 3, 4))
    expect(codeOf(op, { ...sample, inputs })).toBe('UNSUPPORTED')
  })

  it.each(ALL)('%s: an input that is missing is SHAPE, unless it is optional', (op) => {
    const sample = sampleOf(op)
    expect(codeOf(op, { ...sample, inputs: [] })).toBe('SHAPE')
    sample.inputs.forEach((_, n) => expect(['SHAPE', undefined], `input ${n}`).toContain(codeOf(op, { ...sample, inputs: withInput(sample, n, undefined) })))
    expect(codeOf(op, { ...sample, inputs: withInput(sample, 0, undefined) })).toBe('SHAPE')
  })

  it.each(ALL)('%s: an input of another dtype is VALUE, unless it is taken', (op) => {
    const sample = sampleOf(op)
    for (const constants of [0, 1, Infinity]) {
      sample.inputs.forEach((input, n) => {
        for (const dtype of DTYPES) {
          if (dtype === input.dtype || codeOf(op, sample, constants) !== undefined) continue
          const code = codeOf(op, { ...sample, inputs: withInput(sample, n, retyped(input, dtype)) }, constants)
          expect(['VALUE', undefined], `${dtype} as input ${n}`).toContain(code)
        }
      })
    }
  })

  it.each(ALL)('%s: an input of other axes is SHAPE, unless it is taken', (op) => {
    const sample = sampleOf(op)
    sample.inputs.forEach((input, n) => {
      for (const shape of [[], [7], [7, 5], [1, 7, 5, 3, 2]]) {
        const isList = n > 0 && input.dtype === 'int32' && shape.length === 1
        if (shape.length === input.shape.length || isList) continue
        const code = codeOf(op, { ...sample, inputs: withInput(sample, n, zeros(input.dtype, ...shape)) })
        // Where there are fewer axes, one that is asked for may not be there.
        const hasAxis = sample.axes !== undefined || sample.attributes?.axis !== undefined
        // Graphs inside have axes, and branches that must give the same.
        const codes = ['SHAPE', undefined, ...(hasAxis || sample.bodies !== undefined ? ['VALUE'] : []), ...(sample.bodies === undefined ? [] : ['UNSUPPORTED'])]
        expect(codes, `[${shape.join()}] as input ${n}`).toContain(code)
      }
    })
  })

  it.each(ALL)('%s: weights that are missing or of another shape are SHAPE, of another dtype VALUE, unknown ones UNSUPPORTED', (op) => {
    const sample = sampleOf(op)
    const { parameters = {} } = sample
    expect(codeOf(op, { ...sample, parameters: { ...parameters, nonsense: floats(1) } })).toBe('UNSUPPORTED')
    for (const [role, value] of Object.entries(parameters)) {
      const others = Object.fromEntries(Object.entries(parameters).filter(([name]) => name !== role))
      expect(role === 'bias' ? undefined : 'SHAPE').toBe(codeOf(op, { ...sample, parameters: others }))
      expect(codeOf(op, { ...sample, parameters: { ...parameters, [role]: floats(7, 7, 7) } }), role).toBe('SHAPE')
      expect(codeOf(op, { ...sample, parameters: { ...parameters, [role]: retyped(value, 'int32') } }), role).toBe('VALUE')
    }
  })

  it('every operator has weights or a sample of its own, unless it is a function of one variable', () => {
    for (const op of ALL) if (findOperator(op)?.mostInputs !== 1) expect(SAMPLES, op).toHaveProperty(op)
  })
})
