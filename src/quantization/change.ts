import { LstmError } from '../errors.ts'
import type { Graph, GraphInput } from '../graph/graph.ts'
import { compile } from '../model/load.ts'
import type { OutputDTypes } from '../model/model.ts'
import { places, shapesOfInputs, takeInputs, type RunInputs, type Taken } from '../plan/binding.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { NdArray } from '../values/ndarray.ts'
import type { Shape } from '../values/shape.ts'
import { withConstants } from './fate.ts'
import type { OutputChange } from './report.ts'

/** Outputs of all runs, by name. */
type RunsOutputs = readonly Readonly<Record<string, NdArray>>[]

/**
 * The runs of `data`, and the shapes of the first one's inputs.
 * @throws LstmError `VALUE` for no runs, and for numbers that are not finite: they would be compared with nothing; and as `model.run`
 */
function checkedRuns(
  data: RunInputs | readonly RunInputs[], ports: readonly GraphInput[], runtime: Runtime,
): [readonly RunInputs[], ReadonlyMap<string, Shape>] {
  const runs = (Array.isArray(data) ? data : [data]) as readonly RunInputs[]
  const shapes = runs.map((run, n) => {
    const taken = places(ports.length)
    takeInputs(ports, run, [], taken)
    const found = shapesOfInputs(ports, taken, runtime)
    ports.forEach(({ name }, position) => {
      const { tensor, data: given } = taken[position] as Taken
      const at = (tensor?.data ?? given)?.findIndex((number) => !Number.isFinite(number)) ?? -1
      if (at >= 0) throw new LstmError('VALUE', `quantize: data of run ${n}, input '${name}': expected finite numbers, got ${(tensor?.data ?? given)?.[at]} at element ${at}`)
    })
    return found
  })
  const [first] = shapes
  if (first === undefined) throw new LstmError('VALUE', 'quantize: expected data of one run at least, got an empty list')
  return [runs, first]
}

/** How far each output moved. */
function changeOf(from: RunsOutputs, to: RunsOutputs): Record<string, OutputChange> {
  return Object.fromEntries(Object.keys(from[0] as object).map((name) => {
    let [most, change, size, count] = [0, 0, 0, 0]
    from.forEach((outputs, n) => {
      const now = (to[n]?.[name] as NdArray).data
      ;(outputs[name] as NdArray).data.forEach((value, at) => {
        const difference = Math.abs(value - (now[at] as number))
        if (!(difference <= most)) most = difference
        change += difference * difference
        size += value * value
        count++
      })
    })
    return [name, { most, rms: Math.sqrt(change / count), relative: change === 0 ? 0 : Math.sqrt(change / size) }]
  }))
}

/** The most that an output moved, relative to itself. */
export function worstOf(change: Readonly<Record<string, OutputChange>>): number {
  return Object.values(change).reduce((most, { relative }) => (relative <= most ? most : relative), 0)
}

/** Runs a graph with other weights on the same data. */
export class Measure {
  /** Shapes of the inputs of the first run. */
  readonly shapes: ReadonlyMap<string, Shape>
  readonly #graph: Graph
  readonly #runtime: Runtime
  readonly #runs: readonly RunInputs[]
  readonly #outputs: RunsOutputs

  private constructor(graph: Graph, runtime: Runtime, runs: readonly RunInputs[], shapes: ReadonlyMap<string, Shape>, outputs: RunsOutputs) {
    this.#graph = graph
    this.#runtime = runtime
    this.#runs = runs
    this.#outputs = outputs
    this.shapes = shapes
  }

  /** @throws LstmError for data that do not fit: see `checkedRuns` */
  static async of(graph: Graph, runtime: Runtime, data: RunInputs | readonly RunInputs[]): Promise<Measure> {
    const [runs, shapes] = checkedRuns(data, graph.inputs, runtime)
    return new Measure(graph, runtime, runs, shapes, await outputsOf(graph, runtime, runs))
  }

  /** How far the outputs move with these constants in the place of the graph's. */
  async change(changed: Graph['constants']): Promise<Record<string, OutputChange>> {
    return changeOf(this.#outputs, await outputsOf(withConstants(this.#graph, changed), this.#runtime, this.#runs))
  }
}

/** Runs a graph on all data. Stateful layers begin anew with each. */
async function outputsOf(graph: Graph, runtime: Runtime, runs: readonly RunInputs[]): Promise<RunsOutputs> {
  const model = await compile<OutputDTypes>(graph, { runtime, streams: false })
  try {
    return runs.map((run) => {
      model.resetStates()
      return model.run(run)
    })
  } finally {
    model.dispose()
  }
}
