// Runtimes for training over each binary that this engine accepts.
import { readFileSync } from 'node:fs'
import { describe, it } from 'vitest'
import { createRuntime } from '../../src/runtime/create.ts'
import { trainingRuntime, type TrainingRuntime } from '../../src/runtime/gradient-kernels.ts'
import { NAMES, type Binary } from '../variants.ts'

const moduleOf = (name: string): WebAssembly.Module | undefined => {
  const bytes = readFileSync(new URL(`../../build/${name}.wasm`, import.meta.url))
  return WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : undefined
}

/** A runtime of its own. @throws where the engine does not accept the binary */
export async function trainingRuntimeOf(name: Binary['name'] = 'simd', maxMemoryBytes?: number): Promise<TrainingRuntime> {
  const module = moduleOf(name)
  if (module === undefined) throw new Error(`${name}.wasm does not compile here`)
  return trainingRuntime(await createRuntime({ module, maxMemoryBytes }), moduleOf(`gradients-${name}`))
}

/** Runs a suite for every binary; one that this engine does not accept is reported as skipped. */
export function describeTraining(title: string, suite: (runtime: TrainingRuntime) => void, runtimes: typeof RUNTIMES = RUNTIMES): void {
  for (const [name, runtime] of runtimes) {
    if (runtime === undefined) it.skip(`${title} (${name}.wasm): Node ${process.versions.node} does not accept this binary`)
    else describe(`${title} (${name}.wasm)`, () => suite(runtime))
  }
}

const RUNTIMES = await Promise.all(NAMES.map(async (name) => [name, moduleOf(name) === undefined ? undefined : await trainingRuntimeOf(name)] as const))
