// The gradients of a graph of one node, on the simd binary.
import type { GradientRules } from '../../src/gradients/rule.ts'
import { differentiate } from '../../src/gradients/differentiate.ts'
import { allFamilies } from '../../src/gradients/late/all.ts'
import type { Graph, GraphNode } from '../../src/graph/graph.ts'
import { typeGraph } from '../../src/graph/infer.ts'
import { Model } from '../../src/model/model.ts'
import { addAllOperators } from '../../src/ops/all.ts'
import { addOperators } from '../../src/ops/registry.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import { trainingRuntime } from '../../src/runtime/gradient-kernels.ts'
import type { ArrayLike, NdArray } from '../../src/values/ndarray.ts'
import '../guards.ts'

addAllOperators()

/** Every rule. */
const { operators, rules: RULES } = allFamilies()
addOperators(operators)

const runtime = await trainingRuntime(await createRuntime({ variant: 'simd' }))

/** A node, and what it is given. */
export interface Sample {
  readonly op: string
  readonly attributes?: GraphNode['attributes'] | undefined
  /** null for an absent input. */
  readonly inputs: readonly (NdArray | null)[]
  /** Positions of inputs that are constants. Default: none. */
  readonly constants?: readonly number[] | undefined
  /** Number of outputs. Default 1. */
  readonly outputs?: number | undefined
}

/** What a differentiated node came to. */
export interface Differences {
  /** Its first output. */
  readonly output: NdArray
  /** The gradient of each input that is float32 and no constant; undefined where the output does not depend on it. */
  readonly gradients: readonly (NdArray | undefined)[]
}

const nameOf = (position: number): string => `x${position}`

/** The graph of the node, its inputs by name, and which of these are differentiated. */
function graphOf({ op, attributes = {}, inputs, constants = [], outputs = 1 }: Sample): { readonly graph: Graph, readonly wanted: string[] } {
  const present = inputs.flatMap((array, position) => (array === null ? [] : [{ array, position, name: nameOf(position) }]))
  const graph: Graph = {
    inputs: present.filter(({ position }) => !constants.includes(position)).map(({ array, name }) => ({ name, dtype: array.dtype, shape: array.shape })),
    outputs: Array.from({ length: outputs }, (_, n) => ({ name: `y${n}`, value: `y${n}` })),
    nodes: [{
      name: 'node', op, inputs: inputs.map((array, position) => (array === null ? '' : nameOf(position))),
      outputs: Array.from({ length: outputs }, (_, n) => `y${n}`), parameters: {}, attributes,
    }],
    constants: new Map(present.filter(({ position }) => constants.includes(position)).map(({ array, name }) => [name, array])),
  }
  return { graph, wanted: graph.inputs.filter(({ dtype }) => dtype === 'float32').map(({ name }) => name) }
}

/** The outputs of a graph on the simd binary, run twice, which must be alike. */
export function runGraph(graph: Graph, inputs: Readonly<Record<string, ArrayLike>>): Record<string, NdArray> {
  const model = new Model(runtime, graph)
  const [first, second] = [model.run(inputs), model.run(inputs)] as [Record<string, NdArray>, Record<string, NdArray>]
  model.dispose()
  for (const [name, array] of Object.entries(first)) {
    if (!array.data.every((value, n) => Object.is(value, second[name]?.data[n]))) throw new Error(`'${name}' is another one in a second run`)
  }
  return first
}

/**
 * The gradients of sum(seed * output).
 * @param seed made from the shape of the output that is differentiated
 * @param output which one that is. Default 0
 */
export function gradientsOf(sample: Sample, seedOf: (shape: readonly number[]) => NdArray, output: number = 0, rules: GradientRules = RULES): Differences {
  const { graph, wanted } = graphOf(sample)
  const typed = typeGraph(graph)
  const shape = typed.types.get(`y${output}`)?.shape as readonly number[]
  const seed = seedOf(shape)
  const seeded = typeGraph({ ...graph, inputs: [...graph.inputs, { name: 'seed', dtype: 'float32', shape }] })
  const { graph: made, gradients } = differentiate(seeded, { loss: `y${output}`, seed: 'seed', wanted }, rules)
  const given = sample.inputs.flatMap((array, position) => (
    array === null || sample.constants?.includes(position) === true ? [] : [[nameOf(position), array] as const]
  ))
  const first = runGraph(made.graph, { ...Object.fromEntries(given), seed })
  return {
    output: first[`y${output}`] as NdArray,
    gradients: sample.inputs.map((_, position) => (gradients.get(nameOf(position)) === undefined ? undefined : first[`gradient of ${nameOf(position)}`])),
  }
}
