// A memory that several threads call kernels in, each by an instance of its own: one packs weights there, and all run them.
import { LstmError } from '../../errors.ts'
import { tagOf } from '../../values/realm.ts'
import { MAX_MEMORY_BYTES, PAGE_BYTES } from '../memory.ts'
import { Runtime } from '../runtime.ts'
import { cannotStart, kernelsOf } from '../start.ts'
import type { KernelMemory } from '../web-assembly.ts'
import { CallerMemory } from './caller-memory.ts'
import { sharedMemory, type CompiledThreads } from './open.ts'
import { OWNER, PageTable } from './page-table.ts'

/** What is sent to threads, besides what is packed. */
export interface SharedPlace extends CompiledThreads {
  readonly memory: KernelMemory
  /** Who has which page: see `PageTable`. */
  readonly pages: Int32Array
}

const WHY = 'a model that is shared runs on the thread that calls it'

/** The runtime that weights are packed in, and what callers are sent. @throws LstmError `MEMORY` where the engine gives none */
export function openOwner(compiled: CompiledThreads, maxMemoryBytes: number): { readonly runtime: Runtime, readonly place: SharedPlace } {
  const place = makePlace(compiled, maxMemoryBytes)
  const table = new PageTable(place.pages)
  return { runtime: runtimeOf(place, new CallerMemory(place.memory, table, OWNER, table.pages)), place }
}

function makePlace(compiled: CompiledThreads, maxMemoryBytes: number): SharedPlace {
  try {
    const { wasm, maxBytes } = sharedMemory(maxMemoryBytes)
    return { ...compiled, memory: wasm, pages: PageTable.wordsFor(maxBytes / PAGE_BYTES) }
  } catch (cause) {
    throw new LstmError('MEMORY', `the JavaScript engine gives no shared memory of up to ${maxMemoryBytes} bytes`, { cause })
  }
}

/** The runtime of a caller. */
export interface CallerRuntime {
  readonly runtime: Runtime
  /** Gives back its memory. */
  readonly close: () => void
}

/** Whether a value is one of those that `SharedPlace` has, as they came from another thread. */
export function isPlace({ module, memory, pages }: Partial<Record<keyof SharedPlace, unknown>>): boolean {
  return tagOf(module) === 'WebAssembly.Module' && tagOf(memory) === 'WebAssembly.Memory' && tagOf((memory as KernelMemory).buffer) === 'SharedArrayBuffer'
    && tagOf(pages) === 'Int32Array'
}

/** @throws LstmError `MEMORY` where there is no page left, `ENVIRONMENT` where the binary does not start, `VALUE` for another one */
export function openCaller(place: SharedPlace, number: number | undefined, maxMemoryBytes: number = MAX_MEMORY_BYTES): CallerRuntime {
  const table = new PageTable(place.pages)
  const memory = new CallerMemory(place.memory, table, number ?? table.nextNumber(), Math.min(table.pages, Math.floor(maxMemoryBytes / PAGE_BYTES)))
  try {
    return { runtime: runtimeOf(place, memory), close: () => memory.close() }
  } catch (error) {
    memory.close()
    throw error
  }
}

/** Constants of the kernels are written again where they are already: each instance brings the same. */
function runtimeOf({ variant, module, memory }: SharedPlace, own: CallerMemory): Runtime {
  let instance: WebAssembly.Instance
  try {
    instance = new WebAssembly.Instance(module, { env: { memory } })
  } catch (cause) {
    return cannotStart(cause)
  }
  return new Runtime(variant, module, kernelsOf(instance), own, WHY)
}
