// The binaries under test: every suite of kernels runs over all of them.
import { readFileSync } from 'node:fs'
import { describe, it } from 'vitest'
import { createRuntime, type RuntimeOptions } from '../src/runtime/create.ts'
import type { Runtime } from '../src/runtime/runtime.ts'

export interface Binary {
  readonly name: 'simd' | 'debug' | 'relaxed-simd'
  readonly module: WebAssembly.Module
}

/** BINARIES=simd runs suites over one of them: mutation testing asks for no more. */
export const NAMES: readonly Binary['name'][] = (['simd', 'debug', 'relaxed-simd'] as const).filter((name) => process.env.BINARIES?.split(',').includes(name) ?? true)

function compiled(name: Binary['name']): Binary | undefined {
  const bytes = readFileSync(new URL(`../build/${name}.wasm`, import.meta.url))
  // Only relaxed SIMD is new enough to be missing; the others must compile, or the suite fails here.
  if (name === 'relaxed-simd' && !WebAssembly.validate(bytes)) return undefined
  return { name, module: new WebAssembly.Module(bytes) }
}

/** The debug binary, which has the plain twins of the kernels: there whatever BINARIES says. */
export const debugBinary = (): Binary => compiled('debug') as Binary

/** The binaries this engine accepts. */
export const BINARIES: readonly Binary[] = NAMES.map(compiled).filter((binary) => binary !== undefined)

/** Runs a suite once for every binary; one that this engine does not accept is reported as skipped. */
export function describeBinaries(title: string, suite: (binary: Binary) => void, names: readonly Binary['name'][] = NAMES): void {
  for (const name of names) {
    const binary = BINARIES.find((accepted) => accepted.name === name)
    if (binary === undefined) {
      it.skip(`${title} (${name}.wasm): Node ${process.versions.node} does not accept this binary`)
    } else {
      describe(`${title} (${name}.wasm)`, () => suite(binary))
    }
  }
}

/** The same without the debug binary, for what JavaScript does: it is the same over each of them. */
export function describeReleases(title: string, suite: (binary: Binary) => void): void {
  describeBinaries(title, suite, NAMES.filter((name) => name !== 'debug'))
}

/** A runtime of its own for a binary. */
export function runtimeOf(binary: Binary, options: RuntimeOptions = {}): Promise<Runtime> {
  return createRuntime({ ...options, module: binary.module })
}
