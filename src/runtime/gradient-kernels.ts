// The second binary, for training: on the memory of the first one, and loaded by `lstm-wasm/training` alone.
import { CONTRACT_STAMP } from '../contract/stamp.ts'
import type { GradientKernels } from '../contract/gradient-kernels.ts'
import { LstmError } from '../errors.ts'
import { commonest, relaxedSimdText } from './binaries/gradients-relaxed-simd.ts'
import { simdFromRelaxedSimd } from './binaries/gradients-simd.ts'
import { bytesOfText } from './bytes-of-text.ts'
import { editedBytes } from './edited-bytes.ts'
import type { Kernels, Variant } from './kernels.ts'
import { Runtime } from './runtime.ts'
import type { KernelModule } from './web-assembly.ts'

export type { GradientKernels } from '../contract/gradient-kernels.ts'

/** All that training calls. No name of one binary is one of the other, but for the stamp: see test/gradients/kernels.test.ts. */
export type TrainingKernels = Kernels & GradientKernels

/** A runtime whose kernels are those of both binaries, over one memory: what operators of training are planned with. */
export class TrainingRuntime extends Runtime {
  declare readonly kernels: TrainingKernels
}

/** Made once a runtime. */
const known: WeakMap<Runtime, Promise<TrainingRuntime>> = new WeakMap()

/**
 * The same runtime with the kernels for training.
 * @param given the compiled binary, for places that forbid compiling from bytes. Default: the one inside this file that fits the runtime's
 * @throws LstmError `ENVIRONMENT` where it cannot be compiled, `VALUE` for a module that is another one
 */
export function trainingRuntime(runtime: Runtime, given?: KernelModule): Promise<TrainingRuntime> {
  let made = known.get(runtime)
  if (made === undefined) {
    made = start(runtime, given).catch((error: unknown) => {
      known.delete(runtime)
      throw error
    })
    known.set(runtime, made)
  }
  return made
}

async function start(runtime: Runtime, given: KernelModule | undefined): Promise<TrainingRuntime> {
  if (runtime.threads.count > 1) throw new LstmError('ENVIRONMENT', 'training has no threads yet, and this runtime has: expected one of createRuntime() without them')
  const module = given ?? await compileGradients(runtime.variant)
  const instance = new WebAssembly.Instance(module, { env: { memory: runtime.linearMemory.wasm } })
  const gradients = instance.exports as unknown as GradientKernels
  if (typeof gradients.contractStamp !== 'function' || gradients.contractStamp() !== CONTRACT_STAMP) {
    throw new LstmError('VALUE', 'module: expected a WebAssembly.Module of gradients-simd.wasm of this version of lstm-wasm, got another one')
  }
  return new TrainingRuntime(runtime.variant, runtime.module, { ...runtime.kernels, ...gradients }, runtime.linearMemory)
}

/** The binary for training that fits a runtime. @throws LstmError `ENVIRONMENT` where it cannot be compiled */
export async function compileGradients(fitting: Runtime['variant']): Promise<KernelModule> {
  const variants: readonly Variant[] = fitting === 'simd' ? ['simd'] : ['relaxed-simd', 'simd']
  let refused: unknown
  for (const variant of variants) {
    const base = bytesOfText(relaxedSimdText, commonest)
    const bytes = variant === 'relaxed-simd' ? base : editedBytes(base, simdFromRelaxedSimd, (text) => bytesOfText(text, commonest))
    try {
      return await WebAssembly.compile(bytes)
    } catch (error) {
      refused = error
    }
  }
  throw new LstmError('ENVIRONMENT', `the binary for training does not compile here: ${String(refused)}. Where compiling from bytes is forbidden, hand it over: import module from 'lstm-wasm/gradients-simd.wasm', createTrainer(net, { module })`, { cause: refused })
}
