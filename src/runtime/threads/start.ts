import { MOST_THREADS } from '../../contract/threads/crew.ts'
import type { ThreadKernels } from '../../contract/thread-kernels.ts'
import { edits as relaxedEdits } from '../binaries/relaxed-simd-threads.ts'
import { edits as simdEdits } from '../binaries/simd-threads.ts'
import { editedBytes } from '../edited-bytes.ts'
import type { Kernels, Variant } from '../kernels.ts'
import { LinearMemory } from '../memory.ts'
import type { Runtime } from '../runtime.ts'
import { kernelsOf } from '../start.ts'
import { Crew } from './crew.ts'
import { SharedKernels } from './shared-kernels.ts'
import { ThreadedRuntime } from './threaded-runtime.ts'
import { programOf } from './program.ts'
import { processors, reasonAgainst, startWorker, type RunningWorker } from './workers.ts'

/** What is asked for. */
export interface ThreadOptions {
  readonly threads: number | 'auto'
  readonly variant: Variant | 'auto'
  readonly maxMemoryBytes: number
  /** The bytes of a binary without threads. */
  readonly bytesOf: (variant: Variant) => Uint8Array
  /** For tests: see `Crew`. */
  readonly eager?: number
}

const EDITS: readonly (readonly [Variant, string])[] = [['relaxed-simd', relaxedEdits], ['simd', simdEdits]]
/** More threads than that wait for memory rather than compute. */
const MOST_BY_ITSELF = 8
/** Engines reserve addresses for all that a shared memory may become: where there are too few, it is less. */
const LEAST_MEMORY_BYTES = 2 ** 26

/** Pairs of hexadecimal digits. */
const bytesOfHex = (text: string): Uint8Array => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16))

interface Compiled {
  readonly variant: Variant
  readonly module: WebAssembly.Module
}

/** The fastest binary with threads that this engine accepts. */
async function compileThreads({ variant: wanted, bytesOf }: ThreadOptions): Promise<Compiled | undefined> {
  for (const [variant, edits] of EDITS) {
    if (wanted !== 'auto' && wanted !== variant) continue
    const bytes = editedBytes(bytesOf(variant), edits, bytesOfHex)
    if (WebAssembly.validate(bytes)) return { variant, module: await WebAssembly.compile(bytes) }
  }
  return undefined
}

function sharedMemory(maxMemoryBytes: number): LinearMemory {
  for (let bytes = maxMemoryBytes; ; bytes /= 2) {
    try {
      return new LinearMemory(bytes, true)
    } catch (error) {
      if (!(error instanceof RangeError) || bytes / 2 < LEAST_MEMORY_BYTES) throw error
    }
  }
}

/** A runtime with threads, or why there is none. */
export async function startThreads(options: ThreadOptions): Promise<Runtime | string> {
  const count = options.threads === 'auto' ? Math.min(MOST_BY_ITSELF, await processors()) : Math.min(MOST_THREADS, options.threads)
  if (count < 2) return 'this process may use one processor'
  const reason = reasonAgainst()
  if (reason !== undefined) return reason
  const compiled = await compileThreads(options)
  if (compiled === undefined) return 'this engine does not accept the binary with threads'
  const { variant, module } = compiled
  const memory = sharedMemory(options.maxMemoryBytes)
  const instance = new WebAssembly.Instance(module, { env: { memory: memory.wasm } })
  const kernels = { ...kernelsOf(instance), ...instance.exports } as unknown as Kernels & ThreadKernels
  const crew = new Crew(kernels, memory, count, options.eager)

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
  if (workers.length === 0) return why as string
  const shared = new SharedKernels(kernels, crew)
  made.runtime = new ThreadedRuntime(variant, module, kernels, memory, shared, crew, workers, why)
  return made.runtime
}
