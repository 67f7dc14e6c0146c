// What trains, as fit sees it: parameters and gradients in linear memory, and a run over one batch.
import type { TrainingRuntime } from '../runtime/gradient-kernels.ts'
import type { DType } from '../values/dtype.ts'
import type { ArrayLike } from '../values/ndarray.ts'
import type { Shape } from '../values/shape.ts'
import type { LossTarget } from './loss-graph.ts'
import type { TrainedParameter } from './parameter.ts'

/** Arrays of one batch by name: the batch is their first axis. */
export type BatchInputs = Readonly<Record<string, ArrayLike>>

/** Targets of one loss and batch, by what they are. */
export type BatchTargets = Readonly<Partial<Record<LossTarget['role'], ArrayLike>>>

/** What comes out of a batch for one loss, but for its numbers. */
export interface BatchShapes {
  /** Of the losses: [rows], or [rows, timesteps] where each timestep has a target. */
  readonly losses: Shape
  /** Of the output that is compared. */
  readonly prediction: Shape
  /** Whether that output is logits, not probabilities. */
  readonly isLogits: boolean
}

/** How a batch is run. */
export interface BatchOptions {
  readonly rows: number
  /** Of each loss, what its elements count in the sum that is differentiated: as many as there are, divided by what the mean is divided by. */
  readonly weights: readonly Float32Array[]
  /** Which step of training it is, from 0: what is drawn follows from it. */
  readonly step: number
  /** Whether gradients are wanted, and layers behave as in training: dropout, statistics of batches. */
  readonly training: boolean
}

/** What came out: views that are good until the next run. */
export interface BatchResult {
  /** Of each loss: that of each row, without its weight. */
  readonly losses: readonly Float32Array[]
  /** Of each loss: the output that is compared, as the model gives it: probabilities of a softmax that the loss took off. */
  readonly predictions: readonly Float32Array[]
}

/** A model that trains. */
export interface Trainable {
  readonly runtime: TrainingRuntime
  /** In the order of their offsets. */
  readonly parameters: readonly TrainedParameter[]
  /** Values and gradients of all parameters: two arenas of one layout. They stay where they are. */
  readonly valuesPtr: number
  readonly gradientsPtr: number
  /** Floats of each, a multiple of 16. */
  readonly length: number
  /** The inputs that a batch has; optional ones may be left out. */
  readonly inputs: readonly { readonly name: string, readonly dtype: DType, readonly optional?: boolean }[]
  /** @throws LstmError for inputs that do not fit the model, or targets that do not fit the loss */
  shapesOf(inputs: Readonly<Record<string, Shape>>): readonly BatchShapes[]
  /** Forward, and with `training` backward too: gradients are set, not added. @throws LstmError for elements that are refused */
  run(inputs: BatchInputs, targets: readonly BatchTargets[], options: BatchOptions): BatchResult
  /**
   * The same in parts: gives way between two kernels of a step where it is due. Where it is left, gradients are undefined and all else is as before. Nothing
   * else is run in between; weights may be set.
   */
  runInParts?(inputs: BatchInputs, targets: readonly BatchTargets[], options: BatchOptions, isDue: () => boolean): Generator<undefined, BatchResult>
  /** Does what could not be done while a step was half done. */
  stepDone?(): void
  /** All outputs for inputs, without dropout: arrays of their own. */
  predict(inputs: BatchInputs): Record<string, ArrayLike>
  /** What stateful layers remember from batch to batch. */
  readonly states?: {
    /** Copies, by name: [rows, ...]. */
    save(): ReadonlyMap<string, ArrayLike>
    /** @throws LstmError `MEMORY`; nothing is changed then */
    restore(states: ReadonlyMap<string, ArrayLike>): void
  }
  dispose(): void
}

/** Nothing is due: for steps that run at once. */
export const never = (): boolean => false

/** Runs all parts, one after the other. */
export function runThrough<Result>(parts: Generator<undefined, Result>): Result {
  for (;;) {
    const part = parts.next()
    if (part.done === true) return part.value
  }
}
