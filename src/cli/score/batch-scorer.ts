// Scores windows, many in one run of the model.
import type { ArrayLike, DataOf, Model, OutputDTypes } from '../../index.ts'
import { lengthOf, storageOf } from '../conversion.ts'
import type { ScoreJob } from './framing.ts'
import type { BatchLayout, InputWindows, OutputWindows } from './windows.ts'

/** What a scorer is told of a model; plain data, that workers are sent. */
export interface ScorePlan {
  readonly inputs: readonly (Omit<InputWindows, 'shape'> & { readonly shape: readonly number[] })[]
  readonly outputs: readonly (OutputWindows & { readonly batchShape: readonly number[] })[]
  /** Windows of a run. */
  readonly batch: number
}

/** Outputs of a job: for each, [windows, numbers of a window]. */
export type Scores = readonly DataOf[]

export class BatchScorer {
  readonly #model: Model<OutputDTypes>
  readonly #plan: ScorePlan
  readonly #inputs: readonly DataOf[]
  readonly #outputs: readonly DataOf[]
  readonly #given: Readonly<Record<string, ArrayLike>>
  readonly #into: Readonly<Record<string, ArrayLike>>

  constructor(model: Model<OutputDTypes>, plan: ScorePlan) {
    this.#model = model
    this.#plan = plan
    this.#inputs = plan.inputs.map(({ dtype, shape }) => storageOf(dtype, lengthOf(shape)))
    this.#outputs = plan.outputs.map(({ dtype, batchShape }) => storageOf(dtype, lengthOf(batchShape)))
    this.#given = named(plan.inputs, this.#inputs, ({ shape }) => shape)
    this.#into = named(plan.outputs, this.#outputs, ({ batchShape }) => batchShape)
  }

  /**
   * Scores a job.
   * @param turn awaited between runs
   * @throws LstmError as `run`
   */
  async score({ inputs, ends }: ScoreJob, turn: () => Promise<void>): Promise<Scores> {
    const { outputs, batch } = this.#plan
    const scores = outputs.map(({ dtype, shape }) => storageOf(dtype, ends.length * lengthOf(shape)))
    for (let begin = 0; begin < ends.length; begin += batch) {
      const count = Math.min(batch, ends.length - begin)
      inputs.forEach((rows, n) => this.#gather(n, rows, ends, begin, count))
      this.#model.run(this.#given, { into: this.#into })
      outputs.forEach((output, n) => scatter(output, this.#outputs[n] as DataOf, batch, scores[n] as DataOf, begin, count))
      await turn()
    }
    return scores
  }

  /** Windows of some rows into the array of an input. */
  #gather(n: number, rows: DataOf, ends: Int32Array, begin: number, count: number): void {
    const { timesteps, features, outer, inner } = this.#plan.inputs[n] as BatchLayout & { timesteps: number, features: number }
    const target = this.#inputs[n] as DataOf
    const step = this.#plan.batch * inner
    for (let window = 0; window < count; window++) {
      const from = ((ends[begin + window] as number) + 1 - timesteps) * features
      for (let block = 0; block < outer; block++) {
        const source = rows.subarray(from + block * inner, from + (block + 1) * inner)
        target.set(source, block * step + window * inner)
      }
    }
    // Outputs beyond the last window are not read; zeros, so that they are the same in every worker.
    for (let block = 0; block < outer; block++) target.fill(0, block * step + count * inner, (block + 1) * step)
  }
}

/** Windows of an output into the rows of scores. */
function scatter({ outer, inner, shape, offset }: OutputWindows, output: DataOf, batch: number, scores: DataOf, begin: number, count: number): void {
  const width = lengthOf(shape)
  const part = width / outer
  for (let window = 0; window < count; window++) {
    for (let block = 0; block < outer; block++) {
      const from = (block * batch + window) * inner + offset
      scores.set(output.subarray(from, from + part), (begin + window) * width + block * part)
    }
  }
}

function named<Port extends { readonly name: string, readonly dtype: ArrayLike['dtype'] }>(ports: readonly Port[], data: readonly DataOf[], shapeOf: (port: Port) => readonly number[]): Record<string, ArrayLike> {
  return Object.fromEntries(ports.map((port, n) => [port.name, { dtype: port.dtype, shape: shapeOf(port), data: data[n] as DataOf }]))
}
