// What a trainer in a worker and its caller tell each other.
import type { LstmErrorCode } from '../../errors.ts'
import type { Gradients } from '../../runtime/gradient-kernels.ts'
import type { KernelModule } from '../../runtime/web-assembly.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { ArrayLike } from '../../values/ndarray.ts'
import type { NamedData, Targets } from '../fitting/arrays.ts'
import type { Callback } from '../fitting/callbacks.ts'
import type { FitProgress, FitResult } from '../fitting/fit.ts'
import type { Trainer, TrainerSettings } from '../fitting/trainer.ts'
import type {
  DatasetBatch, EvaluateOptions, FitDatasetOptions, FitOptions, PredictOptions, TrainOnBatchOptions,
} from '../fitting/trainer-options.ts'
import type { ModelTrainer } from '../model-trainer.ts'

/** What is trained: a model as a file, or a checkpoint. */
export type TrainerOrigin =
  | { readonly settings: TrainerSettings, readonly model: Uint8Array }
  | { readonly settings: TrainerSettings, readonly checkpoint: Uint8Array }

/** What a worker begins with. */
export interface TrainerTask {
  readonly origin: TrainerOrigin
  readonly variant: Runtime['variant']
  readonly maxMemoryBytes: number
  /** Of its runtime, with its own. */
  readonly threads: number
  /** The binaries: a worker carries none. */
  readonly module: KernelModule
  readonly gradients: Gradients
}

/** Calls of a trainer: what they are given, and what they give. Options come without their functions, which stay with the caller. */
export interface Calls {
  /** The first one: tells that the trainer is made. */
  readonly createTrainer: { readonly args: readonly [], readonly gives: undefined }
  readonly fit: { readonly args: readonly [NamedData, Targets, FitOptions], readonly gives: FitResult }
  readonly fitDataset: { readonly args: readonly [FitDatasetOptions], readonly gives: FitResult }
  readonly trainOnBatch: { readonly args: readonly [NamedData, Targets, TrainOnBatchOptions], readonly gives: Record<string, number> }
  readonly evaluate: { readonly args: readonly [NamedData, Targets, EvaluateOptions], readonly gives: Record<string, number> }
  readonly predict: { readonly args: readonly [NamedData, PredictOptions], readonly gives: Record<string, ArrayLike> }
  readonly getWeights: { readonly args: readonly [], readonly gives: Map<string, Float32Array> }
  readonly setWeights: { readonly args: readonly [Parameters<Trainer['setWeights']>[0]], readonly gives: ReturnType<Trainer['setWeights']> }
  readonly freeze: { readonly args: readonly [readonly string[]], readonly gives: ReturnType<ModelTrainer['freeze']> }
  readonly unfreeze: { readonly args: readonly [readonly string[]], readonly gives: ReturnType<ModelTrainer['unfreeze']> }
  readonly resetStates: { readonly args: readonly [], readonly gives: ReturnType<ModelTrainer['resetStates']> }
  readonly save: { readonly args: readonly [], readonly gives: Uint8Array }
  /** The model as a file. */
  readonly modelFile: { readonly args: readonly [], readonly gives: Uint8Array }
}

export type CallName = keyof Calls

/** What callbacks have. */
export type HookName = keyof Callback

/** Which functions the caller has. */
export interface Functions {
  /** Hooks of each callback. */
  readonly hooks: readonly (readonly HookName[])[]
  readonly onProgress: boolean
}

/** What a callback did with its `TrainingControl`. */
export type Order =
  | readonly ['setLearningRate', number | undefined] | readonly ['scaleLearningRate', number] | readonly ['stop']
  | readonly ['setWeights', ReadonlyMap<string, Float32Array>]

/** What a call needs from the caller's functions. */
export type Want =
  | { readonly hook: HookName, readonly callback: number, readonly about: readonly unknown[], readonly checkpoint: Uint8Array }
  | { readonly batchOf: number }
  | { readonly endOf: 'source' }

/** What comes back: orders of a callback, or a batch, or that there is none any more. */
export interface Wanted {
  readonly orders?: readonly Order[] | undefined
  readonly batch?: DatasetBatch | undefined
}

/** To the worker. */
export type ToWorker =
  | { readonly call: CallName, readonly id: number, readonly args: readonly unknown[], readonly functions: Functions }
  | { readonly abort: number }
  | { readonly answer: number, readonly id: number, readonly wanted: Wanted | undefined }

/** Where training is, after each call. */
export interface TrainerState {
  readonly epoch: number
  readonly steps: number
  readonly learningRate: number
  readonly trainableNames: readonly string[]
}

/** An error, as it is sent. */
export interface SentError {
  /** Of an `LstmError`. */
  readonly code: LstmErrorCode | undefined
  readonly message: string
}

/** To the caller. */
export type FromWorker =
  | { readonly id: number, readonly result: unknown, readonly state: TrainerState }
  | { readonly id: number, readonly error: SentError, readonly state: TrainerState | undefined }
  | { readonly id: number, readonly progress: FitProgress }
  | { readonly id: number, readonly ask: number, readonly want: Want }
