// Runtimes with threads for tests: machines that run tests are busy, and have few processors.
import { embeddedBytes } from '../../src/runtime/embedded.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { startThreads } from '../../src/runtime/threads/start.ts'
import type { Variant } from '../../src/runtime/kernels.ts'

/**
 * A runtime that shares every call that can be shared.
 * @param eager how many times as long as usual threads wait for each other: many times, so that they do share on a busy machine; or a part,
 *   so that they leave each other all the time
 */
export async function eagerRuntime(threads: number, variant: Variant, eager: number): Promise<Runtime> {
  const started = await startThreads({ threads, variant, maxMemoryBytes: 2 ** 30, bytesOf: embeddedBytes, eager })
  if (typeof started === 'string') throw new Error(started)
  return started
}

/** The binaries with threads that this engine accepts. */
export const THREAD_VARIANTS: readonly Variant[] = (['simd', 'relaxed-simd'] as const).filter((variant) => WebAssembly.validate(embeddedBytes(variant)))
