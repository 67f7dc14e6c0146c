import { LstmError } from '../errors.ts'
import type { Graph, GraphInput } from '../graph/graph.ts'
import { compile } from '../model/load.ts'
import type { OutputDTypes } from '../model/model.ts'
import { places, shapesOfInputs, takeInputs, type RunInputs } from '../plan/binding.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { NdArray } from '../values/ndarray.ts'
import type { Shape } from '../values/shape.ts'
import { withConstants } from './fate.ts'
import type { OutputChange } from './report.ts'

/** Outputs of all runs, by name. */
type RunsOutputs = readonly Readonly<Record<string, NdArray>>[]

/** Numbers inside an input, however it is given. */
function numbersOf(value: unknown): Iterable<unknown> {
  if (typeof value === 'object' && value !== null && 'data' in value) return numbersOf(value.data)
  if (ArrayBuffer.isView(value)) return value as Float32Array
  return Array.isArray(value) ? value.flat(Infinity) as unknown[] : [value]
}

/** @throws LstmError `VALUE` for no runs, and for numbers that are not finite: they would be compared with nothing */
export function checkData(data: RunInputs | readonly RunInputs[], inputs: readonly GraphInput[]): readonly RunInputs[] {
  const runs = (Array.isArray(data) ? data : [data]) as readonly RunInputs[]
  if (runs.length === 0) throw new LstmError('VALUE', 'quantize: expected data of one run at least, got an empty list')
  runs.forEach((run, n) => {
    for (const [name, value] of isOne(run) ? [[inputs[0]?.name ?? 'input', run] as const] : Object.entries(run)) {
      let at = 0
      for (const number of numbersOf(value)) {
        if (typeof number === 'number' && !Number.isFinite(number)) {
          throw new LstmError('VALUE', `quantize: data of run ${n}, input '${name}': expected finite numbers, got ${number} at element ${at}`)
        }
        at++
      }
    }
  })
  return runs
}

/** Whether it is the array of the only input. */
function isOne(run: unknown): boolean {
  return Array.isArray(run) || ArrayBuffer.isView(run) || (typeof run === 'object' && run !== null && 'data' in run)
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

  private constructor(graph: Graph, runtime: Runtime, runs: readonly RunInputs[], outputs: RunsOutputs) {
    this.#graph = graph
    this.#runtime = runtime
    this.#runs = runs
    this.#outputs = outputs
    const taken = places(graph.inputs.length)
    takeInputs(graph.inputs, runs[0], [], taken)
    this.shapes = shapesOfInputs(graph.inputs, taken, runtime)
  }

  static async of(graph: Graph, runtime: Runtime, runs: readonly RunInputs[]): Promise<Measure> {
    return new Measure(graph, runtime, runs, await outputsOf(graph, runtime, runs))
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
