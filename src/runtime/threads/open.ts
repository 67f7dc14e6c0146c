// A runtime with threads of a binary that is compiled: here, or in a worker that is given it.
import type { ThreadKernels } from '../../contract/thread-kernels.ts'
import type { Kernels, Variant } from '../kernels.ts'
import { LinearMemory, MAX_PAGES, PAGE_BYTES } from '../memory.ts'
import { kernelsOf } from '../start.ts'
import { Crew } from './crew.ts'
import { programOf } from './program.ts'
import { SharedKernels } from './shared-kernels.ts'
import { ThreadedRuntime } from './threaded-runtime.ts'
import { startWorker, type RunningWorker } from './workers.ts'

/** Engines reserve addresses for all that a shared memory may become: where there are too few, it is less. */
const LEAST_MEMORY_BYTES = 2 ** 26

/** A compiled binary with threads. */
export interface CompiledThreads {
  readonly variant: Variant
  readonly module: WebAssembly.Module
}

/** As much of it as the engine gives. */
export function sharedMemory(maxMemoryBytes: number): LinearMemory {
  for (let bytes = maxMemoryBytes; ; bytes /= 2) {
    try {
      return new LinearMemory(bytes, new WebAssembly.Memory({ initial: 1, maximum: Math.min(MAX_PAGES, Math.floor(bytes / PAGE_BYTES)), shared: true }))
    } catch (error) {
      if (!(error instanceof RangeError) || bytes / 2 < LEAST_MEMORY_BYTES) throw error
    }
  }
}

/** What a runtime with threads is made of. */
export interface OpenedThreads extends CompiledThreads {
  /** Threads, with the calling one. */
  readonly count: number
  readonly maxMemoryBytes: number
  /** For tests: see `Crew`. */
  readonly eager?: number | undefined
}

/** A runtime with threads, or why there is none. */
export async function openThreads({ variant, module, count, maxMemoryBytes, eager }: OpenedThreads): Promise<ThreadedRuntime | string> {
  const memory = sharedMemory(maxMemoryBytes)
  const instance = new WebAssembly.Instance(module, { env: { memory: memory.wasm } })
  const kernels = { ...kernelsOf(instance), ...instance.exports } as unknown as Kernels & ThreadKernels
  const crew = new Crew(kernels, memory, count, eager)

  const made: { runtime?: ThreadedRuntime } = {}
  const workers: RunningWorker[] = []
  const failures: unknown[] = []
  await Promise.all(Array.from({ length: count - 1 }, async (_, n) => {
    let isCounted = false
    try {
      const lost = (): void => {
        if (!isCounted) return
        isCounted = false
        crew.lost()
        made.runtime?.lost()
      }
      workers.push(await startWorker(programOf(n + 1), { module, memory: memory.wasm, crewPtr: crew.ptr, thread: n + 1 }, { lost }))
      isCounted = true
      crew.joined()
    } catch (cause) {
      failures.push(cause)
    }
  }))
  const why = failures.length === 0 ? undefined : `a worker does not start: ${String(failures[0])}`
  if (workers.length === 0) return why ?? 'one thread was asked for'
  const shared = new SharedKernels(kernels, crew)
  made.runtime = new ThreadedRuntime(variant, module, kernels, memory, shared, crew, workers, why)
  return made.runtime
}
