// Platforms that forbid compiling from bytes import .wasm files as modules instead.
import { LstmError } from '../errors.ts'
import type { Variant } from './kernels.ts'

export interface Compiled {
  readonly variant: Variant
  readonly module: WebAssembly.Module
}

/**
 * The fastest of the imported binaries, or the one asked for.
 * @param modules fastest first
 * @throws LstmError `ENVIRONMENT` for a variant that is not imported here, `VALUE` for one that does not exist
 */
export function pickImported(wanted: Variant | 'auto', modules: Readonly<Partial<Record<Variant, WebAssembly.Module>>>): Compiled {
  const [fastest] = Object.keys(modules) as [Variant]
  const variant = wanted === 'auto' ? fastest : wanted
  const module = modules[variant]
  if (module !== undefined) return { variant, module }
  if (variant === 'relaxed-simd') {
    throw new LstmError('ENVIRONMENT', "the edge build of lstm-wasm has the 'simd' binary only; hand the other one over: import module from 'lstm-wasm/relaxed-simd.wasm?module', createRuntime({ module })")
  }
  throw new LstmError('VALUE', `variant: expected 'auto', 'relaxed-simd' or 'simd', got ${JSON.stringify(wanted)}`)
}
