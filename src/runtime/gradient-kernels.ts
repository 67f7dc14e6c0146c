// The second binary, for training: on the memory of the first one, and loaded by `lstm-wasm/training` alone.
import { CONTRACT_STAMP } from '../contract/stamp.ts'
import type { GradientKernels } from '../contract/gradient-kernels.ts'
import { LstmError } from '../errors.ts'
import { commonest, relaxedSimdText } from './binaries/gradients-relaxed-simd.ts'
import { edits as relaxedThreadEdits } from './binaries/gradients-relaxed-simd-threads.ts'
import { simdFromRelaxedSimd } from './binaries/gradients-simd.ts'
import { edits as simdThreadEdits } from './binaries/gradients-simd-threads.ts'
import { textReader } from './bytes-of-text.ts'
import { editedBytes } from './edited-bytes.ts'
import type { Kernels, Variant } from './kernels.ts'
import { Runtime } from './runtime.ts'
import { tagOf } from '../values/realm.ts'
import type { Lanes } from './threads/lanes.ts'
import type { ThreadedRuntime } from './threads/threaded-runtime.ts'
import type { KernelModule } from './web-assembly.ts'

export type { GradientKernels } from '../contract/gradient-kernels.ts'

/** All that training calls. No name of one binary is one of the other, but for the stamp: see test/gradients/kernels.test.ts. */
export type TrainingKernels = Kernels & GradientKernels

/** A runtime whose kernels are those of both binaries, over one memory: what operators of training are planned with. */
export class TrainingRuntime extends Runtime {
  declare readonly kernels: TrainingKernels
  /** Where there are threads: groups of rows at the same time. */
  readonly lanes: Lanes | undefined
  /** By the number of the lane. */
  readonly #ofLanes: TrainingRuntime[] = [this]

  /** Use `trainingRuntime`. */
  constructor({ variant, module, linearMemory }: Pick<Runtime, 'variant' | 'module' | 'linearMemory'>, kernels: TrainingKernels, lanes?: Lanes) {
    super(variant, module, kernels, linearMemory)
    this.lanes = lanes
  }

  /** What plans of a lane are made with: itself, or one whose calls can be written down for a worker. */
  ofLane(lane: number): TrainingRuntime {
    const { lanes } = this
    if (lanes === undefined) return this
    return this.#ofLanes[lane] ??= new TrainingRuntime(this, lanes.kernelsOf(lane))
  }
}

/** Made once a runtime. */
const known: WeakMap<Runtime, Promise<TrainingRuntime>> = new WeakMap()

/** The binary for training, compiled; of a runtime with threads its bytes, which each of them compiles. */
export type Gradients = KernelModule | Uint8Array<ArrayBuffer>

/** Whether it was made with threads, even if they have ended. */
export const isThreaded = (runtime: Runtime): runtime is ThreadedRuntime => 'openLanes' in runtime

/**
 * The same runtime with the kernels for training.
 * @param given the binary, for places that forbid compiling from bytes or have none inside. Default: what `gradientsOf` gives
 * @throws LstmError `ENVIRONMENT` where it cannot be compiled, `VALUE` for a module that is another one
 */
export function trainingRuntime(runtime: Runtime, given?: Gradients): Promise<TrainingRuntime> {
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

async function start(runtime: Runtime, given: Gradients | undefined): Promise<TrainingRuntime> {
  if (!isThreaded(runtime) && tagOf(runtime.linearMemory.view('uint8', 0, 0).buffer) === 'SharedArrayBuffer') {
    throw new LstmError('UNSUPPORTED', 'createTrainer: expected a runtime of createRuntime(), got that of a shared model, whose threads train nothing')
  }
  const binary = given ?? await gradientsOf(runtime)
  if (isThreaded(runtime)) {
    if (!(binary instanceof Uint8Array)) throw new LstmError('VALUE', 'module: expected none for a runtime with threads, whose binary for training is another one')
    const { kernels, lanes } = await runtime.openLanes(binary)
    return new TrainingRuntime(runtime, kernels, lanes)
  }
  const instance = new WebAssembly.Instance(binary, { env: { memory: runtime.linearMemory.wasm } })
  const gradients = instance.exports as unknown as GradientKernels
  if (typeof gradients.contractStamp !== 'function' || gradients.contractStamp() !== CONTRACT_STAMP) {
    throw new LstmError('VALUE', 'module: expected a WebAssembly.Module of gradients-simd.wasm of this version of lstm-wasm, got another one')
  }
  return new TrainingRuntime(runtime, { ...runtime.kernels, ...gradients })
}

/** A binary; with the edits that make it one for threads, that one. */
function gradientBytes(variant: Variant, threadEdits?: string): Uint8Array<ArrayBuffer> {
  const bytesOf = textReader(commonest)
  const relaxed = bytesOf(relaxedSimdText)
  const bytes = variant === 'relaxed-simd' ? relaxed : editedBytes(relaxed, simdFromRelaxedSimd, bytesOf)
  return threadEdits === undefined ? bytes : editedBytes(bytes, threadEdits, bytesOf)
}

/** The binary for training that fits a runtime, of those inside this file. @throws LstmError `ENVIRONMENT` where it cannot be compiled */
export async function gradientsOf(runtime: Runtime): Promise<Gradients> {
  if (!isThreaded(runtime)) return compileGradients(runtime.variant)
  const [variant, edits] = runtime.variant === 'simd' ? ['simd', simdThreadEdits] as const : ['relaxed-simd', relaxedThreadEdits] as const
  return gradientBytes(variant, edits)
}

async function compileGradients(fitting: Runtime['variant']): Promise<KernelModule> {
  const variants: readonly Variant[] = fitting === 'simd' ? ['simd'] : ['relaxed-simd', 'simd']
  let refused: unknown
  for (const variant of variants) {
    try {
      return await WebAssembly.compile(gradientBytes(variant))
    } catch (error) {
      refused = error
    }
  }
  throw new LstmError('ENVIRONMENT', `the binary for training does not compile here: ${String(refused)}. Where compiling from bytes is forbidden, hand it over: import module from 'lstm-wasm/gradients-simd.wasm', createTrainer(net, { module })`, { cause: refused })
}
