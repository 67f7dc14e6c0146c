import { embeddedBytes } from './embedded.ts'
import type { Runtime } from './runtime.ts'
import type { ThreadOptions } from './threads/start.ts'

/**
 * A runtime with threads, or why there is none: a chunk that is loaded when they are asked for. In editions that import .wasm files, and in
 * `lstm-wasm/core`, late-threads-given.ts stands in its place.
 */
export async function startThreads(options: Omit<ThreadOptions, 'bytesOf'>): Promise<Runtime | string> {
  try {
    const { startThreads: start } = await import('./threads/start.ts')
    return await start({ ...options, bytesOf: embeddedBytes })
  } catch (cause) {
    return String(cause)
  }
}
