import { AdamSettings, RmspropSettings, SgdSettings } from '../contract/gradients/optimizers.ts'
import { LstmError } from '../errors.ts'
import { makeDisposable } from '../runtime/dispose.ts'
import type { TrainingRuntime } from '../runtime/gradient-kernels.ts'
import type { PlatformDisposable } from '../values/platform.ts'
import { encodeRecord } from '../values/record.ts'
import type { Optimizer } from './descriptions/optimizers.ts'
import type { TrainedParameter } from './parameter.ts'

/** Parameters begin at multiples of this many floats: what lies between two of them is padding. */
const ALIGNED = 16

/** PyTorch's `clip_grad_norm_` adds it to the norm. */
const NORM_EPSILON = 1e-6

/** What an optimiser remembers, for a checkpoint. */
export interface OptimizerMemory {
  /** Steps that each parameter has taken. */
  readonly steps: readonly number[]
  /** Means, squares and velocities, one after the other, each in the layout of the parameters. */
  readonly moments: Float32Array
}

/** How many arrays of moments it keeps. */
function momentsOf(optimizer: Optimizer): number {
  switch (optimizer.optimizer) {
    case 'sgd': return optimizer.momentum === 0 ? 0 : 1
    case 'rmsprop': return 1 + Number(optimizer.centered) + Number(optimizer.momentum !== 0)
    default: return 2
  }
}

/** The record that its kernel takes. @param length floats of an array of moments */
function settingsOf(optimizer: Optimizer, length: number): Uint8Array {
  const { weightDecay: decay } = optimizer
  switch (optimizer.optimizer) {
    case 'sgd': {
      const { momentum, dampening, nesterov } = optimizer
      return encodeRecord(SgdSettings, { momentum, dampening, decay, nesterov: Number(nesterov) })
    }
    case 'rmsprop': {
      const { alpha, epsilon, momentum } = optimizer
      return encodeRecord(RmspropSettings, { alpha, epsilon, momentum, decay })
    }
    default: {
      const { beta1, beta2, epsilon } = optimizer
      return encodeRecord(AdamSettings, { beta1, beta2, epsilon, decay, decoupledDecay: Number(optimizer.optimizer === 'adamw'), squaresBytes: 4 * length })
    }
  }
}

/** An optimiser at work: its moments, in linear memory, and the steps of each parameter. A step allocates nothing. */
export class OptimizerState {
  readonly optimizer: Optimizer
  /** Floats of all moments; 0 for an optimiser without any. */
  readonly momentFloats: number
  readonly #runtime: TrainingRuntime
  readonly #parameters: readonly TrainedParameter[]
  /** Floats of the arena of parameters. */
  readonly #length: number
  readonly #steps: number[]
  readonly #settingsPtr: number
  #momentsPtr: number
  #disposed = false

  /**
   * @param parameters in the order of their offsets
   * @param length floats of the whole arena
   * @throws LstmError `MEMORY`
   */
  constructor(runtime: TrainingRuntime, parameters: readonly TrainedParameter[], length: number, optimizer: Optimizer) {
    this.optimizer = optimizer
    this.#runtime = runtime
    this.#parameters = parameters
    this.#length = length
    this.#steps = parameters.map(() => 0)
    this.momentFloats = momentsOf(optimizer) * length
    const { linearMemory } = runtime
    const settings = settingsOf(optimizer, length)
    this.#settingsPtr = linearMemory.allocate(settings.length, `settings of ${optimizer.optimizer}`)
    linearMemory.write(this.#settingsPtr, settings)
    try {
      this.#momentsPtr = this.momentFloats === 0 ? 0 : linearMemory.allocate(this.momentFloats * 4, `moments of ${optimizer.optimizer}`)
    } catch (error) {
      linearMemory.free(this.#settingsPtr)
      throw error
    }
    this.#moments().fill(0)
  }

  /** Where the moments are; 0 where there are none. */
  get momentsPtr(): number {
    return this.#momentsPtr
  }

  /**
   * The norm of the gradients of all parameters that learn: the root of their sums of squares, in float64, added in the order of the parameters.
   * NaN or Infinity where an element is.
   */
  norm(gradientsPtr: number): number {
    const { sumOfSquaresF32 } = this.#runtime.kernels
    let sum = 0
    for (const { trainable, offset, length } of this.#parameters) if (trainable) sum += sumOfSquaresF32(gradientsPtr + 4 * offset, length)
    return Math.sqrt(sum)
  }

  /**
   * Moves the parameters that learn. Gradients are cut in place.
   * @param norm what `norm` gave for these gradients, where the caller has asked already
   */
  step(valuesPtr: number, gradientsPtr: number, learningRate: number, norm?: number): void {
    this.#clip(gradientsPtr, norm)
    const parameters = this.#parameters
    for (let first = 0; first < parameters.length;) {
      const { trainable, offset, length } = parameters[first] as TrainedParameter
      let next = first + 1
      if (trainable) {
        const step = ++(this.#steps as [number])[first as 0]
        let end = offset + length
        for (; next < parameters.length && this.#goesOn(next, end, step); next++) {
          const { offset: begin, length: floats } = parameters[next] as TrainedParameter
          end = begin + floats
          this.#steps[next] = step
        }
        this.#move(offset, end - offset, step, valuesPtr, gradientsPtr, learningRate)
      }
      first = next
    }
  }

  /** A copy of what it remembers. */
  save(): OptimizerMemory {
    return { steps: [...this.#steps], moments: this.#moments().slice() }
  }

  /** @throws LstmError `SHAPE` for the memory of another optimiser or of other parameters */
  restore({ steps, moments }: OptimizerMemory): void {
    if (steps.length !== this.#steps.length || moments.length !== this.momentFloats) {
      throw new LstmError('SHAPE', `optimizer: expected ${this.#steps.length} parameters and ${this.momentFloats} moments of ${this.optimizer.optimizer}, got ${steps.length} and ${moments.length}: they are of another model or optimiser`)
    }
    this.setSteps(steps)
    this.#moments().set(moments)
  }

  /** The steps of each parameter, copied into `into`. */
  copySteps(into: number[]): void {
    for (let n = 0; n < this.#steps.length; n++) into[n] = this.#steps[n] as number
  }

  /** @param steps as many as there are parameters */
  setSteps(steps: readonly number[]): void {
    for (let n = 0; n < this.#steps.length; n++) this.#steps[n] = steps[n] as number
  }

  /** Frees the settings and the moments. Calling it again does nothing. */
  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    this.#runtime.linearMemory.free(this.#settingsPtr)
    if (this.#momentsPtr !== 0) this.#runtime.linearMemory.free(this.#momentsPtr)
    this.#momentsPtr = 0
  }

  #moments(): Float32Array {
    return this.#runtime.linearMemory.view('float32', this.#momentsPtr, this.momentFloats)
  }

  /** Whether the parameter lies behind the one before it, but for padding, and takes the same step. */
  #goesOn(n: number, end: number, step: number): boolean {
    const { trainable, offset } = this.#parameters[n] as TrainedParameter
    return trainable && offset >= end && offset - end < ALIGNED && this.#steps[n] === step - 1
  }

  #clip(gradientsPtr: number, known: number | undefined): void {
    const { clipValue, clipNorm, globalClipNorm } = this.optimizer
    const { clipF32, scaleRangeF32, sumOfSquaresF32 } = this.#runtime.kernels
    if (clipValue !== undefined || clipNorm !== undefined) {
      for (const { trainable, offset, length } of this.#parameters) {
        if (!trainable) continue
        const ptr = gradientsPtr + 4 * offset
        if (clipValue !== undefined) clipF32(ptr, length, clipValue)
        if (clipNorm === undefined) continue
        const factor = clipNorm / (Math.sqrt(sumOfSquaresF32(ptr, length)) + NORM_EPSILON)
        if (factor < 1) scaleRangeF32(ptr, length, factor)
      }
    }
    if (globalClipNorm === undefined) return
    const norm = known === undefined || clipValue !== undefined || clipNorm !== undefined ? this.norm(gradientsPtr) : known
    const factor = globalClipNorm / (norm + NORM_EPSILON)
    if (!(factor < 1)) return
    for (const { trainable, offset, length } of this.#parameters) if (trainable) scaleRangeF32(gradientsPtr + 4 * offset, length, factor)
  }

  /** One step of a range of the arena. */
  #move(offset: number, length: number, step: number, valuesPtr: number, gradientsPtr: number, rate: number): void {
    const { adamStep, rmspropStep, sgdStep } = this.#runtime.kernels
    const { optimizer } = this
    const settings = this.#settingsPtr
    const [values, gradients, first] = [valuesPtr + 4 * offset, gradientsPtr + 4 * offset, this.#momentsPtr + 4 * offset]
    const second = first + 4 * this.#length
    switch (optimizer.optimizer) {
      case 'sgd':
        sgdStep(settings, length, values, gradients, optimizer.momentum === 0 ? 0 : first, rate, Number(step === 1))
        return
      case 'rmsprop': {
        const { momentum, centered } = optimizer
        const velocities = momentum === 0 ? 0 : centered ? second + 4 * this.#length : second
        rmspropStep(settings, length, values, gradients, first, centered ? second : 0, velocities, rate)
        return
      }
      default: {
        const { beta1, beta2 } = optimizer
        adamStep(settings, length, values, gradients, first, rate, 1 - beta1 ** step, 1 - beta2 ** step)
      }
    }
  }
}

/** With `using`, its memory is freed at the end of its block. */
export interface OptimizerState extends PlatformDisposable {
  readonly optimizer: Optimizer
}
makeDisposable(OptimizerState)
