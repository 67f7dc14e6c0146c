// A sound node of every operator.
import { addAllOperators } from '../../src/ops/all.ts'
import type { Attribute, Body, GraphNode } from '../../src/ops/graph-data.ts'
import { operatorNames } from '../../src/ops/registry.ts'
import { createData, type DType } from '../../src/values/dtype.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { lengthOf } from '../../src/values/shape.ts'
import { ints } from './one-node.ts'

addAllOperators()

export const zeros = (dtype: DType, ...shape: readonly number[]): NdArray => new NdArray(createData(dtype, lengthOf(shape)), shape)
export const floats = (...shape: number[]): NdArray => zeros('float32', ...shape)
const scalar = (value: number): NdArray => new NdArray(Int32Array.of(value), [])

/** A sound node: its inputs, weights and attributes. */
export interface Sample {
  readonly inputs: readonly NdArray[]
  readonly parameters?: Readonly<Record<string, NdArray>>
  readonly attributes?: Readonly<Record<string, Attribute>>
  /** Which input holds axes. */
  readonly axes?: number
  readonly outputs?: number
  readonly bodies?: Readonly<Record<string, Body>>
}

/** The input of most. */
const x = floats(2, 3, 4)
const unary: Sample = { inputs: [x] }
const binary: Sample = { inputs: [x, x] }
const logic: Sample = { inputs: [zeros('uint8', 2, 3), zeros('uint8', 2, 3)] }
const reduction: Sample = { inputs: [x, ints(1)], axes: 1 }
const three = floats(3)

/** A recurrent layer with so many gates. */
const layer = (gates: number): Sample => ({
  inputs: [x], attributes: { hiddenSize: 2, numLayers: 1 },
  parameters: { '0.forward.inputWeights': floats(2 * gates, 4), '0.forward.recurrentWeights': floats(2 * gates, 2) },
})

/** A graph of one node, from the inputs to `y`. */
const bodyOf = (node: Pick<GraphNode, 'op' | 'inputs'>, ...inputs: Body['inputs']): Body => ({
  inputs, outputs: [{ name: 'y', value: 'y' }], nodes: [{ name: 'inside', outputs: ['y'], parameters: {}, attributes: {}, ...node }],
})
const port = (name: string, dtype: DType, ...shape: number[]): Body['inputs'][number] => ({ name, dtype, shape })

/** A sound node of each operator that is no function of one variable. All inputs may be constants. */
export const SAMPLES: Readonly<Record<string, Sample>> = {
  lstm: layer(4), gru: layer(3), rnn: layer(1),
  loop: {
    inputs: [scalar(2), x, scalar(1)], attributes: { states: 0, scanned: 0, backwards: [0] },
    bodies: { body: bodyOf({ op: 'gather', inputs: ['all', 'index'] }, port('step', 'int32'), port('all', 'float32', 2, 3, 4), port('index', 'int32')) },
  },
  choice: {
    inputs: [zeros('uint8'), x, x], attributes: { thenInputs: 1 },
    bodies: { then: bodyOf({ op: 'neg', inputs: ['all'] }, port('all', 'float32', 2, 3, 4)), else: bodyOf({ op: 'relu', inputs: ['all'] }, port('all', 'float32', 2, 3, 4)) },
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
  gatherNd: { inputs: [x, zeros('int32', 5, 2)] },
  history: { inputs: [x], attributes: { axis: 1, steps: 2 } },
  oneHot: { inputs: [zeros('int32', 2, 3), scalar(3), floats(2)] },
  pad: { inputs: [x, ints(1, 1), new NdArray(Float32Array.of(0), []), ints(1)], axes: 3 },
  random: { inputs: [ints(2, 3)] },
  range: { inputs: [scalar(0), scalar(5), scalar(1)] },
  reshape: { inputs: [x, ints(6, 4)] },
  reverseSequence: { inputs: [x, ints(1, 1, 1)] },
  scatterElements: { inputs: [x, zeros('int32', 2, 3, 4), x] },
  scatterNd: { inputs: [x, zeros('int32', 5, 2), floats(5, 4)] },
  slice: { inputs: [x, ints(0), ints(1), ints(1), ints(1)], axes: 3 },
  split: { inputs: [x], attributes: { axis: 1 }, outputs: 3 },
  squeeze: { inputs: [floats(2, 1, 3), ints(1)], axes: 1 },
  unsqueeze: { inputs: [x, ints(1)], axes: 1 },
  throughIntegers: { inputs: [x], attributes: { scale: 0.5, zero: 3 } },
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
  sumPool: { inputs: [floats(1, 2, 6)], attributes: { kernelShape: [2] } },
  globalAveragePool: unary, globalMaxPool: unary,
  conv: { inputs: [floats(1, 2, 6), floats(3, 2, 2), three] },
  convTranspose: { inputs: [floats(1, 2, 6), floats(2, 3, 2), three] },
  resize: { inputs: [x, ints(2, 4, 3)] },
  gemm: { inputs: [floats(2, 3), floats(3, 4), floats(4)] },
  matMul: { inputs: [x, floats(4, 5)] },
  batchNormalization: { inputs: [x, three, three, three, three] },
  instanceNormalization: { inputs: [x, three, three] },
  layerNormalization: { inputs: [x, floats(4), floats(4)] },
  rmsNormalization: { inputs: [x, floats(4)] },
}

/** The sound node of an operator; functions of one variable are alike. */
export const sampleOf = (op: string): Sample => SAMPLES[op] ?? unary
