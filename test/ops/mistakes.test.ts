// The same mistake has the same code, whichever operator it is made with: one sound node of every operator, and everything that can be wrong with it.
import { describe, expect, it } from 'vitest'
import { LstmError, type LstmErrorCode } from '../../src/errors.ts'
import { GraphBuilder } from '../../src/graph/builder.ts'
import { addAllOperators } from '../../src/ops/all.ts'
import type { Attribute, GraphNode } from '../../src/ops/operator.ts'
import { findOperator, operatorNames } from '../../src/ops/registry.ts'
import { createData, type DType } from '../../src/values/dtype.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { lengthOf } from '../../src/values/shape.ts'
import { ints } from './one-node.ts'

addAllOperators()

const DTYPES: readonly DType[] = ['float32', 'int32', 'uint8']
const zeros = (dtype: DType, ...shape: readonly number[]): NdArray => new NdArray(createData(dtype, lengthOf(shape)), shape)
const floats = (...shape: number[]): NdArray => zeros('float32', ...shape)
const scalar = (value: number): NdArray => new NdArray(Int32Array.of(value), [])

interface Sample {
  readonly inputs: readonly NdArray[]
  readonly parameters?: Readonly<Record<string, NdArray>>
  readonly attributes?: Readonly<Record<string, Attribute>>
  /** Which input holds axes. */
  readonly axes?: number
  readonly outputs?: number
}

const x = floats(2, 3, 4)
const unary: Sample = { inputs: [x] }
const binary: Sample = { inputs: [x, x] }
const logic: Sample = { inputs: [zeros('uint8', 2, 3), zeros('uint8', 2, 3)] }
const reduction: Sample = { inputs: [x, ints(1)], axes: 1 }
const three = floats(3)

/** A sound node of each operator that is no function of one variable. All inputs may be constants. */
const SAMPLES: Readonly<Record<string, Sample>> = {
  lstm: {
    inputs: [x], attributes: { hiddenSize: 2, numLayers: 1 },
    parameters: { '0.forward.inputWeights': floats(8, 4), '0.forward.recurrentWeights': floats(8, 2) },
  },
  linear: { inputs: [x], parameters: { weight: floats(5, 4), bias: floats(5) } },
  embedding: { inputs: [zeros('int32', 2, 3)], parameters: { weight: floats(5, 4) } },
  dropout: unary, softmax: unary, logSoftmax: unary, identity: unary, flatten: unary, shape: unary, size: unary, transpose: unary,
  cast: { inputs: [x], attributes: { to: 'int32' } },
  concat: { inputs: [x, x], attributes: { axis: 1 } },
  constantOfShape: { inputs: [ints(2, 3)] },
  expand: { inputs: [x, ints(2, 3, 4)] },
  gather: { inputs: [x, ints(0)] },
  gatherElements: { inputs: [x, zeros('int32', 2, 3, 4)] },
  history: { inputs: [x], attributes: { axis: 1, steps: 2 } },
  oneHot: { inputs: [zeros('int32', 2, 3), scalar(3), floats(2)] },
  pad: { inputs: [x, ints(1, 1), new NdArray(Float32Array.of(0), []), ints(1)], axes: 3 },
  range: { inputs: [scalar(0), scalar(5), scalar(1)] },
  reshape: { inputs: [x, ints(6, 4)] },
  reverseSequence: { inputs: [x, ints(1, 1, 1)] },
  scatterElements: { inputs: [x, zeros('int32', 2, 3, 4), x] },
  slice: { inputs: [x, ints(0), ints(1), ints(1), ints(1)], axes: 3 },
  split: { inputs: [x], attributes: { axis: 1 }, outputs: 3 },
  squeeze: { inputs: [floats(2, 1, 3), ints(1)], axes: 1 },
  unsqueeze: { inputs: [x, ints(1)], axes: 1 },
  tile: { inputs: [x, ints(1, 2, 1)] },
  trilu: { inputs: [x, scalar(0)] },
  where: { inputs: [zeros('uint8', 2, 3, 4), x, x] },
  add: binary, sub: binary, mul: binary, div: binary, min: binary, max: binary, mod: binary, pow: binary, sum: binary,
  clip: { inputs: [x, floats(), floats()] },
  and: logic, or: logic, xor: logic, not: { inputs: [zeros('uint8', 2, 3)] },
  equal: binary, greater: binary, greaterOrEqual: binary, less: binary, lessOrEqual: binary,
  argMax: unary, argMin: unary,
  cumSum: { inputs: [x, ints(1)], axes: 1 }, topK: { inputs: [x, ints(2)] },
  ...Object.fromEntries(operatorNames().filter((name) => name.startsWith('reduce')).map((name) => [name, reduction])),
  averagePool: { inputs: [floats(1, 2, 6)], attributes: { kernelShape: [2] } },
  maxPool: { inputs: [floats(1, 2, 6)], attributes: { kernelShape: [2] } },
  globalAveragePool: unary, globalMaxPool: unary,
  conv: { inputs: [floats(1, 2, 6), floats(3, 2, 2), three] },
  convTranspose: { inputs: [floats(1, 2, 6), floats(2, 3, 2), three] },
  gemm: { inputs: [floats(2, 3), floats(3, 4), floats(4)] },
  matMul: { inputs: [x, floats(4, 5)] },
  batchNormalization: { inputs: [x, three, three, three, three] },
  instanceNormalization: { inputs: [x, three, three] },
  layerNormalization: { inputs: [x, floats(4), floats(4)] },
  rmsNormalization: { inputs: [x, floats(4)] },
}

const sampleOf = (op: string): Sample => SAMPLES[op] ?? unary
const ALL = operatorNames()

/** The code of the error that the node makes, or undefined where it is sound; inputs from `constants` on are constants. */
function codeOf(op: string, { inputs, parameters = {}, attributes = {}, outputs = 1 }: Omit<Sample, 'inputs'> & { inputs: readonly (NdArray | undefined)[] }, constants = 1): LstmErrorCode | undefined {
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
    parameters: Object.fromEntries(Object.keys(parameters).map((role) => [role, `p.${role}`])), attributes,
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
    const inputs = Array.from({ length: mostInputs + 1 }, (_, n) => sample.inputs[n] ?? x)
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
        expect(hasAxis ? ['SHAPE', undefined, 'VALUE'] : ['SHAPE', undefined], `[${shape.join()}] as input ${n}`).toContain(code)
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
