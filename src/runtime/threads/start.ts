import { MOST_THREADS } from '../../contract/threads/crew.ts'
import { edits as relaxedEdits } from '../binaries/relaxed-simd-threads.ts'
import { edits as simdEdits } from '../binaries/simd-threads.ts'
import { editedBytes } from '../edited-bytes.ts'
import type { Variant } from '../kernels.ts'
import type { Runtime } from '../runtime.ts'
import { openThreads, type CompiledThreads } from './open.ts'
import { processors, reasonAgainst } from './workers.ts'

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

/** Pairs of hexadecimal digits. */
const bytesOfHex = (text: string): Uint8Array => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16))

/** The fastest binary with threads that this engine accepts. */
export async function compileThreads({ variant: wanted, bytesOf }: Pick<ThreadOptions, 'variant' | 'bytesOf'>): Promise<CompiledThreads | undefined> {
  for (const [variant, edits] of EDITS) {
    if (wanted !== 'auto' && wanted !== variant) continue
    const bytes = editedBytes(bytesOf(variant), edits, bytesOfHex)
    if (WebAssembly.validate(bytes)) return { variant, module: await WebAssembly.compile(bytes) }
  }
  return undefined
}

/** A runtime with threads, or why there is none. */
export async function startThreads(options: ThreadOptions): Promise<Runtime | string> {
  const count = options.threads === 'auto' ? Math.min(MOST_BY_ITSELF, await processors()) : Math.min(MOST_THREADS, options.threads)
  if (count < 2) return 'this process may use one processor'
  const reason = reasonAgainst()
  if (reason !== undefined) return reason
  const compiled = await compileThreads(options)
  if (compiled === undefined) return 'this engine does not accept the binary with threads'
  return openThreads({ ...compiled, count, maxMemoryBytes: options.maxMemoryBytes, eager: options.eager })
}
