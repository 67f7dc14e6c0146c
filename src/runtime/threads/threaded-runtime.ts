import type { Kernels, Variant } from '../kernels.ts'
import type { LinearMemory } from '../memory.ts'
import { Runtime, type Threads } from '../runtime.ts'
import type { KernelModule } from '../web-assembly.ts'
import type { GradientKernels } from '../../contract/gradient-kernels.ts'
import type { ThreadKernels } from '../../contract/thread-kernels.ts'
import type { Crew } from './crew.ts'
import type { Lanes } from './lanes.ts'
import type { SharedKernels } from './shared-kernels.ts'
import type { RunningWorker } from './workers.ts'

/** A runtime whose kernels share their work with workers. */
export class ThreadedRuntime extends Runtime {
  readonly #crew: Crew
  readonly #workers: readonly RunningWorker[]
  /** Those of the binary, which share nothing. */
  readonly #plain: Kernels & ThreadKernels
  #why: string | undefined

  constructor(
    variant: Variant, module: KernelModule, plain: Kernels & ThreadKernels, memory: LinearMemory, shared: SharedKernels, crew: Crew,
    workers: readonly RunningWorker[], why: string | undefined,
  ) {
    super(variant, module, shared.kernels, memory, why, shared)
    this.#plain = plain
    this.#crew = crew
    this.#workers = workers
    this.#why = why
  }

  override get threads(): Threads {
    return { count: this.#crew.threads, why: this.#why }
  }

  /**
   * For training: lanes, and the kernels of the first one.
   * @param binary the one for training, on a shared memory
   * @throws LstmError `MEMORY`; what the engine throws where it does not accept the binary
   */
  async openLanes(binary: Uint8Array<ArrayBuffer>): Promise<{ readonly kernels: Kernels & GradientKernels, readonly lanes: Lanes }> {
    const [module, threads] = await Promise.all([WebAssembly.compile(binary), import('./lanes.ts')])
    const { linearMemory } = this
    const gradients = new WebAssembly.Instance(module, { env: { ...this.#plain, memory: linearMemory.wasm } }).exports as unknown as GradientKernels
    const kernels = { ...this.#plain, ...gradients }
    const ptr = linearMemory.allocate(binary.length, 'the binary for training')
    linearMemory.write(ptr, binary)
    return { kernels, lanes: new threads.Lanes(kernels, this.#crew, linearMemory, { ptr, bytes: binary.length }) }
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
