import { instantiateSync } from '@assemblyscript/loader'
import type { Variant } from './kernels.ts'
import { oneOf, readOptions, type OptionTable } from '../options.ts'
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
   * bytes (Cloudflare Workers). `variant` is then ignored.
   */
  readonly module?: KernelModule | undefined
}

/** What each may be. */
const RUNTIME_OPTIONS: OptionTable<RuntimeOptions> = {
  variant: oneOf(['auto', 'relaxed-simd', 'simd']),
  maxMemoryBytes: { expected: `a number >= ${PAGE_BYTES}`, test: (value) => typeof value === 'number' && value >= PAGE_BYTES },
  module: MODULE,
}

/**
 * Makes a runtime. Models that are to share tensors share one; otherwise each may have its own.
 *
 * @throws LstmError `ENVIRONMENT` where the engine cannot run it, `VALUE` for options that are not accepted
 */
export async function createRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const { variant: wanted = 'auto', maxMemoryBytes = MAX_MEMORY_BYTES, module: given } = readOptions(options, RUNTIME_OPTIONS, 'createRuntime')
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
  return new Runtime(variant, module, kernelsOf(instance), memory)
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
