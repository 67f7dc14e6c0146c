// One operator at a time: in a graph of one node on a binary, and folded by the graph builder.
import { Buffer } from 'node:buffer'
import { expect } from 'vitest'
import { GraphBuilder } from '../../src/graph/builder.ts'
import type { Graph, GraphNode } from '../../src/graph/graph.ts'
import { compile } from '../../src/model/load.ts'
import { Model } from '../../src/model/model.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { createData, type DType } from '../../src/values/dtype.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { lengthOf, type Shape, type SymbolicShape } from '../../src/values/shape.ts'
import { addAllOperators } from '../../src/ops/all.ts'
import { pseudoRandom } from '../random.ts'
import '../guards.ts'

addAllOperators()

/** Distinct elements of any dtype (uint8: as far as there are). */
export function data(dtype: DType, shape: Shape, seed: number = 1): NdArray {
  const length = lengthOf(shape)
  if (dtype === 'float32') return new NdArray(pseudoRandom(seed, length, 4), shape)
  const elements = createData(dtype, length)
  for (let n = 0; n < length; n++) elements[n] = dtype === 'uint8' ? (n * 37 + seed) % 251 : n * 7919 - 4000 * seed
  return new NdArray(elements, shape)
}

export const ints = (...values: number[]): NdArray => new NdArray(Int32Array.from(values), [values.length])

/** The array whose element at every index is what `element` says: the reference of all operators that move elements. */
export function make(dtype: DType, shape: Shape, element: (index: readonly number[]) => number): NdArray {
  const elements = createData(dtype, lengthOf(shape))
  for (let n = 0; n < elements.length; n++) {
    const index: number[] = []
    let rest = n
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index.unshift(rest % (shape[axis] as number))
      rest = Math.floor(rest / (shape[axis] as number))
    }
    elements[n] = element(index)
  }
  return new NdArray(elements, shape)
}

/** The element at an index; throws for an index outside. */
export function at({ shape, data: elements }: NdArray, index: readonly number[]): number {
  let position = 0
  // Not expect, which takes longer than all else here: this is asked for every element.
  if (index.length !== shape.length) throw new Error(`index ${index.join()} of ${shape.join()}`)
  for (let axis = 0; axis < shape.length; axis++) {
    const [n, size] = [index[axis] as number, shape[axis] as number]
    if (n < 0 || n >= size) throw new Error(`index ${index.join()} outside ${shape.join()}`)
    position = position * size + n
  }
  return elements[position] as number
}

export interface OneNode {
  readonly op: string
  readonly attributes?: GraphNode['attributes']
  /** Arrays that flow in at run time; null where one is absent. */
  readonly inputs: readonly (NdArray | null)[]
  /** Positions of inputs that are constants. Default: all but the first. */
  readonly constants?: readonly number[]
  /** Number of outputs. Default 1. */
  readonly outputs?: number
}

const inputName = (n: number): string => `x${n}`
const outputName = (n: number): string => (n === 0 ? 'y' : `y${n}`)

function nodeOf({ op, attributes = {}, inputs, outputs = 1 }: OneNode): GraphNode {
  const names = inputs.map((input, n) => (input === null ? '' : inputName(n)))
  return { name: 'node', op, inputs: names, outputs: Array.from({ length: outputs }, (_, n) => outputName(n)), parameters: {}, attributes }
}

/** A builder that holds the node `op 'node'` of x0, x1, ...; `shapes` are those of inputs in the graph, where they are not the arrays' own. */
function builderOf(one: OneNode, constants: readonly number[], shapes: readonly (SymbolicShape | undefined)[] = []): GraphBuilder {
  const builder = new GraphBuilder()
  one.inputs.forEach((array, n) => {
    if (array === null) return
    if (constants.includes(n)) builder.constant(inputName(n), array)
    else builder.input({ name: inputName(n), dtype: array.dtype, shape: shapes[n] ?? array.shape })
  })
  builder.add(nodeOf(one))
  return builder
}

const allButFirst = ({ inputs }: OneNode): number[] => inputs.map((_, n) => n).slice(1)

/** A graph of the one node; `symbolic` names sizes of the first input. Nothing of it is checked or folded yet. */
function graphOf(one: OneNode, symbolic?: SymbolicShape): Graph {
  const node = nodeOf(one)
  const fixed = one.constants ?? allButFirst(one)
  const present = one.inputs.flatMap((array, n) => (array === null ? [] : [{ array, n, name: inputName(n) }]))
  return {
    inputs: present.filter(({ n }) => !fixed.includes(n)).map(({ array, n, name }) => (
      { name, dtype: array.dtype, shape: n === 0 && symbolic !== undefined ? symbolic : array.shape }
    )),
    outputs: node.outputs.map((value) => ({ name: value, value })),
    nodes: [node],
    constants: new Map(present.filter(({ n }) => fixed.includes(n)).map(({ name, array }) => [name, array])),
  }
}

/** The outputs of a run; twice, which must be alike. */
export async function run(runtime: Runtime, one: OneNode, symbolic?: SymbolicShape): Promise<NdArray[]> {
  const graph = graphOf(one, symbolic)
  const model = await compile(graph, { runtime })
  const inputs = Object.fromEntries(graph.inputs.map(({ name }) => [name, one.inputs[Number(name.slice(1))] as NdArray]))
  const results = [model.run(inputs), model.run(inputs)].map((outputs) => graph.outputs.map(({ name }) => outputs[name] as NdArray))
  model.dispose()
  const [first, second] = results as [NdArray[], NdArray[]]
  // Not toEqual, which takes seconds for a million elements.
  first.forEach((array, n) => expect(Buffer.from(array.data.buffer).equals(Buffer.from((second[n] as NdArray).data.buffer)), `output ${n} of a second run`).toBe(true))
  return first
}

/** The outputs with everything constant; undefined when the node is not folded. */
export function fold(one: OneNode): NdArray[] | undefined {
  const builder = builderOf(one, one.inputs.map((_, n) => n))
  const values = nodeOf(one).outputs.map((name) => builder.value(name))
  return values.every((value) => value !== undefined) ? values as NdArray[] : undefined
}

/** Checks both ways against the expected outputs: dtypes, shapes, and elements to the bit. */
export async function check(runtime: Runtime, one: OneNode, ...expected: NdArray[]): Promise<void> {
  const all = { ...one, outputs: expected.length }
  const plain = (arrays: readonly NdArray[] | undefined): unknown => arrays?.map(({ dtype, shape, data: elements }) => ({ dtype, shape: [...shape], elements }))
  expect(plain(fold(all)), `${one.op} folded`).toEqual(plain(expected))
  // Inputs have no axes of length 0: those cases are for constants.
  if (one.inputs.some((input, n) => input !== null && input.data.length === 0 && !(one.constants ?? allButFirst(one)).includes(n))) return
  expect(plain(await run(runtime, all)), `${one.op} run`).toEqual(plain(expected))
}

export type Attributes = GraphNode['attributes']

export interface NodeOptions {
  readonly attributes?: Attributes
  /** Positions of inputs that are constants of the graph; all others are given when it runs. */
  readonly constants?: readonly number[]
  /** Shapes of inputs in the graph, where they are not the values' own. */
  readonly shapes?: readonly (SymbolicShape | undefined)[]
}

const simd: Runtime = await createRuntime({ variant: 'simd' })

/** A builder that holds the node; undefined stands for an absent input. */
export function buildNode(op: string, inputs: readonly (NdArray | undefined)[], { attributes = {}, constants = [], shapes }: NodeOptions = {}): GraphBuilder {
  return builderOf({ op, attributes, inputs: inputs.map((input) => input ?? null) }, constants, shapes)
}

/** A model of one node on the simd binary. */
export function modelOf(op: string, inputs: readonly (NdArray | undefined)[], options: NodeOptions = {}): Model {
  return new Model(simd, buildNode(op, inputs, options).finish([{ name: 'y', value: 'y' }]))
}

/** The result of the node on the simd binary. */
export function runNode(op: string, inputs: readonly (NdArray | undefined)[], options: NodeOptions = {}): NdArray {
  const { constants = [] } = options
  const model = modelOf(op, inputs, options)
  try {
    const given = inputs.flatMap((value, n) => (value === undefined || constants.includes(n) ? [] : [[inputName(n), value] as const]))
    return model.run(Object.fromEntries(given)).y as NdArray
  } finally {
    model.dispose()
  }
}

/** What the builder makes of the node when all its inputs are constants; undefined where it does not fold. */
export function foldNode(op: string, inputs: readonly (NdArray | undefined)[], attributes: Attributes = {}): NdArray | undefined {
  return fold({ op, attributes, inputs: inputs.map((input) => input ?? null) })?.[0]
}
