import { LstmError } from '../errors.ts'
import { checkKind, type Kind } from '../options.ts'
import { CONTRACT_STAMP } from '../contract/stamp.ts'
import type { Kernels, Variant } from './kernels.ts'
import { tagOf } from '../values/realm.ts'
import { LinearMemory, MAX_MEMORY_BYTES } from './memory.ts'
import { Runtime } from './runtime.ts'

/** A compiled binary of this package. */
export const MODULE: Kind = {
  expected: 'a WebAssembly.Module of a .wasm file of this version of lstm-wasm', test: (value) => tagOf(value) === 'WebAssembly.Module',
}

export function cannotStart(cause: unknown): never {
  throw new LstmError('ENVIRONMENT', `the WebAssembly module does not start: ${String(cause)}`, { cause })
}

/** @throws LstmError `VALUE` for an instance of another module, or of one of another version */
export function kernelsOf(instance: WebAssembly.Instance): Kernels {
  const kernels = instance.exports as Partial<Kernels>
  if (typeof kernels.contractStamp !== 'function' || kernels.contractStamp() !== CONTRACT_STAMP) {
    throw new LstmError('VALUE', `module: expected ${MODULE.expected}, got another one`)
  }
  return kernels as Kernels
}

/**
 * A runtime at once, of a module that was compiled elsewhere: for workers, and for AudioWorklets, which can neither wait for
 * promises nor use the AssemblyScript loader (it makes a TextDecoder when it is imported, and their scope has none).
 *
 * @throws LstmError as `createRuntime`
 */
export function startRuntime(module: unknown, variant: Variant | 'custom', maxMemoryBytes: number = MAX_MEMORY_BYTES): Runtime {
  checkKind(module, MODULE, 'createProcessorModel', 'module')
  const memory = new LinearMemory(maxMemoryBytes)
  let instance: WebAssembly.Instance
  try {
    instance = new WebAssembly.Instance(module as WebAssembly.Module, { env: { memory: memory.wasm } })
  } catch (cause) {
    return cannotStart(cause)
  }
  return new Runtime(variant, module as WebAssembly.Module, kernelsOf(instance), memory)
}
