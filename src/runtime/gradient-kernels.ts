// The second binary, for training: on the memory of the first one, and loaded by `lstm-wasm/training` alone.
import { CONTRACT_STAMP } from '../contract/stamp.ts'
import type { GradientKernels } from '../contract/gradient-kernels.ts'
import { LstmError } from '../errors.ts'
import { commonest, relaxedSimdText } from './binaries/gradients-relaxed-simd.ts'
import { textReader } from './bytes-of-text.ts'
import type { EditGradients } from './gradients/edits.ts'
import type { Kernels, Variant } from './kernels.ts'
import { late } from './gradients/late.ts'
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
 * @param edit see there
 * @throws LstmError `ENVIRONMENT` where it cannot be compiled, `VALUE` for a module that is another one
 */
export function trainingRuntime(runtime: Runtime, given?: Gradients, edit?: EditGradients): Promise<TrainingRuntime> {
  let made = known.get(runtime)
  if (made === undefined) {
    made = start(runtime, given, edit).catch((error: unknown) => {
      known.delete(runtime)
      throw error
    })
    known.set(runtime, made)
  }
  return made
}

async function start(runtime: Runtime, given: Gradients | undefined, edit: EditGradients | undefined): Promise<TrainingRuntime> {
  if (!isThreaded(runtime) && tagOf(runtime.linearMemory.view('uint8', 0, 0).buffer) === 'SharedArrayBuffer') {
    throw new LstmError('UNSUPPORTED', 'createTrainer: expected a runtime of createRuntime(), got that of a shared model, whose threads train nothing')
  }
  const binary = given ?? await gradientsOf(runtime, edit)
  if (isThreaded(runtime)) {
    if (!(binary instanceof Uint8Array)) throw new LstmError('VALUE', 'module: expected none for a runtime with threads, whose binary for training is another one')
    const { kernels, lanes } = await runtime.openLanes(binary)
    return new TrainingRuntime(runtime, kernels, lanes)
  }
  return new TrainingRuntime(runtime, { ...runtime.kernels, ...linked(binary, runtime) })
}

/** @throws LstmError `VALUE` for a module that is another one */
function linked(binary: KernelModule, { kernels, linearMemory }: Runtime): GradientKernels {
  let cause: unknown
  try {
    const gradients = new WebAssembly.Instance(binary, { env: { ...kernels, memory: linearMemory.wasm } }).exports as unknown as GradientKernels
    if ('adamStep' in gradients && gradients.contractStamp() === CONTRACT_STAMP) return gradients
  } catch (error) {
    cause = error
  }
  throw new LstmError('VALUE', 'module: expected a WebAssembly.Module of gradients-simd.wasm of this version of lstm-wasm, got another one', { cause })
}

/** The binary that most engines take is in this file; the others are made of it by what is loaded then. */
async function gradientBytes(variant: Variant, isThreaded: boolean, edit: EditGradients | undefined): Promise<Uint8Array<ArrayBuffer>> {
  const bytesOf = textReader(commonest)
  const relaxed = bytesOf(relaxedSimdText)
  if (variant === 'relaxed-simd' && !isThreaded) return relaxed
  return (edit ?? (await late(() => import('./gradients/edits.ts'), 'the binary for training of this engine')).editGradients)(relaxed, variant, isThreaded, bytesOf)
}

/**
 * The binary for training that fits a runtime, of those inside this package.
 * @param edit what makes the others of the one in this file. Default: it is loaded
 * @throws LstmError `ENVIRONMENT` where it cannot be compiled
 */
export async function gradientsOf(runtime: Runtime, edit?: EditGradients): Promise<Gradients> {
  if (!isThreaded(runtime)) return compileGradients(runtime.variant, edit)
  return gradientBytes(runtime.variant === 'simd' ? 'simd' : 'relaxed-simd', true, edit)
}

async function compileGradients(fitting: Runtime['variant'], edit: EditGradients | undefined): Promise<KernelModule> {
  const variants: readonly Variant[] = fitting === 'simd' ? ['simd'] : ['relaxed-simd', 'simd']
  let refused: unknown
  for (const variant of variants) {
    try {
      return await WebAssembly.compile(await gradientBytes(variant, false, edit))
    } catch (error) {
      refused ??= error
    }
  }
  if (refused instanceof LstmError) throw refused
  throw new LstmError('ENVIRONMENT', `the binary for training does not compile here: ${String(refused)}. Where compiling from bytes is forbidden, hand it over: import module from 'lstm-wasm/gradients-simd.wasm', createTrainer(net, { module })`, { cause: refused })
}
