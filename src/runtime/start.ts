import { LstmError } from '../errors.ts'
import { KERNEL_ARITIES, type Kernels } from './kernels.ts'
import { LinearMemory, MAX_MEMORY_BYTES } from './memory.ts'
import { Runtime } from './runtime.ts'
import type { Variant } from './variant.ts'

/** A compiled binary of this package, in places that must not know WebAssembly. */
export type KernelModule = WebAssembly.Module

/** @throws LstmError `VALUE` for a limit that is not accepted */
export function checkMaxMemory(maxBytes: unknown): void {
  if (typeof maxBytes !== 'number' || !(maxBytes >= 65536)) {
    throw new LstmError('VALUE', `maxMemoryBytes: expected a number >= 65536, got ${String(maxBytes)}`)
  }
}

/** @throws LstmError `VALUE` for anything else than a compiled module */
export function checkModule(module: unknown): asserts module is WebAssembly.Module {
  if (!(module instanceof WebAssembly.Module)) {
    throw new LstmError('VALUE', 'module: expected a WebAssembly.Module compiled from one of the .wasm files of this package')
  }
}

export function importsOf(memory: LinearMemory): { env: { memory: WebAssembly.Memory } } {
  return { env: { memory: memory.wasm } }
}

export function cannotStart(cause: unknown): never {
  throw new LstmError('ENVIRONMENT', `the WebAssembly module does not start: ${String(cause)}`, { cause })
}

/** @throws LstmError `VALUE` for an instance of another module, or of one of another version */
export function kernelsOf(instance: WebAssembly.Instance): Kernels {
  const kernels = instance.exports as unknown as Kernels
  for (const name of Object.keys(KERNEL_ARITIES) as (keyof Kernels)[]) {
    if (typeof kernels[name] !== 'function' || kernels[name].length !== KERNEL_ARITIES[name]) {
      throw new LstmError('VALUE', `module: expected a .wasm file of this version of lstm-wasm, but its export '${name}' is missing or different`)
    }
  }
  return kernels
}

/**
 * A runtime at once, of a module that was compiled elsewhere: for AudioWorklets, which can neither wait nor use the
 * AssemblyScript loader (it makes a TextDecoder when it is imported, and their scope has none).
 *
 * @throws LstmError as `createRuntime`
 */
export function startRuntime(module: unknown, variant: Variant | 'custom', maxMemoryBytes: number = MAX_MEMORY_BYTES): Runtime {
  checkModule(module)
  checkMaxMemory(maxMemoryBytes)
  const memory = new LinearMemory(maxMemoryBytes)
  let instance: WebAssembly.Instance
  try {
    instance = new WebAssembly.Instance(module, importsOf(memory))
  } catch (cause) {
    return cannotStart(cause)
  }
  return new Runtime(variant, module, kernelsOf(instance), memory)
}
