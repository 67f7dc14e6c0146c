import type { Kernels, Variant } from '../kernels.ts'
import type { LinearMemory } from '../memory.ts'
import { Runtime, type Threads } from '../runtime.ts'
import type { KernelModule } from '../web-assembly.ts'
import type { Crew } from './crew.ts'
import type { SharedKernels } from './shared-kernels.ts'
import type { RunningWorker } from './workers.ts'

/** A runtime whose kernels share their work with workers. */
export class ThreadedRuntime extends Runtime {
  readonly #crew: Crew
  readonly #workers: readonly RunningWorker[]
  #why: string | undefined

  constructor(
    variant: Variant, module: KernelModule, kernels: Kernels, memory: LinearMemory, shared: SharedKernels, crew: Crew, workers: readonly RunningWorker[],
    why: string | undefined,
  ) {
    super(variant, module, kernels, memory, why, (multiplyAdds, calls) => shared.together(multiplyAdds, calls))
    this.#crew = crew
    this.#workers = workers
    this.#why = why
  }

  override get threads(): Threads {
    return { count: this.#crew.threads, why: this.#why }
  }

  /** Workers that have ended by themselves. */
  lost(): void {
    this.#why ??= 'a worker has ended'
  }

  override dispose(): void {
    this.#why ??= 'the runtime is disposed'
    this.#crew.end()
    for (const worker of this.#workers) worker.end()
  }
}
