import { LstmError } from '../errors.ts'
import type { Graph, GraphNode } from '../graph/graph.ts'
import { typeGraph, type TypedGraph } from '../graph/infer.ts'
import { compile } from '../model/load.ts'
import type { Model, OutputDTypes } from '../model/model.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { createData, type DType } from '../values/dtype.ts'
import { NdArray } from '../values/ndarray.ts'
import { lengthOf, type Shape } from '../values/shape.ts'

const ROUNDS = 7
const ROUND_MILLISECONDS = 1
/** Engines compile what is hot once more: the first milliseconds are not what comes. */
const WARM_UP_MILLISECONDS = 5

/** The graph with numbers for all sizes: those of the data, or ones. Undefined where it does not go with ones. */
export function typedAt(graph: Graph, shapes: ReadonlyMap<string, Shape> | undefined): TypedGraph | undefined {
  const sizes = shapes ?? new Map(graph.inputs.map(({ name, shape }) => [name, shape.map((size) => (typeof size === 'number' ? size : 1))]))
  try {
    return typeGraph(graph, sizes)
  } catch (error) {
    if (error instanceof LstmError && shapes === undefined) return undefined
    throw error
  }
}

/** One node as a graph of its own; undefined where it is not in the typed graph. */
function alone(name: string, { graph, types }: TypedGraph): Graph | undefined {
  const node = graph.nodes.find((candidate) => candidate.name === name)
  const output = node?.outputs.find((value) => value !== '')
  if (node === undefined || output === undefined) return undefined
  const inputs = [...new Set(node.inputs)].filter((value) => value !== '' && !graph.constants.has(value))
  const used = new Set([...node.inputs, ...Object.values(node.parameters)])
  return {
    inputs: inputs.map((value) => ({ name: value, ...types.get(value) as { dtype: DType, shape: Shape } })),
    outputs: [{ name: 'output', value: output }],
    nodes: [node],
    constants: new Map([...graph.constants].filter(([constant]) => used.has(constant))),
  }
}

/** Numbers between -1 and 1 that are no pattern; ones for masks, zeros for indices. */
function someData(dtype: DType, shape: Shape): NdArray {
  const data = createData(dtype, lengthOf(shape))
  if (dtype === 'float32') for (let n = 0; n < data.length; n++) data[n] = Math.sin(n * 12.9898)
  else if (dtype === 'uint8') data.fill(1)
  return new NdArray(data, shape)
}

/** Microseconds that one node takes, as it is and with other weights: medians of rounds by turns. NaN where it cannot be told. */
export async function timeOfLayer(
  { name }: GraphNode, typed: TypedGraph | undefined, changed: Graph['constants'], runtime: Runtime,
): Promise<readonly [before: number, after: number]> {
  const before = typed === undefined ? undefined : alone(name, typed)
  if (before === undefined) return [NaN, NaN]
  const after: Graph = { ...before, constants: new Map([...before.constants].map(([constant, array]) => [constant, changed.get(constant) ?? array])) }
  const models: Model<OutputDTypes>[] = []
  try {
    for (const graph of [before, after]) models.push(await compile<OutputDTypes>(graph, { runtime, streams: false }))
    const inputs = Object.fromEntries(before.inputs.map(({ name: input, dtype, shape }) => [input, someData(dtype, shape as Shape)]))
    const runs = models.map((model) => {
      const into = model.run(inputs)
      return (): unknown => model.run(inputs, { into })
    })
    for (const run of runs) for (const begin = performance.now(); performance.now() - begin < WARM_UP_MILLISECONDS;) run()
    const times = runs.map((run) => repeats(run))
    const rounds = Array.from({ length: ROUNDS }, () => runs.map((run, n) => timed(run, times[n] as number)))
    return [median(rounds.map(([first]) => first as number)), median(rounds.map(([, second]) => second as number))]
  } finally {
    for (const model of models) model.dispose()
  }
}

/** How often it runs in the time of a round. */
function repeats(run: () => unknown): number {
  let count = 1
  while (timed(run, count) * count < ROUND_MILLISECONDS * 1000 && count < 2 ** 20) count *= 2
  return count
}

/** Microseconds of one run. */
function timed(run: () => unknown, count: number): number {
  const begin = performance.now()
  for (let n = 0; n < count; n++) run()
  return (performance.now() - begin) * 1000 / count
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number
}
