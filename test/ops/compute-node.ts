// Graphs of one node: run, or folded while they are built.
import { GraphBuilder } from '../../src/graph/builder.ts'
import type { Attribute } from '../../src/ops/operator.ts'
import { Model } from '../../src/model/model.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import type { ArrayLike, NdArray } from '../../src/values/ndarray.ts'
import { addAllOperators } from '../../src/ops/all.ts'
import '../guards.ts'
import type { SymbolicShape } from '../../src/values/shape.ts'

addAllOperators()

const runtime: Runtime = await createRuntime({ variant: 'simd' })

export type Attributes = Readonly<Record<string, Attribute>>

export interface NodeOptions {
  readonly attributes?: Attributes
  /** Positions of inputs that are constants of the graph; all others are given when it runs. */
  readonly constants?: readonly number[]
  /** Shapes of inputs in the graph, where they are not the values' own. */
  readonly shapes?: readonly (SymbolicShape | undefined)[]
}

/** A builder that holds the node `op 'node'`; undefined stands for an absent input. */
export function buildNode(op: string, inputs: readonly (ArrayLike | undefined)[], options: NodeOptions = {}): GraphBuilder {
  const { attributes = {}, constants = [], shapes = [] } = options
  const builder = new GraphBuilder()
  const names = inputs.map((value, position) => {
    if (value === undefined) return ''
    const name = `x${position}`
    if (constants.includes(position)) builder.constant(name, value)
    else builder.input({ name, dtype: value.dtype, shape: shapes[position] ?? value.shape })
    return name
  })
  builder.add({ name: 'node', op, inputs: names, outputs: ['y'], parameters: {}, attributes })
  return builder
}

/** A model of one node on the simd binary. */
export function modelOf(op: string, inputs: readonly (ArrayLike | undefined)[], options: NodeOptions = {}): Model {
  return new Model(runtime, buildNode(op, inputs, options).finish([{ name: 'y', value: 'y' }]))
}

/** The result of the node on the simd binary. */
export function runNode(op: string, inputs: readonly (ArrayLike | undefined)[], options: NodeOptions = {}): NdArray {
  const { constants = [] } = options
  const model = modelOf(op, inputs, options)
  try {
    const given = inputs.flatMap((value, position) => (value === undefined || constants.includes(position) ? [] : [[`x${position}`, value] as const]))
    return model.run(Object.fromEntries(given)).y as NdArray
  } finally {
    model.dispose()
  }
}

/** What the builder makes of the node when all its inputs are constants; undefined where it does not fold. */
export function foldNode(op: string, inputs: readonly (ArrayLike | undefined)[], attributes: Attributes = {}): ArrayLike | undefined {
  return buildNode(op, inputs, { attributes, constants: inputs.map((_, position) => position) }).value('y')
}
