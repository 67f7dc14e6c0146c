import { instantiateSync } from '@assemblyscript/loader'
import type { Variant } from './kernels.ts'
import { count, oneOf, readOptions, type OptionTable } from '../options.ts'
import { startThreads } from './late-threads.ts'
import { LinearMemory, MAX_MEMORY_BYTES, PAGE_BYTES } from './memory.ts'
import { Runtime } from './runtime.ts'
import { cannotStart, kernelsOf, MODULE } from './start.ts'
import type { KernelModule } from './web-assembly.ts'
import { compileBinary } from './variant.ts'

/** Options of `createRuntime`. */
export interface RuntimeOptions {
  /** Which binary to run. Default `'auto'`: the fastest this engine accepts. */
  readonly variant?: Variant | 'auto' | undefined
  /** Limit of the linear memory in bytes, at least 64 KiB; whole pages of 64 KiB count. Default 4 GiB. */
  readonly maxMemoryBytes?: number | undefined
  /**
   * A compiled module of one of the package's .wasm files, for places that forbid compiling from
   * bytes (Cloudflare Workers). `variant` is then ignored. Default: the binaries inside the package.
   */
  readonly module?: KernelModule | undefined
  /**
   * Threads that kernels may run on, with the calling one: a number up to 64, or `'auto'` for one a processor, up to 8. Default 1. Results are
   * bit-identical for any number. Where there can be none, there is one: `runtime.threads` says why.
   */
  readonly threads?: number | 'auto' | undefined
}

const THREADS = count(1, 64)

/** What each may be. */
export const RUNTIME_OPTIONS: OptionTable<RuntimeOptions> = {
  variant: oneOf(['auto', 'relaxed-simd', 'simd']),
  maxMemoryBytes: { expected: `a number >= ${PAGE_BYTES}`, test: (value) => typeof value === 'number' && value >= PAGE_BYTES },
  module: MODULE,
  threads: { expected: `${THREADS.expected} or 'auto'`, test: (value) => value === 'auto' || THREADS.test(value) },
}

/**
 * Makes a runtime. Models that are to share tensors share one; otherwise each may have its own.
 *
 * @throws LstmError `ENVIRONMENT` where the engine cannot run it, `VALUE` for options that are not accepted
 */
export async function createRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const { variant: wanted = 'auto', maxMemoryBytes = MAX_MEMORY_BYTES, module: given, threads = 1 } = readOptions(options, RUNTIME_OPTIONS, 'createRuntime')
  let why: string | undefined
  if (threads !== 1) {
    const started = given === undefined ? await startThreads({ threads, variant: wanted, maxMemoryBytes }) : 'a module that is given has none'
    if (typeof started !== 'string') return started
    why = started
  }
  const { variant, module } = given === undefined ? await compileBinary(wanted) : { variant: 'custom' as const, module: given }
  const memory = new LinearMemory(maxMemoryBytes)
  // The loader's asynchronous function asks whether it was given a Response, and naming that class makes Node load all of
  // fetch: 30 to 50 ms. The instance's own exports are used: the loader's are wrapped, to tell optional arguments.
  let instance: WebAssembly.Instance
  try {
    const imports = { env: { memory: memory.wasm } }
    // The loader takes a module of another realm (Next.js's edge routes) for bytes.
    instance = module instanceof WebAssembly.Module ? instantiateSync(module, imports).instance : new WebAssembly.Instance(module, imports)
  } catch (cause) {
    return cannotStart(cause)
  }
  return new Runtime(variant, module, kernelsOf(instance), memory, why)
}

let shared: Promise<Runtime> | undefined

/** The runtime that `load` and `compile` use when none is given: made at the first call, then shared. */
export function defaultRuntime(): Promise<Runtime> {
  shared ??= createRuntime().catch((error: unknown) => {
    shared = undefined
    throw error
  })
  return shared
}
