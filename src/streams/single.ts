import type { StreamHost } from './blueprint.ts'
import { copyRun } from './frames.ts'
import type { Machine, MachinePlan } from './machine.ts'

/**
 * Fast path of `Stream` for one timestep with one input, one output, and no operator that can throw. The weights of a step evict all
 * else from the L1 cache, so the time depends on how many objects it touches: all that it needs is in this one.
 * Figures: docs/kernels.md, "Around a call".
 */
export class SingleStep {
  readonly #host: StreamHost
  readonly #machine: Machine
  readonly #plan: MachinePlan
  readonly #run: readonly (() => void)[]
  #from: Float32Array = new Float32Array()
  #to: Float32Array = new Float32Array()

  /** Undefined for models that need the general path. */
  static of(host: StreamHost, machine: Machine, plan: MachinePlan): SingleStep | undefined {
    const { blueprint, inputs, outputs } = machine
    const isPlain = [...inputs, ...outputs].every(({ port: { dtype, indices } }) => dtype === 'float32' && indices === undefined)
    const isAble = inputs.length === 1 && outputs.length === 1 && isPlain
    return isAble && !blueprint.mayFail && blueprint.carried.length === 0 ? new SingleStep(host, machine, plan) : undefined
  }

  constructor(host: StreamHost, machine: Machine, plan: MachinePlan) {
    this.#host = host
    this.#machine = machine
    this.#plan = plan
    this.#run = plan.run
  }

  /** Returns false, and does nothing, for arrays that need the checks of the general path. */
  advance(input: unknown, output: unknown): boolean {
    if (!(input instanceof Float32Array && output instanceof Float32Array) || this.#host.disposed) return false
    // Growth of the memory detaches views: their length is 0 then.
    if (this.#to.length === 0) this.#makeViews()
    const to = this.#to
    const from = this.#from
    if (input.length !== to.length || output.length !== from.length) return false
    copyRun(input, 0, to, 0, to.length)
    const run = this.#run
    for (let n = 0; n < run.length; n++) (run[n] as () => void)()
    copyRun(from, 0, output, 0, from.length)
    return true
  }

  #makeViews(): void {
    this.#machine.refresh()
    this.#to = this.#plan.inputs[0] as Float32Array
    this.#from = this.#plan.outputs[0] as Float32Array
  }
}
